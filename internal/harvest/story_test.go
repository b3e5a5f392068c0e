package harvest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

func TestStory_roundTrips(t *testing.T) {
	st := newStory(Request{Artifact: paper.Artifact{ID: "doi:10.5555/x", IDs: paper.IDs{DOI: "10.5555/x"}}, Title: "X", Hint: "crossref"})
	st.hear("unpaywall", paper.Answer{
		IDs: paper.IDs{PMCID: "PMC1"}, License: "cc-by",
		Candidates: []paper.Candidate{{URL: "https://a.example/1.pdf", Kind: paper.PDF}, {URL: "https://a.example/1.pdf", Kind: paper.PDF}},
	})
	st.At = &position{Index: 0, URL: "https://b.example/2.pdf"}
	back, err := loadStory(queue.Job{Progress: st.encode(), Payload: json.RawMessage(`{}`)})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(st, back); diff != "" {
		t.Errorf("a story comes back changed (-want +got):\n%s", diff)
	}
	if len(st.Tried) != 1 || st.Tried[0].Source != "unpaywall" {
		t.Errorf("candidates: %+v, want each URL once, with its source", st.Tried)
	}
}

// Sources and hosts that flood a job must not flood the queue: a story stays
// under 64 KiB, and still takes up what the next source knows.
func TestStory_isBounded(t *testing.T) {
	st := newStory(Request{Artifact: paper.Artifact{ID: "doi:10.5555/x"}, Title: strings.Repeat("t", 1<<20), Hint: strings.Repeat("h", 1<<20)})
	for source := range 8 {
		ans := paper.Answer{Title: strings.Repeat("é", 1<<20), Note: strings.Repeat("n", 1<<20)}
		for n := range 10_000 / 8 {
			ans.Candidates = append(ans.Candidates, paper.Candidate{
				URL: fmt.Sprintf("https://a.example/%d/%d/%s", source, n, strings.Repeat("&", 8<<10-40)), Kind: paper.PDF,
				Version: paper.Published, License: strings.Repeat("l", 200), MD5: strings.Repeat("0", 32),
			})
			ans.Candidates = append(ans.Candidates, paper.Candidate{URL: fmt.Sprintf("https://a.example/%d/%d/", source, n), Kind: paper.PDF, License: strings.Repeat("l", 200)})
		}
		st.hear(fmt.Sprint("hostile", source), ans)
	}
	for st.tries() < maxTries {
		st.At = &position{Index: st.tries()}
		for n := range maxHops {
			st.At.URL = fmt.Sprintf("https://b.example/%d/%s", n, strings.Repeat("&", 8<<10-40))
			if st.at().passed(st.At.URL) {
				t.Errorf("hop %d is taken for another", n)
			}
			st.hop(paper.Hop{URL: st.At.URL, Status: 302, Note: strings.Repeat("long", 1<<16)})
			if !st.at().passed(st.At.URL) {
				t.Errorf("hop %d is not known again", n)
			}
		}
		if n := len(st.encode()); n > 64<<10 {
			t.Fatalf("progress takes %d bytes, want at most 64 KiB", n)
		}
		st.fail(paper.RedirectLoop, strings.Repeat("long", 1<<16))
	}
	if n := len(st.encode()); n > 64<<10 || n < 20<<10 {
		t.Errorf("progress takes %d bytes, want at most 64 KiB", n)
	}
	sources := make(map[string]int)
	for _, c := range st.Tried {
		sources[c.Source]++
	}
	if len(sources) < 3 {
		t.Errorf("candidates by source: %v, want more than those of the first", sources)
	}
}

// What failed for the time being is tried again in the next round, and nothing else.
func TestStory_again(t *testing.T) {
	st := newStory(Request{Artifact: paper.Artifact{ID: "doi:10.5555/x"}})
	st.Asked = []paper.Asked{{Resolver: "a"}, {Resolver: "b", Class: paper.Transient}, {Resolver: "c", Class: paper.Config}}
	for i, class := range []paper.Class{paper.Gone, paper.Transient, paper.Challenge} {
		st.add([]paper.Candidate{{URL: fmt.Sprint("https://a.example/", i), Kind: paper.PDF}}, 0)
		st.Tried[i].Class, st.Tried[i].Over, st.Tried[i].Hops = class, true, []paper.Hop{{URL: st.Tried[i].URL}}
	}
	if !st.mayChange() {
		t.Error("a transient failure gives no second round")
	}
	st.again()
	var open []string
	for _, tr := range st.Tried {
		if !tr.Over {
			open = append(open, tr.URL)
		}
	}
	if diff := cmp.Diff([]string{"https://a.example/1"}, open); diff != "" || st.asked("b") != nil || st.asked("a") == nil || st.asked("c") == nil {
		t.Errorf("second round tries %v and has asked %+v", open, st.Asked)
	}
	if st.mayChange() {
		t.Error("the new round begins as one that may change")
	}
}

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

// A source that floods a job with candidates and texts must not flood the queue.
func TestStory_isBounded(t *testing.T) {
	st := newStory(Request{Artifact: paper.Artifact{ID: "doi:10.5555/x"}})
	ans := paper.Answer{Title: strings.Repeat("é", 20<<20), Note: strings.Repeat("n", 1<<20)}
	for n := range 10_000 {
		ans.Candidates = append(ans.Candidates, paper.Candidate{URL: fmt.Sprintf("https://a.example/%d/%s", n, strings.Repeat("x", 1000)), Kind: paper.PDF})
	}
	st.hear("hostile", ans)
	for st.tries() < len(st.Tried) {
		st.At = &position{Index: st.tries()}
		st.at().Hops = append(st.at().Hops, paper.Hop{URL: st.at().URL})
		st.fail(paper.Gone, strings.Repeat("long", 1<<16))
	}
	if n := len(st.encode()); n > 64<<10 {
		t.Errorf("progress takes %d bytes, want at most 64 KiB", n)
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

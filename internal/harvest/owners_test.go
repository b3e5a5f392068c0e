package harvest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/quire-dev/quire/internal/testweb"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// sum is a SHA-256 of nothing in particular.
func sum(n int) string { return fmt.Sprintf("%08x%056x", n+1, 0) }

func claim(t *testing.T, o *Owners, sha256, host string, marks ...string) int {
	t.Helper()
	others, err := o.Claim(sha256, host, marks)
	if err != nil {
		t.Fatal(err)
	}
	return len(others)
}

// F 145: the fourth work that a host gives the same file for stands out, in this run
// and in the next one.
func TestOwners_Claim(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shared.jsonl")
	o, err := OpenOwners(path)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{0, 1, 2, 3, 3} {
		if got := claim(t, o, sum(0), "host:a", fmt.Sprint("doi:", i)); got != want {
			t.Errorf("work %d: %d others, want %d", i, got, want)
		}
	}
	for name, got := range map[string]int{
		"the first again":  claim(t, o, sum(0), "host:a", "doi:0") - 2,
		"by another id":    claim(t, o, sum(0), "host:a", "pmcid:PMC1", "doi:1") - 2,
		"another host":     claim(t, o, sum(0), "host:b", "doi:4"),
		"another file":     claim(t, o, sum(1), "host:a", "doi:4"),
		"known by nothing": claim(t, o, sum(0), "host:a"),
		"no hash":          claim(t, o, "xyz", "host:a", "doi:4"),
	} {
		if got != 0 {
			t.Errorf("%s: %d too many", name, got)
		}
	}
	for i := range 9 { // chapters of one book
		if got := claim(t, o, sum(2), "host:a", fmt.Sprint("doi:", i), "volume:9783319000268"); got != 0 {
			t.Errorf("chapter %d: %d others", i, got)
		}
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := OpenOwners(path)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if got := claim(t, again, sum(0), "host:a", "doi:9"); got != 3 {
		t.Errorf("in the next run: %d others, want 3", got)
	}
}

// What is no line of ours costs only itself.
func TestOpenOwners_damaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shared.jsonl")
	line := func(doi string) string {
		return fmt.Sprintf(`{"sha256":%q,"host":"h","marks":[%q]}`+"\n", sum(0), doi)
	}
	text := "\x00\n[]\n{}\n" + `{"sha256":"zz","host":"h","marks":["a"]}` + "\n" + line("doi:0") +
		`{"sha256":"` + strings.Repeat("0", 3*maxOwnerLine) + "\"}\n" + line("doi:1") + `{"sha256":"` + sum(0)[:9]
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	o, err := OpenOwners(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := claim(t, o, sum(0), "h", "doi:2"); got != 2 {
		t.Errorf("%d others, want 2", got)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := OpenOwners(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := claim(t, again, sum(0), "h", "doi:3"); got != 3 {
		t.Errorf("behind a cut line: %d others, want 3", got)
	}
	if _, err := OpenOwners(t.TempDir()); err == nil {
		t.Error("a directory was read")
	}
}

// Memory is bounded by the number of files, not by that of works.
func TestOwners_bounded(t *testing.T) {
	var o Owners
	for i := range maxOnce + 500 {
		claim(t, &o, sum(i), "h", "doi:a")
	}
	if len(o.once) > maxOnce || len(o.latest) > maxOnce {
		t.Errorf("%d files in memory", len(o.once))
	}
	for i := range maxShared + 500 {
		claim(t, &o, sum(maxOnce+500+i), "h", "doi:a")
		claim(t, &o, sum(maxOnce+500+i), "h", "doi:b")
	}
	if len(o.shared) > maxShared {
		t.Errorf("%d shared files in memory", len(o.shared))
	}
}

// F 145, as jobs: the same notice for many works is not accepted in silence. It is
// kept, and the job says where.
func TestStep_sharedFile(t *testing.T) {
	b := newBench(t, same)
	b.web.Host("site.example", testweb.File("application/pdf", testweb.PDF("Please log in", 3000)))
	for i := range 5 {
		t.Run(fmt.Sprintf("F 145: work %d", i), func(t *testing.T) {
			st := newStory(Request{Artifact: paper.Artifact{ID: fmt.Sprint("doi:10.5555/", i), IDs: paper.IDs{DOI: fmt.Sprint("10.5555/", i)}}})
			st.Asked = []paper.Asked{{Resolver: "landing"}}
			st.add([]paper.Candidate{{URL: fmt.Sprintf("https://site.example/%d.pdf", i), Kind: paper.PDF, Source: "landing"}}, 0)
			b.job = queue.Job{ID: int64(i + 1), ArtifactID: st.Artifact.ID, Key: b.h.next(st).key, Progress: st.encode()}
			out := b.step()
			if i < manyOwners {
				if out.State != queue.Done {
					t.Fatalf("work %d: %+v", i, out)
				}
				return
			}
			if out.State != queue.Error || out.Class != string(paper.WrongWork) || !strings.Contains(out.Error, "its host gave the same for 3 others") {
				t.Errorf("work %d: %+v", i, out)
			}
			for _, part := range []string{`"path":"artifacts/sha256/`, `"verdict":"suspect"`, `"pages":1`} {
				if !strings.Contains(string(out.Result), part) || !strings.Contains(string(out.Record), part) {
					t.Errorf("work %d: no %s in %s, %s", i, part, out.Result, out.Record)
				}
			}
			if strings.Contains(string(out.Record), `"file"`) {
				t.Errorf("work %d has the file: %s", i, out.Record)
			}
		})
	}
}

// A file that says it is another work's is put aside, and the next candidate tried.
func TestStep_anotherWorksFile(t *testing.T) {
	other := testweb.PDF("Bayesian inference for genomic networks. https://doi.org/10.6666/genes.3 "+strings.Repeat("We report what was found. ", 12), 3000)
	right := testweb.PDF("On the measurement of tides in shallow estuaries", 3000)
	for name, tt := range map[string]struct {
		files [2][]byte
		state queue.State
	}{
		"then the right one":  {[2][]byte{other, right}, queue.Done},
		"and nothing else":    {[2][]byte{other, other}, queue.Error},
		"the right one first": {[2][]byte{right, other}, queue.Done},
	} {
		b := newBench(t, same)
		b.web.Host("one.example", testweb.File("application/pdf", tt.files[0]))
		b.web.Host("two.example", testweb.File("application/pdf", tt.files[1]))
		st := newStory(Request{
			Artifact: paper.Artifact{ID: "doi:10.5555/tides.7", IDs: paper.IDs{DOI: "10.5555/tides.7"}},
			Title:    "On the measurement of tides in shallow estuaries",
		})
		st.Asked = []paper.Asked{{Resolver: "landing"}}
		st.add([]paper.Candidate{
			{URL: "https://one.example/a.pdf", Kind: paper.PDF, Source: "landing"}, {URL: "https://two.example/a.pdf", Kind: paper.PDF, Source: "landing"},
		}, 0)
		b.job = queue.Job{ID: 1, ArtifactID: st.Artifact.ID, Key: b.h.next(st).key, Progress: st.encode()}
		out := b.step()
		for out.Verb == queue.Advance {
			out = b.step()
		}
		if out.State != tt.state {
			t.Errorf("%s: %+v", name, out)
		}
		if tt.state == queue.Error && (out.Class != string(paper.WrongWork) || !strings.Contains(string(out.Result), `"identity":"contradicted"`)) {
			t.Errorf("%s: %+v, %s", name, out, out.Result)
		}
		if tt.state == queue.Done && !strings.Contains(string(out.Result), `"identity":"confirmed"`) {
			t.Errorf("%s: %s", name, out.Result)
		}
		if kept := strings.Contains(string(out.Record), `"kept"`); kept != slices.Equal(tt.files[0], other) {
			t.Errorf("%s: kept %t: %s", name, kept, out.Record)
		}
	}
}

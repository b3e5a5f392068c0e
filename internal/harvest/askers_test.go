package harvest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"net/http"
	"net/netip"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/fetch"
	"github.com/quire-dev/quire/internal/resolver"
	"github.com/quire-dev/quire/internal/testweb"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// crowd is jobs that are taken through steps of one key, many at once.
type crowd struct {
	t    *testing.T
	web  *testweb.Web
	h    *Harvest
	key  string
	jobs []queue.Job

	handedBack int
}

// newCrowd makes a job for each work of a world in which the service is the only
// source and behaves as told.
func newCrowd(t *testing.T, source, host string, works []testweb.Work, behaviours ...testweb.Behaviour) *crowd {
	t.Helper()
	web, err := testweb.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { web.Close() })
	web.Serve(testweb.World{Works: works, Sites: map[string]testweb.Site{host: {Behaviours: behaviours}}})
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := web.WriteCA(ca); err != nil {
		t.Fatal(err)
	}
	client, err := fetch.New(fetch.Config{
		Contact: "tester@quire-tests.org", ConnectTo: web.ConnectTo(), CAFile: ca,
		AllowNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	r, err := resolver.New(source, resolver.Config{}, client)
	if err != nil {
		t.Fatal(err)
	}
	c := &crowd{t: t, web: web, key: "resolver:" + source}
	c.h = newHarvest(t, r)
	for _, w := range works {
		a, err := paper.ParseID(w.Identifier())
		if err != nil {
			t.Fatal(err)
		}
		c.add(a)
	}
	return c
}

func newHarvest(t *testing.T, sources ...paper.Resolver) *Harvest {
	t.Helper()
	h, err := New(Config{
		Resolvers: sources, HostKey: func(string) string { return "host:any" }, Exempt: func(string) bool { return true },
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (c *crowd) add(a paper.Artifact) {
	c.t.Helper()
	j, err := c.h.Job(Request{Artifact: a})
	if err != nil {
		c.t.Fatal(err)
	}
	n := len(c.jobs)
	c.jobs = append(c.jobs, queue.Job{ID: int64(n + 1), Rank: int64(n), ArtifactID: j.ArtifactID, Key: j.Key, Payload: j.Payload})
}

// here returns the jobs at the crowd's key, at most n of them.
func (c *crowd) here(n int) (at []int) {
	for i, job := range c.jobs {
		if job.Key == c.key && len(at) < n {
			at = append(at, i)
		}
	}
	return at
}

// step runs one step of the jobs named, in the order given, and moves them as the
// orchestrator would.
func (c *crowd) step(at []int) []queue.Outcome {
	c.t.Helper()
	var jobs []queue.Job
	for _, i := range at {
		jobs = append(jobs, c.jobs[i])
	}
	outs := c.h.Step(c.t.Context(), queue.Step{Key: c.key, Jobs: jobs, MaxAttempts: 3, Send: func() {}, Leave: func() {}})
	if len(outs) != len(jobs) {
		c.t.Fatalf("%d outcomes for %d jobs", len(outs), len(jobs))
	}
	for n, i := range at {
		out, job := outs[n], &c.jobs[i]
		switch out.Verb {
		case queue.Release:
			c.handedBack++
		case queue.Advance, queue.Retry:
			job.Key = out.Key
		default:
			job.Key = ""
		}
		if out.Progress != nil {
			job.Progress = out.Progress
		}
	}
	return outs
}

// asked returns what the source answered about a job, which has left the key.
func (c *crowd) asked(i int, out queue.Outcome) paper.Asked {
	c.t.Helper()
	var told struct{ Asked []paper.Asked }
	if err := json.Unmarshal(append(out.Record, out.Progress...), &told); err != nil || len(told.Asked) == 0 {
		c.t.Fatalf("job %d: %v, asked %+v", c.jobs[i].ID, err, told)
	}
	return told.Asked[0]
}

func openWorks(n int, at string) []testweb.Work {
	var works []testweb.Work
	for i := range n {
		works = append(works, testweb.Work{
			DOI: fmt.Sprintf("10.5555/%s%03d", at, i), PMID: fmt.Sprint(9000 + i), Title: "T", Landing: "https://site.example/",
			Copies: []testweb.Copy{{URL: fmt.Sprintf("https://site.example/%d.pdf", i), Publisher: true, License: "cc-by"}},
		})
	}
	return works
}

// One identifier that a service cannot digest costs its neighbours nothing but a
// few requests, whatever the service.
func TestStep_poison(t *testing.T) {
	for _, tt := range []struct {
		source, host string
		works        int
	}{
		{"crossref", "api.crossref.org", 50},
		{"openalex", "api.openalex.org", 50},
		{"semanticscholar", "api.semanticscholar.org", 500},
	} {
		t.Run(tt.source, func(t *testing.T) {
			c := newCrowd(t, tt.source, tt.host, openWorks(tt.works, "w"), testweb.Poison("10.5555/w017"))
			answers := make(map[int]paper.Asked)
			for len(answers) < tt.works {
				at := c.here(tt.works)
				before := c.web.Requests()
				for n, out := range c.step(at) {
					if out.Verb != queue.Release {
						answers[at[n]] = c.asked(at[n], out)
					}
				}
				if got := c.web.Requests() - before; got != 1 {
					t.Fatalf("a step of %d jobs made %d requests", len(at), got)
				}
			}
			for i, asked := range answers {
				if (asked.Candidates == 1) == (i == 17) {
					t.Errorf("job %d: %+v", i, asked)
				}
			}
			if asked := answers[17]; asked.Note != "refused the request (status 400)" {
				t.Errorf("the poison: %+v", asked)
			}
			most := 1 + 2*bits.Len(uint(tt.works-1))
			if got := c.web.Requests(); got > most {
				t.Errorf("%d requests, want at most %d", got, most)
			}
			t.Logf("%d works in %d requests, at most %d; %d times handed back", tt.works, c.web.Requests(), most, c.handedBack)
		})
	}
}

// Jobs that have to do with a failed request are asked for among themselves, and
// one that comes later does not wait behind them for ever.
func TestStep_poisonAmongNewcomers(t *testing.T) {
	works := openWorks(80, "w")
	c := newCrowd(t, "crossref", "api.crossref.org", works, testweb.Poison("10.5555/w017"))
	for rounds := 0; ; rounds++ {
		at := c.here(50)
		if len(at) == 0 {
			break
		}
		if rounds > 20 {
			t.Fatalf("after %d requests there are still %d jobs", rounds, len(at))
		}
		c.step(at)
	}
}

// Jobs whose identifiers cannot be in one request are asked for in turn; the one
// that the queue has first is never left out.
func TestStep_kindsTakeTurns(t *testing.T) {
	c := newCrowd(t, "idconv", "pmc.ncbi.nlm.nih.gov", openWorks(3, "w"))
	for _, id := range []string{"pmid:9000", "pmid:9001"} {
		a, err := paper.ParseID(id)
		if err != nil {
			t.Fatal(err)
		}
		c.add(a)
	}
	c.jobs[3].Rank = -1 // first in the queue, if last in the step
	var verbs []queue.Verb
	for _, out := range c.step([]int{0, 1, 2, 3, 4}) {
		verbs = append(verbs, out.Verb)
	}
	want := []queue.Verb{queue.Release, queue.Release, queue.Release, queue.Finish, queue.Finish}
	if diff := cmp.Diff(want, verbs); diff != "" {
		t.Errorf("first step (-want +got):\n%s", diff)
	}
	for _, out := range c.step([]int{0, 1, 2}) {
		if out.Verb != queue.Finish {
			t.Errorf("second step: %+v", out)
		}
	}
	if got := c.web.Requests(); got != 2 {
		t.Errorf("%d requests, want 2", got)
	}
}

// A failure that holds for all is every job's, and none is charged for a refusal.
func TestStep_failureOfAll(t *testing.T) {
	for name, tt := range map[string]struct {
		behaviour testweb.Behaviour
		verb      queue.Verb
		signal    queue.SignalKind
	}{
		"throttled": {testweb.Fail(http.StatusTooManyRequests), queue.Release, queue.Throttled},
		"down":      {testweb.Fail(http.StatusBadGateway), queue.Retry, queue.Troubled},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCrowd(t, "crossref", "api.crossref.org", openWorks(10, "w"), tt.behaviour)
			for i, out := range c.step(c.here(10)) {
				if out.Verb != tt.verb || out.Signal.Kind != tt.signal {
					t.Errorf("job %d: %+v", i, out)
				}
			}
			if got := c.web.Requests(); got != 1 {
				t.Errorf("%d requests, want 1", got)
			}
		})
	}
}

// What the one answer announces comes with the signal of each job that it is for.
func TestStep_announcedToMany(t *testing.T) {
	c := newCrowd(t, "crossref", "api.crossref.org", openWorks(3, "w"), testweb.Announce("X-Concurrency-Limit", "1"))
	for i, out := range c.step(c.here(3)) {
		if out.Signal.Kind != queue.OK || out.Signal.Allowance.InFlight != 1 {
			t.Errorf("job %d: %+v", i, out.Signal)
		}
	}
}

// A service that breaks at many identifiers is asked for fewer. Whether it is in
// trouble is seen when it breaks at one.
func TestStep_brokenByMany(t *testing.T) {
	c := newCrowd(t, "crossref", "api.crossref.org", openWorks(5, "w"), testweb.First(1, testweb.Fail(http.StatusInternalServerError)))
	for i, out := range c.step(c.here(5)) {
		if out.Verb != queue.Release || out.Signal.Kind != queue.None {
			t.Errorf("job %d: %+v", i, out)
		}
	}
	done := 0
	for _, out := range c.step(c.here(5)) {
		if out.Verb == queue.Advance {
			done++
		}
	}
	if done != 3 {
		t.Errorf("%d jobs have their answer, want the larger half", done)
	}
}

// The jobs of a step that have nothing to ask go on without a request.
func TestStep_someHaveNothingToAsk(t *testing.T) {
	c := newCrowd(t, "crossref", "api.crossref.org", openWorks(3, "w"))
	st := newStory(Request{Artifact: paper.Artifact{ID: "doi:10.5555/x", IDs: paper.IDs{DOI: "10.5555/x"}}})
	st.hear("crossref", paper.Answer{Candidates: []paper.Candidate{{URL: "https://site.example/x.pdf", Kind: paper.PDF}}})
	c.jobs[1].Progress = st.encode()
	c.jobs[2].Progress = []byte("{")
	outs := c.step([]int{0, 1, 2})
	if outs[0].Verb != queue.Advance || outs[0].Signal.Kind != queue.OK {
		t.Errorf("asked: %+v", outs[0])
	}
	if outs[1].Verb != queue.Advance || outs[1].Key != "host:any" || outs[1].Signal.Kind != queue.None {
		t.Errorf("has its answer: %+v", outs[1])
	}
	if outs[2].Verb != queue.Finish || outs[2].State != queue.Error {
		t.Errorf("damaged: %+v", outs[2])
	}
}

// scripted is a source that answers as told.
type scripted struct {
	batch   int
	answers func(as []paper.Artifact) ([]paper.Answer, error)
}

func (scripted) Name() string                { return "scripted" }
func (scripted) Accepts(paper.Artifact) bool { return true }
func (scripted) Local() bool                 { return false }
func (s scripted) Batch() int                { return s.batch }
func (s scripted) Resolve(_ context.Context, as []paper.Artifact) ([]paper.Answer, error) {
	return s.answers(as)
}

// A request holds jobs of one allowance: those that had to do with a failed one
// draw no others in, and are drawn into no larger one.
func TestStep_whoIsAskedTogether(t *testing.T) {
	most := []int{0, 1, 3, 0, 3, 3, 3} // 0: no limit
	for first, want := range map[int][]int{0: {0, 3}, 1: {1}, 2: {2, 4, 5}, 6: {6, 2, 4}} {
		var asked []string
		c := &crowd{t: t, key: "resolver:scripted"}
		c.h = newHarvest(t, scripted{4, func(as []paper.Artifact) ([]paper.Answer, error) {
			for _, a := range as {
				asked = append(asked, a.ID)
			}
			return make([]paper.Answer, len(as)), nil
		}})
		for n, limit := range most {
			a := paper.Artifact{ID: fmt.Sprint("doi:10.5555/", n), IDs: paper.IDs{DOI: fmt.Sprint("10.5555/", n)}}
			c.add(a)
			if limit > 0 {
				st := newStory(Request{Artifact: a})
				st.Party = &party{Resolver: "scripted", Most: limit}
				c.jobs[n].Progress = st.encode()
			}
		}
		c.jobs[first].Priority = 1
		c.step(c.here(len(most)))
		var ids []string
		for _, n := range want {
			ids = append(ids, fmt.Sprint("doi:10.5555/", n))
		}
		if diff := cmp.Diff(ids, asked); diff != "" {
			t.Errorf("job %d first (-want +asked):\n%s", first, diff)
		}
	}
}

// A source that breaks the rules of its contract does not keep jobs for ever.
func TestStep_sourceAgainstTheRules(t *testing.T) {
	for name, answers := range map[string]func([]paper.Artifact) ([]paper.Answer, error){
		"too few": func([]paper.Artifact) ([]paper.Answer, error) { return nil, nil },
		"all again, for ever": func(as []paper.Artifact) ([]paper.Answer, error) {
			return slices.Repeat([]paper.Answer{{Again: len(as)}}, len(as)), nil
		},
		"all again, as one": func(as []paper.Artifact) ([]paper.Answer, error) {
			return slices.Repeat([]paper.Answer{{Again: 1}}, len(as)), nil
		},
		"an error of no class": func([]paper.Artifact) ([]paper.Answer, error) { return nil, errors.New("oops") },
	} {
		t.Run(name, func(t *testing.T) {
			c := &crowd{t: t, key: "resolver:scripted", h: newHarvest(t, scripted{4, answers})}
			for n := range 4 {
				c.add(paper.Artifact{ID: fmt.Sprint("doi:10.5555/", n), IDs: paper.IDs{DOI: fmt.Sprint("10.5555/", n)}})
			}
			for range 3 * 4 {
				at := c.here(4)
				for n, out := range c.step(at) {
					if out.Verb == queue.Retry {
						c.jobs[at[n]].Key = "" // a transient failure: another round
					}
				}
			}
			if at := c.here(4); len(at) > 0 {
				t.Errorf("jobs %v are still there", at)
			}
		})
	}
}

// What a job learnt of the company it may be in holds across a crash and a round,
// at that source only.
func TestStory_partyIsKept(t *testing.T) {
	first, other := scripted{batch: 50}, namedOther{scripted{batch: 50}}
	st := newStory(Request{Artifact: paper.Artifact{ID: "doi:10.5555/x"}})
	st.Party = &party{Resolver: first.Name(), Most: 7}
	st.again()
	job := queue.Job{Attempts: 2, Progress: st.encode()}
	back, err := loadStory(job)
	if err != nil {
		t.Fatal(err)
	}
	w := walk{job: job, story: back}
	if w.most(first) != 7 || w.most(other) != 50 {
		t.Errorf("may be asked for as one of %d and, elsewhere, of %d", w.most(first), w.most(other))
	}
}

// Jobs whose process crashed are not all together again the next time: else a few
// untimely ends would be taken for the fault of each of them.
func TestWalk_most_afterCrashes(t *testing.T) {
	source := scripted{batch: 200}
	for attempts, want := range map[int]int{1: 200, 2: 25, 3: 3, 4: 1} {
		w := walk{job: queue.Job{Attempts: attempts}, story: newStory(Request{})}
		if got := w.most(source); got != want {
			t.Errorf("attempt %d: one of %d, want %d", attempts, got, want)
		}
		w.story.Rounds = attempts - 1 // they failed, but did not crash
		if got := w.most(source); got != 200 {
			t.Errorf("round %d: one of %d, want 200", attempts, got)
		}
	}
}

type namedOther struct{ scripted }

func (namedOther) Name() string { return "other" }

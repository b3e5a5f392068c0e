package harvest

import (
	"context"
	"errors"
	"testing"

	"github.com/quire-dev/quire/internal/fetch"
	"github.com/quire-dev/quire/internal/resolver"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// brokenWeb is a web that is out of our reach through our own fault.
type brokenWeb struct{ asked int }

func (w *brokenWeb) Open(context.Context, string, string) (*fetch.Response, error) {
	w.asked++
	return nil, &paper.Failure{Class: paper.Config, Err: errors.New("this system has no TLS trust roots")}
}

// A robots.txt that cannot be asked for teaches nothing of the host. The job
// must not go on asking for ever.
func TestStep_robotsOutOfReachThroughOurFault(t *testing.T) {
	client, err := fetch.New(fetch.Config{Contact: "tester@quire-tests.org"})
	if err != nil {
		t.Fatal(err)
	}
	landing, err := resolver.New("landing", resolver.Config{Contact: "tester@quire-tests.org"}, client)
	if err != nil {
		t.Fatal(err)
	}
	web := &brokenWeb{}
	h, err := New(Config{
		Resolvers: []paper.Resolver{landing}, Fetch: client, Robots: fetch.NewRobots(web),
		HostKey: func(string) string { return "host:a.example" }, Exempt: func(string) bool { return false },
	})
	if err != nil {
		t.Fatal(err)
	}
	first, err := h.Job(Request{Artifact: paper.Artifact{ID: "url:https://a.example/", IDs: paper.IDs{URL: "https://a.example/"}}})
	if err != nil {
		t.Fatal(err)
	}
	job := queue.Job{ID: 1, ArtifactID: first.ArtifactID, Key: first.Key, Attempts: 1, Payload: first.Payload}
	for range 10 {
		out := h.Step(t.Context(), queue.Step{Key: job.Key, Jobs: []queue.Job{job}, MaxAttempts: 3, Send: func() {}, Leave: func() {}})[0]
		if out.Verb == queue.Finish {
			if out.State != queue.Error || out.Class != string(paper.Config) {
				t.Errorf("job ended as %s %q, want an error of class config", out.State, out.Class)
			}
			return
		}
		job.Key, job.Progress = out.Key, out.Progress
	}
	t.Errorf("after 10 steps and %d requests the job still goes on", web.asked)
}

// A candidate that failed through our own fault is no verdict on the work.
func TestStory_ourFaultIsNoVerdict(t *testing.T) {
	st := newStory(Request{Artifact: paper.Artifact{ID: "doi:10.5555/x"}})
	st.add([]paper.Candidate{{URL: "https://a.example/x.pdf", Kind: paper.PDF, Source: "unpaywall"}}, 0)
	st.At = &position{}
	st.hop(paper.Hop{URL: "https://a.example/x.pdf"})
	st.fail(paper.Config, "too many open files")
	if class, note := st.verdict(); class != paper.Config || state(class) != queue.Error {
		t.Errorf("verdict: %q (%s), want config", class, note)
	}
}

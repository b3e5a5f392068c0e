package orchestrator_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/quire-dev/quire/orchestrator"
	"github.com/quire-dev/quire/queue"
	"github.com/quire-dev/quire/sqlite"
)

// resizer pretends to load a picture at one key and to store it at another.
type resizer struct{ calls atomic.Int64 }

func (r *resizer) Step(_ context.Context, s queue.Step) []queue.Outcome {
	job := s.Jobs[0]
	switch {
	case s.Key == "store:pictures":
		return []queue.Outcome{{Verb: queue.Finish, State: queue.Done, Reason: "stored"}}
	case r.calls.Add(1) == 1: // the host asks for less: nobody's fault, so no attempt is lost
		return []queue.Outcome{{
			Verb: queue.Release, Reason: "throttled", Class: "throttled", Delay: 10 * time.Millisecond,
			Signal: queue.Signal{Kind: queue.Throttled, For: 10 * time.Millisecond},
		}}
	case job.Attempts < 2: // fails once, and is tried again
		return []queue.Outcome{{Verb: queue.Retry, Reason: "reset", Class: "transient", Error: "connection reset"}}
	}
	return []queue.Outcome{{Verb: queue.Advance, Key: "store:pictures"}}
}

// A job walks from the key of a host to that of the store behind it. The caps
// and paces of each key hold on the way, and what fails is tried again.
func Example() {
	dir, err := os.MkdirTemp("", "quire-example-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	store, err := sqlite.Open(ctx, filepath.Join(dir, "jobs.db"), sqlite.Options{Create: true})
	if err != nil {
		panic(err)
	}
	defer store.Close()
	var jobs []queue.NewJob
	for i := range 5 {
		jobs = append(jobs, queue.NewJob{ArtifactID: fmt.Sprint("picture:", i), Key: "host:pictures.example"})
	}
	if _, err := store.Enqueue(ctx, jobs); err != nil {
		panic(err)
	}
	run, err := orchestrator.New(store, new(resizer), orchestrator.Config{
		Owner: "example", Workers: 16, Drain: true,
		Retry: queue.RetryPolicy{MaxAttempts: 3, Base: time.Millisecond},
		Limit: func(key string) orchestrator.Limit {
			if key == "store:pictures" {
				return orchestrator.Limit{} // ours: no limit but Workers
			}
			return orchestrator.Limit{InFlight: 2, Every: time.Millisecond}
		},
	})
	if err != nil {
		panic(err)
	}
	sum, err := run.Run(ctx)
	fmt.Printf("%+v %v\n", sum, err)

	attempts, err := store.Attempts(ctx, "picture:4")
	for _, a := range attempts {
		fmt.Println(a.Key, a.Class, a.Error, err)
	}
	// Output:
	// {Done:5 Skipped:0 Error:0 Drained:true Paused:0} <nil>
	// host:pictures.example transient connection reset <nil>
}

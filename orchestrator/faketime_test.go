package orchestrator_test

import (
	"context"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quire-dev/quire/orchestrator"
	"github.com/quire-dev/quire/queue"
	"github.com/quire-dev/quire/sqlite"
)

// flaky fails until the third attempt.
type flaky struct{}

func (flaky) Step(_ context.Context, s queue.Step) []queue.Outcome {
	outs := make([]queue.Outcome, len(s.Jobs))
	for i, job := range s.Jobs {
		outs[i] = queue.Outcome{Verb: queue.Finish, State: queue.Done}
		if job.Attempts < 3 {
			outs[i] = queue.Outcome{Verb: queue.Retry, Delay: time.Minute, Class: "transient", Error: "not now"}
		}
	}
	return outs
}

// Minutes of waiting take no time, and a goroutine that is left over fails the test.
func TestFlaky(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		store, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "jobs.db"), sqlite.Options{Create: true})
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		if _, err := store.Enqueue(ctx, []queue.NewJob{{ArtifactID: "job:1", Key: "host:a.example"}}); err != nil {
			t.Fatal(err)
		}
		run, err := orchestrator.New(store, flaky{}, orchestrator.Config{Owner: "test", Drain: true})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		sum, err := run.Run(ctx)
		if took := time.Since(start); err != nil || sum.Done != 1 || took < 2*time.Minute {
			t.Errorf("%+v, %v, after %v; want it done after two waits of a minute", sum, err, took)
		}
	})
}

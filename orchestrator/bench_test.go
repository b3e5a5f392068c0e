package orchestrator_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/quire-dev/quire/orchestrator"
	"github.com/quire-dev/quire/queue"
	"github.com/quire-dev/quire/sqlite"
)

// nothing is a handler whose jobs are done at once.
type nothing struct{}

func (nothing) Step(_ context.Context, s queue.Step) []queue.Outcome {
	outcomes := make([]queue.Outcome, len(s.Jobs))
	for i := range outcomes {
		outcomes[i] = queue.Outcome{Verb: queue.Finish, State: queue.Done, Reason: "done"}
	}
	return outcomes
}

// BenchmarkDrain runs queued jobs that do nothing, over 200 keys with 64 workers.
func BenchmarkDrain(b *testing.B) {
	const keys = 200
	s, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "quire.db"), sqlite.Options{Create: true})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	payload := json.RawMessage(`{"to":"somebody@somewhere.example","subject":"a payload of some two hundred bytes, as most are","body":"what a handler needs to know of its job, written out so that it has about the length that is usual"}`)
	jobs := make([]queue.NewJob, b.N)
	for i := range jobs {
		jobs[i] = queue.NewJob{ArtifactID: fmt.Sprintf("job:%08d", i), Key: fmt.Sprintf("host:h%d.example", i%keys), Payload: payload}
	}
	for len(jobs) > 0 {
		n := min(len(jobs), 1000)
		if _, err := s.Enqueue(b.Context(), jobs[:n]); err != nil {
			b.Fatal(err)
		}
		jobs = jobs[n:]
	}
	o, err := orchestrator.New(s, nothing{}, orchestrator.Config{Owner: "bench", Workers: 64, Drain: true})
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	sum, err := o.Run(b.Context())
	if err != nil || sum.Done != b.N {
		b.Fatalf("done %d of %d: %v", sum.Done, b.N, err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
}

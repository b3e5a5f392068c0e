package bench

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/quire-dev/quire/orchestrator"
	"github.com/quire-dev/quire/queue"
)

// batch is how many jobs are enqueued by a call, where that is not what is
// measured: as many as quire queue import takes.
const batch = 1000

// payload is of 200 bytes, as most are.
func payload() json.RawMessage {
	const text = `{"to":"somebody@somewhere.example","subject":"two hundred bytes","body":"%s"}`
	body := make([]byte, 200-len(text)+len("%s"))
	for i := range body {
		body[i] = "what a handler needs to know "[i%29]
	}
	return json.RawMessage(fmt.Sprintf(text, body))
}

// newJobs makes n jobs with numbers from first on, over keys in turn.
func newJobs(first, n, keys int) []queue.NewJob {
	jobs := make([]queue.NewJob, n)
	with := payload()
	for i := range jobs {
		jobs[i] = queue.NewJob{ArtifactID: jobID(first + i), Key: fmt.Sprintf("host:h%d.example", (first+i)%keys), Payload: with}
	}
	return jobs
}

func jobID(n int) string { return fmt.Sprintf("job:%08d", n) }

// jobNumber is the number in a job's id.
func jobNumber(j queue.Job) (n int) {
	_, _ = fmt.Sscanf(j.ArtifactID, "job:%d", &n) // we wrote it
	return n
}

// enqueue adds jobs in batches.
func enqueue(ctx context.Context, s store, jobs []queue.NewJob) error {
	for some := range slices.Chunk(jobs, batch) {
		if _, err := s.Enqueue(ctx, some); err != nil {
			return err
		}
	}
	return nil
}

// handler does something with a job, which then is done.
type handler func(ctx context.Context, j queue.Job)

// Step implements [queue.Handler].
func (h handler) Step(ctx context.Context, s queue.Step) []queue.Outcome {
	outcomes := make([]queue.Outcome, len(s.Jobs))
	for i, j := range s.Jobs {
		h(ctx, j)
		outcomes[i] = queue.Outcome{Verb: queue.Finish, State: queue.Done, Reason: "done"}
	}
	return outcomes
}

func nothing(context.Context, queue.Job) {}

// run runs jobs until cfg ends it, and returns how many were done, and in what time.
func (b *bench) run(ctx context.Context, s store, h handler, cfg orchestrator.Config) (done int, took time.Duration, err error) {
	cfg.Owner, cfg.Workers = "bench", b.Workers
	o, err := orchestrator.New(s, h, cfg)
	if err != nil {
		return 0, 0, err
	}
	begin := time.Now()
	sum, err := o.Run(ctx)
	return sum.Done, time.Since(begin), err
}

func perSecond(n int, took time.Duration) float64 { return float64(n) / took.Seconds() }

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// percentile sorts all and returns the p-th percentile by nearest rank, 0 of none.
func percentile[T cmp.Ordered](all []T, p int) (v T) {
	if len(all) == 0 {
		return v
	}
	slices.Sort(all)
	return all[max(0, (len(all)*p+99)/100-1)]
}

// sleep waits and reports whether ctx let it.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

package e2e_test

import (
	"context"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/quire-dev/quire/internal/corpus"
)

// TestTerminated tells runs over the corpus to stop at random moments, and wants
// each to end by itself with every job finished or handed back untried.
func TestTerminated(t *testing.T) {
	if testing.Short() {
		t.Skip("runs over the corpus")
	}
	web, _ := startReplay(t)
	p := newPlace(t, web, corpusConfig())
	p.run(t, []int{0}, "queue", "import", corpus.Path(t, "works.jsonl"))
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for round := range 10 {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		c := p.command(ctx, "queue", "run", "--drain")
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		after := time.NewTimer(50*time.Millisecond + time.Duration(random.Int64N(int64(time.Second))))
		<-after.C
		told := time.Now()
		if err := c.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait()
		cancel()
		if code := c.ProcessState.ExitCode(); code != 130 {
			// A signal that comes before the program listens for it just ends it.
			if status, ok := c.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() {
				t.Errorf("round %d: exit code %d, want 130: interrupted", round, code)
			}
		}
		if took := time.Since(told); took > 5*time.Second {
			t.Errorf("round %d: took %v to stop, and no request takes that long", round, took)
		}
		if s := decode[stats](t, p.run(t, []int{0}, "queue", "stats", "--json")); s.InProgress != 0 {
			t.Errorf("round %d: %d jobs are left in progress", round, s.InProgress)
		}
	}
	for _, j := range lines[job](t, p.run(t, []int{0}, "queue", "list", "--state", "queued", "--json")) {
		if j.Attempts != 0 && j.Class == nil {
			t.Errorf("%s was handed back and still counts %d attempts", j.ArtifactID, j.Attempts)
		}
	}
}

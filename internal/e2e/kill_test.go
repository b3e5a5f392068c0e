package e2e_test

import (
	"context"
	"math/rand/v2"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/quire-dev/quire/internal/corpus"
	"github.com/quire-dev/quire/internal/testweb"
)

// kills is how often the run is killed.
const kills = 20

// checkKilled runs the corpus once more, kills the program at random moments and
// wants the set that the undisturbed run ended with.
func checkKilled(t *testing.T, web *testweb.Web, want []string) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	p := newPlace(t, web, corpusConfig)
	p.run(t, []int{0}, "queue", "import", corpus.Path(t, "works.jsonl"))
	for range kills {
		killAfter(t, p, 100*time.Millisecond+time.Duration(random.Int64N(int64(1200*time.Millisecond))))
	}
	p.run(t, []int{0, 3}, "queue", "run", "--drain")

	jobs := lines[job](t, p.run(t, []int{0}, "queue", "list", "--json"))
	got := sorted(jobs)
	if !slices.Equal(got, want) {
		missing, extra := 0, 0
		for i := range want {
			if !slices.Contains(got, want[i]) {
				missing++
				t.Logf("undisturbed: %s", want[i])
			}
		}
		for i := range got {
			if !slices.Contains(want, got[i]) {
				extra++
				t.Logf("killed:      %s", got[i])
			}
		}
		t.Errorf("%d jobs ended otherwise than undisturbed (%d)", extra, missing)
	}
	checkTree(t, p.data, jobs)
	checkAgreement(t, p, jobs)
}

// killAfter runs the queue and kills the program, if it does not end before.
func killAfter(t *testing.T, p place, after time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), after)
	defer cancel()
	c := p.command(ctx, "queue", "run", "--drain") // the context's end is SIGKILL
	err := c.Run()
	if exit, ok := err.(*exec.ExitError); ok { //nolint:errorlint // as os/exec returns it
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() || exit.ExitCode() == 3 {
			return
		}
	}
	if err != nil {
		t.Fatalf("run to be killed: %v", err)
	}
}

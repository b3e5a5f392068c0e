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
	p := newPlace(t, web, corpusConfig())
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

// TestPoison kills the program in each attempt at a job, and wants the job to end
// in error with its attempts counted, and accounted for in the manifest.
func TestPoison(t *testing.T) {
	web := startWeb(t)
	world := testweb.World{
		Placeholders: true,
		Works:        []testweb.Work{{DOI: "10.5555/poison", Title: "P", Copies: []testweb.Copy{{URL: "https://hangs.example/p.pdf"}}}},
		Sites:        map[string]testweb.Site{"hangs.example": {Behaviours: []testweb.Behaviour{testweb.Hang()}}},
	}
	web.Serve(world)
	p := newPlace(t, web, "resolvers: {order: [unpaywall]}\nretry: {max_attempts: 3, base: 10ms, breaker: 50ms}\n")
	p.run(t, []int{0}, "queue", "enqueue", "10.5555/poison")
	for attempt := 1; attempt <= 3; attempt++ {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		c := p.command(ctx, "queue", "run", "--drain")
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		waitForRequests(ctx, t, web, "hangs.example", attempt)
		cancel() // SIGKILL
		_ = c.Wait()
	}
	sum := decode[summary](t, p.run(t, []int{0, 3}, "queue", "run", "--drain", "--json"))
	if !sum.Drained || sum.Requests != 0 {
		t.Errorf("last run: %+v, want it drained without a request", sum)
	}
	j := decode[job](t, p.run(t, []int{0}, "queue", "show", "10.5555/poison", "--json"))
	if j.State != "error" || j.Attempts != 3 || j.Class == nil || *j.Class != "crashed" {
		t.Errorf("the job ended as %+v, want an error of class crashed after 3 attempts", j)
	}
	manifest := lines[job](t, []byte(read(t, p.data, "manifest.jsonl")))
	if len(manifest) != 1 || manifest[0].State != "error" {
		t.Errorf("manifest: %+v, want one line that says so", manifest)
	}
}

// waitForRequests waits until a host has got n requests.
func waitForRequests(ctx context.Context, t *testing.T, web *testweb.Web, host string, n int) {
	t.Helper()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for web.Accounts()[host].Requests < n {
		select {
		case <-look.C:
		case <-ctx.Done():
			t.Fatalf("%s got %d requests, want %d", host, web.Accounts()[host].Requests, n)
		}
	}
}

// TestFrozen stops a run for longer than its leases last, lets another one take
// over, and wakes the first: what it brings late changes nothing.
func TestFrozen(t *testing.T) {
	web := startWeb(t)
	world := testweb.World{
		Placeholders: true,
		Works:        []testweb.Work{{DOI: "10.5555/slow", Title: "S", Copies: []testweb.Copy{{URL: "https://slow.example/s.pdf"}}}},
		Sites:        map[string]testweb.Site{"slow.example": {Behaviours: []testweb.Behaviour{testweb.First(1, testweb.Latency(4*time.Second))}}},
	}
	web.Serve(world)
	p := newPlace(t, web, "orchestrator: {lease_ttl: 1s, heartbeat: 300ms}\nresolvers: {order: [unpaywall]}\n")
	p.run(t, []int{0}, "queue", "enqueue", "10.5555/slow")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	frozen := p.command(ctx, "queue", "run", "--drain")
	if err := frozen.Start(); err != nil {
		t.Fatal(err)
	}
	waitForRequests(ctx, t, web, "slow.example", 1)
	if err := frozen.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	sum := decode[summary](t, p.run(t, []int{0}, "queue", "run", "--drain", "--json"))
	if sum.Done != 1 || !sum.Drained {
		t.Errorf("second run: %+v, want the job done", sum)
	}
	if err := frozen.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if err := frozen.Wait(); err != nil {
		t.Errorf("first run, woken: %v, want it to find nothing left", err)
	}
	jobs := lines[job](t, p.run(t, []int{0}, "queue", "list", "--json"))
	if len(jobs) != 1 || jobs[0].State != "done" || jobs[0].Attempts != 2 {
		t.Errorf("jobs: %+v, want one, done in its second attempt", jobs)
	}
	checkTree(t, p.data, jobs)
	checkAgreement(t, p, jobs)
}

package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/quire-dev/quire/internal/testweb"
)

const hangConfig = `orchestrator: {max_workers: 32}
limits:
  default_host: {in_flight: 4, every: 1ms}
  resolver:unpaywall: {in_flight: 16, every: 1ms}
resolvers: {order: [unpaywall]}
retry: {max_attempts: 1}
`

// TestHangingHost drains 20 good hosts with and without a host that never
// answers, and wants the good ones to take about as long. It logs the ratio of the
// two runs, and fails only where a blocking design would be: there the hanging
// host takes all slots until its timeouts. The bound of 1.3 is held in fake time,
// by the tests of package orchestrator.
func TestHangingHost(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for real latencies")
	}
	without := goodHostsTake(t, false)
	with := goodHostsTake(t, true)
	ratio := with.Seconds() / without.Seconds()
	t.Logf("good hosts: %v without, %v with a hanging host: ratio %.2f", without, with, ratio)
	if ratio > 2 {
		t.Errorf("a hanging host slows the good ones to %.2f times their time", ratio)
	}
}

// goodHostsTake runs 20 works at each of 20 hosts and returns how long it took
// until the last of them was asked for.
func goodHostsTake(t *testing.T, hanging bool) time.Duration {
	t.Helper()
	web := startWeb(t)
	world := testweb.World{Placeholders: true, Sites: map[string]testweb.Site{
		"hangs.example": {Behaviours: []testweb.Behaviour{testweb.Hang()}},
	}}
	add := func(host string, n int) {
		url := fmt.Sprintf("https://%s/%d.pdf", host, n)
		world.Works = append(world.Works, testweb.Work{
			DOI: fmt.Sprintf("10.5555/%s.%d", host, n), Title: "T", Landing: "https://" + host + "/",
			Copies: []testweb.Copy{{URL: url}},
		})
	}
	for n := range 20 {
		if hanging {
			for k := range 2 {
				add("hangs.example", 2*n+k)
			}
		}
		for h := range 20 {
			host := fmt.Sprintf("good%02d.example", h)
			world.Sites[host] = testweb.Site{Behaviours: []testweb.Behaviour{testweb.Latency(300 * time.Millisecond)}}
			add(host, n)
		}
	}
	web.Serve(world)
	p := newPlace(t, web, hangConfig)
	ids := p.command(t.Context(), "queue", "import", "-")
	ids.Stdin = bytes.NewBufferString(strings.Join(world.Identifiers(), "\n"))
	if out, err := ids.CombinedOutput(); err != nil {
		t.Fatalf("import: %v\n%s", err, out)
	}

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	start := time.Now()
	run := p.command(ctx, "queue", "run", "--drain")
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	took := waitForGood(ctx, t, web, 400).Sub(start)
	cancel() // the hanging host's jobs are nobody's concern here
	_ = run.Wait()
	return took
}

// waitForGood returns when the last of n files of the good hosts was asked for.
func waitForGood(ctx context.Context, t *testing.T, web *testweb.Web, n int) time.Time {
	t.Helper()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		seen, last := 0, time.Time{}
		for host, a := range web.Accounts() {
			if !strings.HasPrefix(host, "good") || len(a.Starts) == 0 {
				continue
			}
			seen += a.Requests
			if at := a.Starts[len(a.Starts)-1]; at.After(last) {
				last = at
			}
		}
		if seen >= n {
			return last
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			t.Fatalf("only %d of %d files were asked for", seen, n)
		}
	}
}

package harvest

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/quire-dev/quire/internal/testnet"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// A machine that has lost its network charges neither works nor hosts for it, nor
// does it take works for gone because no name is found. It used to end all of them in
// error.
func TestStep_noNetwork(t *testing.T) {
	if !testnet.InNamespace(t) {
		return
	}
	b := newBench(t, same)
	var log bytes.Buffer
	b.h.cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
	st, err := loadStory(b.job)
	if err != nil {
		t.Fatal(err)
	}
	w := walk{Harvest: b.h, Step: queue.Step{Key: b.job.Key, Leave: func() {}}, job: b.job, story: st}
	st.add([]paper.Candidate{{URL: "https://site.example/x.pdf", Kind: paper.PDF}}, 0)
	st.At = &position{URL: "https://site.example/x.pdf"}
	faults := map[string]*paper.Failure{
		"no such name": {Class: paper.Gone, Err: fmt.Errorf("dial: %w", &net.DNSError{Err: "no such host", IsNotFound: true})},
		"no route":     {Class: paper.Transient, Err: fmt.Errorf("dial: %w", syscall.ENETUNREACH)},
	}
	for name, fail := range faults {
		for where, out := range map[string]queue.Outcome{
			"fetch":  w.failed(t.Context(), "https://site.example/x.pdf", 0, fail),
			"source": w.unresolved(t.Context(), b.h.cfg.Resolvers[0], fail),
		} {
			if out.Verb != queue.Release || out.Reason != "network" || out.Delay <= 0 || out.Signal.Kind != queue.None || out.Signal.Allowance.Wait <= 0 {
				t.Errorf("%s, %s: %+v, want the job handed back, the key gated and not blamed", where, name, out)
			}
		}
	}
	if st.At == nil || len(st.Tried[0].Hops) > 0 || len(st.Asked) > 0 {
		t.Errorf("the story went on: %+v", st)
	}
	testnet.TakeEveryAddress(t)
	b.h.connected()
	b.h.connected()
	if n := strings.Count(log.String(), "\n"); n != 2 || !strings.Contains(log.String(), "resumed") {
		t.Errorf("the log has %d lines, want 2:\n%s", n, log.String())
	}
	if out := w.failed(t.Context(), "https://site.example/x.pdf", 0, faults["no such name"]); out.Reason == "network" {
		t.Errorf("with a network: %+v, want the failure to count", out)
	}
}

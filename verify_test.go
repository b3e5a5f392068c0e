package quire_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/testweb"
	"github.com/quire-dev/quire/queue"
	"github.com/quire-dev/quire/sqlite"
)

// found is a sink of findings that keeps their kinds.
func found(to *[]string) func(quire.Finding) error {
	return func(f quire.Finding) error {
		*to = append(*to, string(f.Kind))
		return nil
	}
}

// A repair does not begin while another process runs the queue, and a look does.
func TestVerify_busy(t *testing.T) {
	data := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		sys, err := quire.Open(t.Context(), quire.Config{Data: data})
		if err != nil {
			t.Fatal(err)
		}
		defer sys.Close()
		other, err := sqlite.Open(t.Context(), filepath.Join(data, "quire.db"), sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		_, release, err := other.LockRunner(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var kinds []string
		start := time.Now()
		if _, err := sys.Verify(t.Context(), quire.VerifyOptions{Repair: true, Found: found(&kinds)}); !errors.Is(err, quire.ErrBusy) {
			t.Errorf("got %v, want ErrBusy", err)
		}
		if waited := time.Since(start); waited < 5*time.Second || waited > 6*time.Second {
			t.Errorf("gave up after %v, want 5 s", waited)
		}
		if _, err := sys.Verify(t.Context(), quire.VerifyOptions{Found: found(&kinds)}); err != nil {
			t.Errorf("looking: %v", err)
		}
		release()
		if _, err := sys.Verify(t.Context(), quire.VerifyOptions{Repair: true, Found: found(&kinds)}); err != nil || len(kinds) > 0 {
			t.Errorf("afterwards: %v, %v", kinds, err)
		}
		if _, release, err := other.LockRunner(t.Context()); err != nil {
			t.Errorf("the right to run was not given back: %v", err)
		} else {
			release()
		}
	})
}

// Looked at over and over while a run stores files, nothing is found: what a run has
// stored and not recorded yet is nobody's orphan.
func TestVerify_whileRunning(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	world := testweb.World{Placeholders: true}
	var ids []string
	for n := range 60 {
		doi := fmt.Sprintf("10.5555/running.%d", n)
		url := fmt.Sprintf("https://host%d.example/%d.pdf", n%6, n/2) // two works share a file
		world.Works = append(world.Works, testweb.Work{DOI: doi, Title: doi, Copies: []testweb.Copy{{URL: url}}})
		ids = append(ids, doi)
	}
	b.web.Serve(world)
	var running sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	b.get() // so that there is a queue to look at
	looks := 0
	running.Go(func() {
		for ctx.Err() == nil {
			cfg := b.cfg
			cfg.ReadOnly = true
			sys, err := quire.Open(context.WithoutCancel(ctx), cfg)
			if err != nil {
				t.Error(err)
				return
			}
			var kinds []string
			if _, err := sys.Verify(context.WithoutCancel(ctx), quire.VerifyOptions{Grace: time.Hour, Found: found(&kinds)}); err != nil || len(kinds) > 0 {
				t.Errorf("while a run goes on: %v, %v", kinds, err)
			}
			looks++
			if err := sys.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	b.get(ids...)
	cancel()
	running.Wait()
	if looks < 3 {
		t.Errorf("looked only %d times", looks)
	}
	b.with(func(s *quire.System) {
		var kinds []string
		var steps []string
		far := func(c quire.Verified) { steps = append(steps, c.Now) }
		done, err := s.Verify(t.Context(), quire.VerifyOptions{Found: found(&kinds), Progress: far})
		if steps = slices.Compact(steps); !slices.Equal(steps, []string{"jobs", "files", "links", "manifest"}) {
			t.Errorf("told of %v", steps)
		}
		if err != nil || len(kinds) > 0 || done.Works != len(ids) {
			t.Errorf("%+v, %v, %v; want %d works and no finding", done, kinds, err, len(ids))
		}
	})
}

// A work whose job was pruned keeps its file, and is queued as a new job if it is lost.
func TestVerify_pruned(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.web.Serve(testweb.World{Works: []testweb.Work{work("https://good.example/a.pdf")}, Placeholders: true})
	b.get(doi)
	job, _ := b.look("doi:" + doi)
	b.with(func(s *quire.System) {
		if n, err := s.Prune(t.Context(), queue.Filter{}); n != 1 || err != nil {
			t.Fatalf("pruned %d, %v", n, err)
		}
		var kinds []string
		if _, err := s.Verify(t.Context(), quire.VerifyOptions{Repair: true, Grace: -1, Found: found(&kinds)}); err != nil || len(kinds) > 0 {
			t.Errorf("after pruning: %v, %v", kinds, err)
		}
		files, err := filepath.Glob(filepath.Join(b.data, "artifacts", "sha256", "*", "*", "*.pdf"))
		if err != nil || len(files) != 1 {
			t.Fatalf("%v, %v", files, err)
		}
		if err := os.Remove(files[0]); err != nil {
			t.Fatal(err)
		}
		if done, err := s.Verify(t.Context(), quire.VerifyOptions{Repair: true, Found: found(&kinds)}); err != nil || done.Requeued != 1 {
			t.Errorf("%+v, %v; want it queued again", done, err)
		}
	})
	if again, _ := b.look("doi:" + doi); again.State != queue.Queued || string(again.Payload) == "" || again.Key != job.Key && again.ID == job.ID {
		t.Errorf("%+v, want a new job", again)
	}
	if sum := b.get(); sum.Done != 1 {
		t.Errorf("%+v, want the file got again", sum)
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/forecast"
	"github.com/quire-dev/quire/internal/testweb"
	"github.com/quire-dev/quire/paper"
)

// tick is how often it is asked how long the rest takes.
const tick = time.Second

// measure runs the works of a seed and prints what was foretold beside what came.
func (c config) measure(ctx context.Context, out, progress io.Writer) (err error) {
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	web, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, web.Close()) }()
	w := &watch{began: time.Now(), book: newBook(), progress: progress}
	if c.trace != "" {
		file, err := os.Create(fmt.Sprintf("%s-%d.jsonl", c.trace, c.seed))
		if err != nil {
			return err
		}
		w.trace = newTrace(file)
		defer func() { err = errors.Join(err, w.trace.close()) }()
	}
	sum, err := w.run(ctx, c, web)
	if err != nil {
		return err
	}
	if !sum.Drained {
		return fmt.Errorf("seed %d: %d jobs were left after %s", c.seed, sum.Remaining, c.patience)
	}
	fmt.Fprintf(out, "seed %d: %d done, %d skipped, %d error in %.0f s, %d requests\n", c.seed, sum.Done, sum.Skipped, sum.Error, sum.ElapsedSeconds, sum.Requests)
	return w.book.write(out)
}

// watch looks at a run.
type watch struct {
	began    time.Time
	trace    *trace // nil: none
	progress io.Writer

	mu   sync.Mutex
	book *book
}

// run makes a system, queues the works and runs them.
func (w *watch) run(ctx context.Context, c config, web *testweb.Web) (sum quire.Summary, err error) {
	cfg := c.settings(web)
	cfg.Observe = w.observe
	sys, err := quire.Open(ctx, cfg)
	if err != nil {
		return sum, err
	}
	defer func() { err = errors.Join(err, sys.Close()) }()
	if err := c.add(ctx, sys); err != nil {
		return sum, err
	}
	w.began = time.Now()
	watching, stop := context.WithCancel(ctx)
	var looking sync.WaitGroup
	looking.Go(func() { w.look(watching, sys, c.workers) })
	sum, err = sys.Run(ctx, quire.RunOptions{Drain: true})
	stop()
	looking.Wait()
	return sum, err
}

// add queues the works.
func (c config) add(ctx context.Context, sys *quire.System) error {
	var requests []quire.Request
	for _, id := range newScene(c).world.Identifiers() {
		work, err := paper.ParseID(id)
		if err != nil {
			return err
		}
		requests = append(requests, quire.Request{Artifact: work})
	}
	_, err := sys.Add(ctx, requests, quire.AddOptions{Run: "live"})
	return err
}

// observe takes in a step, from many goroutines.
func (w *watch) observe(e quire.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := step{
		At: time.Since(w.began), Job: e.Job.ID, Key: e.Key, Next: e.NextKey, Finished: e.State.Terminal(), Delay: e.Delay, Attempt: e.Job.Attempts,
	}
	w.book.observe(s)
	w.trace.write(line{Step: &s})
}

// look asks every so often until ctx ends.
func (w *watch) look(ctx context.Context, sys *quire.System, slots int) {
	every := time.NewTicker(tick)
	defer every.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		stats, err := sys.Queue().Stats(ctx)
		keys := sys.Keys()
		if err != nil || keys == nil {
			continue // it is over, or has not begun
		}
		s := snapshot{Slots: slots, Keys: keys, Stats: stats}
		_, s.Bound = sys.Bound()
		w.mu.Lock()
		s.At = time.Since(w.began)
		r := w.book.look(s)
		w.trace.write(line{Snapshot: &s})
		w.mu.Unlock()
		if n%15 == 0 {
			fmt.Fprintf(w.progress, "%4.0f s: %d done, %d skipped, %d error; %s\n", s.At.Seconds(), stats.Done, stats.Skipped, stats.Error, said(r.Estimate))
		}
	}
}

// said is an estimate in words.
func said(e forecast.Estimate) string {
	if !e.OK {
		return "too early to say"
	}
	return fmt.Sprintf("%.0f s left (%s %s)", e.Left.Seconds(), e.Binds, e.Key)
}

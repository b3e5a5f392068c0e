package quire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/quire-dev/quire/internal/report"
	"github.com/quire-dev/quire/orchestrator"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// manifestEvery is how far the manifest may lag behind the queue during a run.
const manifestEvery = time.Second

// RunOptions say when a run ends by itself.
type RunOptions struct {
	Drain   bool          // when nothing is queued, leased or delayed
	MaxJobs int           // after this many finished jobs; 0: no limit
	For     time.Duration // after this long; 0: no limit
}

// Summary says what a run did.
type Summary struct {
	Done           int     `json:"done"`
	Skipped        int     `json:"skipped"`
	Error          int     `json:"error"`
	Remaining      int     `json:"remaining"` // jobs that are not finished
	Bytes          int64   `json:"bytes"`     // of the files that became part of the collection
	ElapsedSeconds float64 `json:"elapsed_seconds"`
	Requests       int64   `json:"requests"`
	Drained        bool    `json:"drained"`
	Paused         int     `json:"paused"`       // of Remaining, those that wait because of a Pause
	QueuePaused    bool    `json:"queue_paused"` // the whole queue is, not only some keys

	// What the rest takes at least, by all that the run knew when it ended, and the
	// key that takes so long. Nil if nothing is known to be left; the key also if it
	// was the number of workers that bound the run.
	BoundKey     *string  `json:"bound_key"`
	BoundSeconds *float64 `json:"bound_seconds"`

	Waits []Wait `json:"waits"` // what is left, at the keys with most, at most 20
}

// bound tells what key bound the run that has ended.
func (s *Summary) bound(key string, left time.Duration) {
	if left <= 0 {
		return
	}
	seconds := left.Seconds()
	s.BoundSeconds = &seconds
	if key != "" {
		s.BoundKey = &key
	}
}

// Run runs the queue until ctx ends or an option says so; what is running then
// gets its grace, and the rest is handed back. One process at a time runs the
// jobs of a queue: Run waits while another does, and takes over from one that
// died. Should this one be taken for dead, because it was frozen or cut off from
// the store, it stops with an error that says so. A drain ends when only paused
// jobs are left. It needs a contact.
func (s *System) Run(ctx context.Context, opt RunOptions) (Summary, error) {
	if s.fetch == nil {
		return Summary{}, fmt.Errorf("%w: no contact: hosts must be able to reach whoever runs this", ErrConfig)
	}
	waiting := time.AfterFunc(time.Second, func() {
		s.cfg.Log.Warn("another run has this queue: waiting for it to end", "queue", s.cfg.StoreName())
	})
	running, release, err := s.store.LockRunner(ctx)
	waiting.Stop()
	if err != nil {
		if ctx.Err() != nil {
			return s.remaining(ctx, Summary{}, nil)
		}
		return Summary{}, fmt.Errorf("take over the queue: %w", err)
	}
	defer release()
	if _, err := s.blobs.Clean(ctx); err != nil {
		return Summary{}, fmt.Errorf("clean temporary files: %w", err)
	}
	if err := s.cleanLinks(ctx); err != nil {
		return Summary{}, err
	}
	if err := s.checkReach(ctx); err != nil {
		return Summary{}, err
	}
	manifest, err := s.manifest()
	if err != nil {
		return Summary{}, err
	}
	defer manifest.Close()

	start, before := time.Now(), s.fetch.Requests()
	var bytes atomic.Int64
	orch, err := s.orchestrator(opt, &bytes)
	if err != nil {
		return Summary{}, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	var follower sync.WaitGroup
	following, stop := context.WithCancel(context.WithoutCancel(ctx))
	follower.Go(func() { s.follow(following, manifest) })
	s.running.Store(orch)
	did, err := orch.Run(running)
	s.running.Store(nil)
	s.harvest.EndRun()
	stop()
	follower.Wait()
	err = errors.Join(lost(ctx, running), err, manifest.CatchUp(context.WithoutCancel(ctx), s.store))
	sum := Summary{
		Done: did.Done, Skipped: did.Skipped, Error: did.Error, Bytes: bytes.Load(),
		ElapsedSeconds: time.Since(start).Seconds(), Requests: s.fetch.Requests() - before, Drained: did.Drained,
	}
	sum.bound(orch.Bound())
	sum, statErr := s.remaining(ctx, sum, orch.Keys())
	return sum, errors.Join(err, statErr)
}

// Bound returns the key that will take longest and how long the work that is left
// takes at least, by all that is known now, while Run runs; the key is empty if it
// is the number of workers that binds. Otherwise it returns nothing.
func (s *System) Bound() (key string, left time.Duration) {
	if orch := s.running.Load(); orch != nil {
		return orch.Bound()
	}
	return "", 0
}

// Keys returns the state of every key that the run knows, by name, while Run runs;
// nil otherwise. It may be called at any time.
func (s *System) Keys() []KeyState {
	if orch := s.running.Load(); orch != nil {
		return orch.Keys()
	}
	return nil
}

// Slots is how many requests a run may have in flight at once, over all keys.
func (s *System) Slots() int { return s.cfg.Workers }

// Requests counts those that this System has sent.
func (s *System) Requests() int64 {
	if s.fetch == nil {
		return 0
	}
	return s.fetch.Requests()
}

// Noted returns how keys stand as runs have noted it, in this process or another:
// what they have learnt of each, up to some ten seconds ago. Notes that can't be
// read are left out.
func (s *System) Noted(ctx context.Context) (map[string]KeyState, error) {
	notes, err := s.store.KeyNotes(ctx)
	if err != nil {
		return nil, fmt.Errorf("read what was learnt of keys: %w", err)
	}
	states := make(map[string]KeyState, len(notes))
	for _, n := range notes {
		if state, err := orchestrator.Noted(n, s.limit(n.Key)); err == nil {
			states[n.Key] = state
		}
	}
	return states, nil
}

// lost says that the right to run was lost, if that is why running ended.
func lost(ctx, running context.Context) error {
	cause := context.Cause(running)
	if cause == nil || errors.Is(cause, context.Cause(ctx)) {
		return nil
	}
	return fmt.Errorf("run queue: lost the right to run it, and stopped: %w", cause)
}

// manifest opens the manifest of the data directory. The caller must close it.
func (s *System) manifest() (*report.Manifest, error) {
	return report.OpenManifest(filepath.Join(s.cfg.Data, manifestFile), Version, s.cfg.Log)
}

// Prune deletes finished jobs that match f, as [queue.Controller].Prune does. It
// first brings the manifest up to date, so that no outcome is missing there. It
// should run where the manifest is that counts: with a store on another machine
// every data directory has its own.
func (s *System) Prune(ctx context.Context, f queue.Filter) (int, error) {
	manifest, err := s.manifest()
	if err != nil {
		return 0, err
	}
	defer manifest.Close()
	if err := manifest.CatchUp(ctx, s.store); err != nil {
		return 0, err
	}
	return s.store.Prune(ctx, f)
}

// follow keeps the manifest at most manifestEvery behind until ctx ends. If it
// can't be written the run goes on: the manifest can catch up later.
func (s *System) follow(ctx context.Context, m *report.Manifest) {
	every := time.NewTicker(manifestEvery)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
			if err := m.CatchUp(context.WithoutCancel(ctx), s.store); err != nil {
				s.cfg.Log.Warn("manifest lags behind", "error", err)
			}
		}
	}
}

func (s *System) orchestrator(opt RunOptions, bytes *atomic.Int64) (*orchestrator.Orchestrator, error) {
	return orchestrator.New(s.store, s.harvest, orchestrator.Config{
		Owner: uuid.NewString(), Workers: s.cfg.Workers, LeaseTTL: s.cfg.LeaseTTL, Heartbeat: s.cfg.Heartbeat,
		Grace: s.cfg.Grace, Retry: s.cfg.Retry, Limit: s.limit,
		Drain: opt.Drain, MaxJobs: opt.MaxJobs, For: opt.For, Log: s.cfg.Log, ObserveKey: s.cfg.ObserveKey, Trace: s.cfg.Trace,
		Observe: func(e Event) {
			if e.State == queue.Done {
				bytes.Add(fileBytes(e))
			}
			if s.cfg.Observe != nil {
				s.cfg.Observe(e)
			}
		},
	})
}

func fileBytes(e Event) int64 {
	var f paper.File
	if json.Unmarshal(e.Result, &f) != nil {
		return 0
	}
	return f.Bytes
}

// remaining counts what is left in the queue, whatever became of the run. keys is
// how the keys stand, if a run knows; else it is what runs have noted.
func (s *System) remaining(ctx context.Context, sum Summary, keys []KeyState) (Summary, error) {
	ctx = context.WithoutCancel(ctx)
	stats, err := s.store.Stats(ctx)
	if err != nil {
		return sum, fmt.Errorf("count jobs: %w", err)
	}
	sum.Remaining = stats.Queued + stats.InProgress
	sum.QueuePaused = stats.Paused
	for _, k := range stats.Keys {
		if k.Paused || stats.Paused {
			sum.Paused += k.Ready + k.Delayed
		}
	}
	states := make(map[string]KeyState, len(keys))
	for _, k := range keys {
		states[k.Key] = k
	}
	if keys == nil && sum.Remaining > 0 {
		if states, err = s.Noted(ctx); err != nil {
			return sum, err
		}
	}
	sum.Waits, err = s.waits(ctx, stats, states)
	return sum, err
}

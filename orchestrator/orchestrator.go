// Package orchestrator runs the jobs of a queue: it leases them key by key as
// keys and slots become free, runs their steps, keeps their leases alive and
// settles them. It is driven by events and owns every goroutine of a run.
//
// A job is leased only when a slot and its key are free for it at once, so
// nothing ever waits while it holds something, and a crash costs an attempt
// only to jobs that were really running.
package orchestrator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/quire-dev/quire/internal/limit"
	"github.com/quire-dev/quire/internal/schedule"
	"github.com/quire-dev/quire/queue"
)

// Limit is the allowance of one key.
type Limit = limit.Rule

// KeyState is a snapshot of one key.
type KeyState = schedule.KeyState

// Store is what a run needs of the queue.
type Store interface {
	queue.Store
	queue.KeyNotes
	Stats(ctx context.Context) (queue.Stats, error)
}

// Config says how to run. Zero fields have the default named.
type Config struct {
	Owner      string        // names this process in leases; required, unique among live processes
	Workers    int           // requests at once over all keys; 32
	LeaseTTL   time.Duration // how long a job is safe from other processes without a sign of life; 10 min
	Heartbeat  time.Duration // time between signs of life; under LeaseTTL/2; 30 s
	Grace      time.Duration // how long running steps may go on when the run is told to stop; 30 s
	Retry      queue.RetryPolicy
	Limit      func(key string) Limit // allowance of a key when it is first seen; none if nil
	Drain      bool                   // end when nothing is queued, leased or delayed, apart from jobs at paused keys
	MaxJobs    int                    // end after this many jobs have finished; 0: no limit
	For        time.Duration          // stop leasing after this long; 0: no limit
	Observe    func(Event)            // told of each settled step, from many goroutines; may be nil
	ObserveKey func(KeyState)         // told when a key's gate, breaker, cap or pace has changed, in the same way
	Trace      func(Trace)            // told of what is decided of each job, in the same way; nil costs nothing
	Log        *slog.Logger           // discarded if nil
	sweepEvery time.Duration
	wall       func() time.Time // the clock by which leases end
	seed       uint64           // of waits; 0 for none that vary
}

// Event tells what became of one job's step.
type Event struct {
	Job     queue.Job // as leased
	Key     string    // where the step happened
	Verb    queue.Verb
	State   queue.State // the job is in now
	NextKey string
	Delay   time.Duration
	Reason  string
	Class   string
	Error   string
	Result  json.RawMessage // of a final outcome

	Took    time.Duration // the step, from its lease to its outcome
	Settled time.Duration // from then until the outcome was recorded
}

// Summary says what a run did.
type Summary struct {
	Done, Skipped, Error int  // jobs that reached this state in this run
	Drained              bool // nothing is queued, leased or delayed
	Paused               int  // jobs that wait at paused keys, if a drain ended because only such were left
}

func (c Config) withDefaults() (Config, error) {
	if c.Owner == "" {
		return c, errors.New("orchestrator: Owner is empty")
	}
	if c.Workers == 0 {
		c.Workers = 32
	}
	if c.LeaseTTL == 0 {
		c.LeaseTTL = 10 * time.Minute
	}
	if c.Heartbeat == 0 {
		c.Heartbeat = min(30*time.Second, c.LeaseTTL/3)
	}
	if c.Grace == 0 {
		c.Grace = 30 * time.Second
	}
	if c.Limit == nil {
		c.Limit = func(string) Limit { return Limit{} }
	}
	if c.Observe == nil {
		c.Observe = func(Event) {}
	}
	if c.ObserveKey == nil {
		c.ObserveKey = func(KeyState) {}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Workers < 1 {
		return c, fmt.Errorf("orchestrator: Workers is %d, must be at least 1", c.Workers)
	}
	if c.Heartbeat >= c.LeaseTTL/2 {
		return c, fmt.Errorf("orchestrator: Heartbeat %v must be under half of LeaseTTL %v", c.Heartbeat, c.LeaseTTL)
	}
	if c.Retry.Base < 0 || c.Retry.Max < 0 || c.Retry.MaxAttempts < 0 {
		return c, errors.New("orchestrator: Retry has a negative field")
	}
	c.Retry = c.Retry.WithDefaults()
	// The sweep is the backstop behind events: it finds leases that ran out and
	// rows that other processes added without a wake-up.
	c.sweepEvery = min(time.Second, c.LeaseTTL/4)
	if c.seed == 0 {
		c.seed = rand.Uint64() | 1
	}
	if c.wall == nil {
		c.wall = time.Now
	}
	return c, nil
}

// Orchestrator runs the jobs of one store with one handler.
type Orchestrator struct {
	store   Store
	handler queue.Handler
	cfg     Config
	table   *schedule.Table

	mu     sync.Mutex
	limits map[string]Limit       // set while running; they stand before rule
	rule   func(key string) Limit // Config.Limit, or what SetLimits has put in its place
}

// New returns an orchestrator. It starts nothing.
func New(store Store, handler queue.Handler, cfg Config) (*Orchestrator, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	o := &Orchestrator{store: store, handler: handler, cfg: cfg, limits: make(map[string]Limit), rule: cfg.Limit}
	o.table = schedule.New(schedule.Config{Slots: cfg.Workers, Rule: o.limit, Seed: cfg.seed, Explain: cfg.Trace != nil})
	return o, nil
}

// limit is the allowance of a key now.
func (o *Orchestrator) limit(key string) Limit {
	o.mu.Lock()
	defer o.mu.Unlock()
	if l, ok := o.limits[key]; ok {
		return l
	}
	return o.rule(key)
}

// Keys returns the state of every key with work, at any time.
func (o *Orchestrator) Keys() []KeyState { return o.table.Keys(time.Now()) }

// Bound returns the key that will take longest and how long the work that is left
// takes at least, by all that is known now; the key is empty if it is the number of
// workers that binds. It may be called at any time.
func (o *Orchestrator) Bound() (key string, left time.Duration) { return o.table.Bound(time.Now()) }

// SetLimit changes the allowance of a key while running. Starts obey it at once;
// what it newly allows starts within about a second.
func (o *Orchestrator) SetLimit(key string, l Limit) {
	o.mu.Lock()
	o.limits[key] = l
	o.mu.Unlock()
	o.table.SetRule(time.Now(), key, l)
}

// SetLimits puts limit in the place of Config.Limit while running, and of all that
// SetLimit has set: every key is asked for again. Requests in flight beyond a lower
// cap are left to end; gates, breakers and what was learnt of a key stay. limit must
// be safe for concurrent use, fast, and must not call the orchestrator.
func (o *Orchestrator) SetLimits(limit func(key string) Limit) {
	o.mu.Lock()
	clear(o.limits)
	o.rule = limit
	o.mu.Unlock()
	o.table.SetRules(time.Now(), o.limit)
}

// Run leases and runs jobs until ctx ends or a limit of the Config is reached.
// It then leases no more, gives running steps Config.Grace to finish, cancels
// the rest and hands their jobs back, and returns once every goroutine it
// started is gone. It returns an error only if the store fails for good.
// Call it once.
func (o *Orchestrator) Run(ctx context.Context) (Summary, error) {
	if o.cfg.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.cfg.For)
		defer cancel()
	}
	if err := o.recall(); err != nil {
		return Summary{}, fmt.Errorf("read what was learnt of keys: %w", err)
	}
	r := newRun(o)
	err := r.dispatch(ctx)
	r.stop()
	if err != nil {
		return r.summary(), fmt.Errorf("run jobs: %w", err)
	}
	return r.summary(), nil
}

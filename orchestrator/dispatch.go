package orchestrator

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/quire-dev/quire/queue"
)

// storeTimeout bounds one call to the store. Such calls do not end with the
// run's context: a cancelled lease may have leased.
const storeTimeout = time.Minute

// storePatience is how long the store may keep failing before the run gives up.
const storePatience = 2 * time.Minute

// errGraceOver cancels the steps that are still running when the grace is over.
var errGraceOver = errors.New("run is stopping")

// run is the state of one Run.
type run struct {
	*Orchestrator
	steps   sync.WaitGroup  // running steps, and leases under way
	keepers sync.WaitGroup  // heartbeat and watch
	wake    chan struct{}   // holds a token when something may have changed
	doubts  chan struct{}   // holds a token when leases may have been cancelled
	ctx     context.Context //nolint:containedctx // of all steps: it begins and ends with the run
	cancel  context.CancelCauseFunc

	lanes chan struct{} // holds a token for each lease under way

	mu      sync.Mutex
	running map[int64]*running // by job id
	asked   int                // rows in leases under way
	fault   error              // of the latest lease
	stale   bool               // the table's row counts may be too low
	due     time.Time          // the next delayed row becomes ready; zero: none known
	looking bool               // the loop is reading the store
	arrived []arrival          // rows that became ready while it did
	done    Summary
}

// arrival is rows that became ready at a key.
type arrival struct {
	key  string
	rows int
}

func newRun(o *Orchestrator) *run {
	r := &run{
		Orchestrator: o,
		wake:         make(chan struct{}, 1),
		doubts:       make(chan struct{}, 1),
		lanes:        make(chan struct{}, lanes),
		running:      make(map[int64]*running),
		stale:        true,
	}
	// Steps may outlive the run's context by Grace, so they have their own.
	r.ctx, r.cancel = context.WithCancelCause(context.Background())
	return r
}

func (r *run) poke() { signal(r.wake) }

// signal puts a token into c unless there is one.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (r *run) summary() Summary {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.done
}

// stop gives running steps their grace, then cancels them, and waits for
// everything the run has started.
func (r *run) stop() {
	grace := time.AfterFunc(r.cfg.Grace, func() { r.cancel(errGraceOver) })
	r.steps.Wait()
	grace.Stop()
	r.cancel(errGraceOver)
	r.keepers.Wait()
}

// dispatch is the run's loop: see what is ready, start what may start, wait for
// the next event. Only it leases.
func (r *run) dispatch(ctx context.Context) error {
	r.keepers.Go(r.heartbeat)
	r.keepers.Go(r.takeNotes)
	watching, unwatch := context.WithCancel(ctx)
	defer unwatch()
	r.keepers.Go(func() { r.watch(watching) })

	sweep := time.NewTicker(r.cfg.sweepEvery)
	defer sweep.Stop()
	alarm := time.NewTimer(0)
	defer alarm.Stop()
	clock := watchClock(r.cfg.wall)
	var failing time.Time // since when the store has been failing
	reap := true
	for ctx.Err() == nil {
		over, err := r.turn(reap)
		reap = false
		switch {
		case err != nil:
			if failing.IsZero() {
				failing = time.Now()
			}
			if time.Since(failing) > storePatience {
				return err
			}
			r.cfg.Log.Warn("queue is not answering, trying again", "error", err)
			alarm.Reset(time.Second)
		case over:
			return nil
		default:
			failing = time.Time{}
			r.arm(alarm)
		}
		select {
		case <-ctx.Done():
		case <-r.wake:
			runtime.Gosched() // steps that end now can share a lease
		case <-alarm.C:
		case <-sweep.C:
			if clock.jumped(r.cfg.LeaseTTL / 8) {
				r.cfg.Log.Warn("the clock jumped, or the machine slept: extending the leases of running jobs")
				r.extend()
			}
			reap = true
			r.markStale()
		}
	}
	return nil
}

// turn does what can be done now, and reports whether the run is over.
func (r *run) turn(reap bool) (over bool, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	if reap {
		if _, err := r.store.Reap(ctx, r.cfg.Retry.MaxAttempts); err != nil {
			return false, err
		}
	}
	if err := r.refresh(ctx); err != nil {
		return false, err
	}
	r.fill()
	if err := r.takeFault(); err != nil {
		return false, err
	}
	return r.over(ctx)
}

// takeFault returns what went wrong with the latest lease.
func (r *run) takeFault() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	err := r.fault
	r.fault = nil
	return err
}

func (r *run) markStale() {
	r.mu.Lock()
	r.stale = true
	r.mu.Unlock()
}

// refresh reads the backlog if events alone can't tell what is ready.
func (r *run) refresh(ctx context.Context) error {
	r.mu.Lock()
	now := time.Now()
	stale := r.stale || !r.due.IsZero() && !now.Before(r.due)
	if stale {
		// Cleared before reading: what comes in meanwhile makes it stale again.
		r.stale, r.due = false, time.Time{}
	}
	r.mu.Unlock()
	if !stale {
		return nil
	}
	r.look()
	backlog, until, err := r.store.Backlog(ctx)
	r.looked(func() {
		if err == nil {
			r.table.Refresh(time.Now(), backlog)
		}
	})
	if err != nil {
		r.markStale()
		return err
	}
	if until >= 0 && slices.ContainsFunc(backlog, func(k queue.KeyBacklog) bool { return k.Delayed > 0 && !k.Paused }) {
		// A millisecond more: the store counts in whole ones.
		r.expect(time.Now().Add(until + time.Millisecond))
	}
	return nil
}

// look begins a reading of the store whose result says how many rows are ready.
// Rows that become ready meanwhile may be missing in it, so they are noted and
// added again by looked: the table may count too many rows, never too few.
func (r *run) look() {
	r.mu.Lock()
	r.looking = true
	r.mu.Unlock()
}

func (r *run) looked(apply func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	apply()
	for _, a := range r.arrived {
		r.table.Add(a.key, a.rows)
	}
	r.looking, r.arrived = false, nil
}

// arrive tells the table of rows that are ready now.
func (r *run) arrive(a arrival) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.table.Add(a.key, a.rows)
	if r.looking {
		r.arrived = append(r.arrived, a)
	}
}

// expect notes that a row becomes ready at t.
func (r *run) expect(t time.Time) {
	r.mu.Lock()
	if r.due.IsZero() || t.Before(r.due) {
		r.due = t
	}
	r.mu.Unlock()
}

// over reports whether there is nothing left to do for this run.
func (r *run) over(ctx context.Context) (bool, error) {
	r.mu.Lock()
	busy := len(r.running) > 0 || r.asked > 0
	finished := r.done.Done + r.done.Skipped + r.done.Error
	pending := r.stale || !r.due.IsZero()
	r.mu.Unlock()
	if r.cfg.MaxJobs > 0 && finished >= r.cfg.MaxJobs {
		return true, nil
	}
	if !r.cfg.Drain || busy || pending || r.table.HasReady() {
		return false, nil
	}
	stats, err := r.store.Stats(ctx)
	if err != nil {
		return false, err
	}
	paused := waitingAtPaused(stats)
	drained := stats.Queued == 0 && stats.InProgress == 0
	ended := drained || paused == stats.Queued && stats.InProgress == 0
	if !ended {
		r.markStale()
	}
	r.mu.Lock()
	r.done.Drained, r.done.Paused = drained, paused
	r.mu.Unlock()
	return ended, nil
}

// waitingAtPaused counts the queued jobs that nobody may lease.
func waitingAtPaused(s queue.Stats) (n int) {
	if s.Paused {
		return s.Queued
	}
	for _, k := range s.Keys {
		if k.Paused {
			n += k.Ready + k.Delayed
		}
	}
	return n
}

// arm sets the alarm for the next moment at which time alone lets something start.
func (r *run) arm(alarm *time.Timer) {
	next, ok := r.table.Wake(time.Now())
	ok = ok && r.room() > 0
	r.mu.Lock()
	if !r.due.IsZero() && (!ok || r.due.Before(next)) {
		next, ok = r.due, true
	}
	r.mu.Unlock()
	if ok {
		alarm.Reset(time.Until(next))
		return
	}
	alarm.Stop()
}

// watch wakes the loop when others add jobs or change what may run.
func (r *run) watch(ctx context.Context) {
	err := r.store.Watch(ctx, func(arrived []queue.KeyBacklog) {
		for _, k := range arrived {
			r.arrive(arrival{k.Key, k.Ready})
		}
		if arrived == nil {
			r.markStale()
			signal(r.doubts)
		}
		r.poke()
	})
	if err != nil && ctx.Err() == nil {
		r.cfg.Log.Warn("not woken by other processes; looking every so often", "every", r.cfg.sweepEvery, "error", err)
	}
}

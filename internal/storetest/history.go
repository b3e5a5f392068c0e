package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quire-dev/quire/queue"
)

// What a history is made of: few jobs and keys, so that workers meet.
const (
	historyJobs    = 300
	historyKeys    = 5
	historyWorkers = 16
	historyTTL     = 15 * time.Millisecond // real ones, and short: many leases run out; some last longer
)

// History has many workers do all at once what may be done to jobs, over so many
// stores on one database, and checks the history of each job: see [lawful]. The
// database's clock must be the real one. QUIRE_TEST_HISTORY says how many
// operations there are.
func History(t *testing.T, db Database, stores int) {
	t.Helper()
	most := int64(1500)
	if s := os.Getenv("QUIRE_TEST_HISTORY"); s != "" {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			t.Fatalf("QUIRE_TEST_HISTORY: %v", err)
		}
		most = n
	}
	h := &history{t: t, start: time.Now(), seed: rand.Uint64()}
	for range stores {
		h.stores = append(h.stores, db.open(t))
	}
	h.left.Store(most)
	var all sync.WaitGroup
	for i := range historyWorkers {
		all.Go(func() { h.work(i) })
	}
	all.Wait()
	if st := stats(t, h.stores[0]); int64(st.Total()) != h.added.Load() {
		t.Errorf("%d jobs, %d reported as added", st.Total(), h.added.Load())
	}
	worked := time.Since(h.start)
	kinds := make(map[string]int)
	for id, es := range h.events {
		for _, e := range es {
			kinds[fmt.Sprintf("%s %v", e.what, e.ok)]++
		}
		if err := lawful(es); err != nil {
			t.Errorf("seed %d: %s: %v", h.seed, id, err)
		}
	}
	t.Logf("%d operations in %v, checked in %v: %v", most, worked, time.Since(h.start)-worked, kinds)
}

// history records what happened to each job.
type history struct {
	t      *testing.T
	stores []Store
	start  time.Time
	seed   uint64
	left   atomic.Int64 // operations
	added  atomic.Int64 // jobs

	mu     sync.Mutex
	events map[string][]event // by artifact
	leases []queue.Lease      // the last ones that were given
}

// An event is one operation on one job, and what was answered.
type event struct {
	worker    int
	what      what
	token     int64         // of lease, heartbeat, settle
	ttl       time.Duration // of lease, heartbeat
	state     queue.State   // after settle; of look
	ok        bool          // it was added, held, or changed
	call, ret time.Duration // since the start
}

type what string

const (
	added     what = "enqueue"
	leased    what = "lease"
	beaten    what = "heartbeat"
	settled   what = "settle"
	cancelled what = "cancel"
	requeued  what = "requeue"
	looked    what = "look"
)

func (e event) String() string {
	return fmt.Sprintf("%9.3f to %9.3f ms, worker %2d: %s token %d ttl %v state %q: %v",
		float64(e.call.Microseconds())/1e3, float64(e.ret.Microseconds())/1e3, e.worker, e.what, e.token, e.ttl, e.state, e.ok)
}

// work does one operation after the other, each drawn anew.
func (h *history) work(n int) {
	w := &worker{history: h, n: n, s: h.stores[n%len(h.stores)], r: rand.New(rand.NewPCG(h.seed, uint64(n)))}
	chances := []struct {
		percent int
		do      func() error
	}{
		{10, w.enqueue}, {25, w.lease}, {30, w.settle}, {10, w.heartbeat}, {4, w.cancel}, {8, w.requeue}, {10, w.look}, {3, w.reap},
	}
	for h.left.Add(-1) >= 0 {
		draw := w.r.IntN(100)
		for _, c := range chances {
			if draw -= c.percent; draw < 0 {
				if err := c.do(); err != nil {
					h.t.Error(err)
					return
				}
				break
			}
		}
	}
}

// worker is one of those who work at the same time.
type worker struct {
	*history
	n int
	s Store
	r *rand.Rand
}

func historyID(n int) string  { return fmt.Sprint("job ", n) }
func historyKey(n int) string { return fmt.Sprint("host:", n%historyKeys) }

func (w *worker) id() string { return historyID(w.r.IntN(historyJobs)) }

func (w *worker) now() time.Duration { return time.Since(w.start) }

// note records that e, begun at call, has just ended.
func (w *worker) note(id string, call time.Duration, e event) {
	e.worker, e.call, e.ret = w.n, call, w.now()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.events == nil {
		w.events = make(map[string][]event)
	}
	w.events[id] = append(w.events[id], e)
}

func (w *worker) enqueue() error {
	n := w.r.IntN(historyJobs)
	call := w.now()
	got, err := w.s.Enqueue(w.t.Context(), []queue.NewJob{{ArtifactID: historyID(n), Key: historyKey(n)}})
	w.note(historyID(n), call, event{what: added, ok: got.Added == 1})
	w.added.Add(int64(got.Added))
	return err
}

func (w *worker) lease() error {
	ttl := []time.Duration{historyTTL, 20 * historyTTL, 400 * historyTTL}[w.r.IntN(3)]
	first := w.r.IntN(historyKeys)
	wants := []queue.Want{{Key: historyKey(first), N: 1 + w.r.IntN(3)}, {Key: historyKey(first + 1), N: 1}}
	call := w.now()
	leases, err := w.s.Lease(w.t.Context(), fmt.Sprint("worker ", w.n), wants, ttl)
	for _, l := range leases {
		w.note(l.Job.ArtifactID, call, event{what: leased, token: l.Token, ttl: ttl, ok: true})
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.leases = append(w.leases, leases...)
	w.leases = w.leases[max(0, len(w.leases)-4*historyWorkers):]
	return err
}

// drawLease is one of the last leases of all workers, most of which have ended.
func (w *worker) drawLease() (l queue.Lease, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.leases) == 0 {
		return l, false
	}
	return w.leases[w.r.IntN(len(w.leases))], true
}

func (w *worker) settle() error {
	l, ok := w.drawLease()
	if !ok {
		return nil
	}
	ends := []queue.Settlement{
		{Verb: queue.Finish, State: queue.Done},
		{Verb: queue.Finish, State: queue.Error, Class: "gone"},
		{Verb: queue.Retry, Class: "transient"},
		{Verb: queue.Release},
		{Verb: queue.Advance, Key: historyKey(w.r.IntN(historyKeys))},
	}
	s := ends[w.r.IntN(len(ends))]
	s.Lease = l
	call := w.now()
	errs, err := w.s.Settle(w.t.Context(), s)
	if err != nil {
		return err
	}
	e := event{what: settled, token: l.Token, state: queue.Queued, ok: errs[0] == nil}
	if s.Verb == queue.Finish {
		e.state = s.State
	}
	w.note(l.Job.ArtifactID, call, e)
	if errs[0] != nil && !errors.Is(errs[0], queue.ErrLeaseLost) {
		return errs[0]
	}
	return nil
}

func (w *worker) heartbeat() error {
	l, ok := w.drawLease()
	if !ok {
		return nil
	}
	call := w.now()
	lost, err := w.s.Heartbeat(w.t.Context(), historyTTL, l)
	w.note(l.Job.ArtifactID, call, event{what: beaten, token: l.Token, ttl: historyTTL, ok: len(lost) == 0})
	return err
}

func (w *worker) cancel() error {
	id, call := w.id(), w.now()
	n, err := w.s.Cancel(w.t.Context(), queue.Filter{ArtifactIDs: []string{id}})
	w.note(id, call, event{what: cancelled, ok: n == 1})
	return err
}

func (w *worker) requeue() error {
	id, call := w.id(), w.now()
	n, err := w.s.Requeue(w.t.Context(), queue.Filter{ArtifactIDs: []string{id}})
	w.note(id, call, event{what: requeued, ok: n == 1})
	return err
}

func (w *worker) look() error {
	id, call := w.id(), w.now()
	j, err := w.s.Job(w.t.Context(), id)
	if err != nil && !errors.Is(err, queue.ErrNotFound) {
		return err
	}
	w.note(id, call, event{what: looked, state: j.State, ok: err == nil})
	return nil
}

// reap returns what has run out. It never ends a job, so that the history of a
// lost lease is one.
func (w *worker) reap() error {
	_, err := w.s.Reap(w.t.Context(), 1<<30)
	return err
}

package storetest

import (
	"cmp"
	"flag"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/quire-dev/quire/queue"
)

// Model runs random histories on two stores that share a database, closed and
// opened again now and then, and after each step compares what they say with a
// model. with is called for each history, as by [Run].
//
// How many histories and how long is for the flags -rapid.checks and
// -rapid.steps; a failure prints the -rapid.seed that brings it back.
func Model(t *testing.T, with func(t *testing.T, check Check)) {
	rapid.Check(t, func(rt *rapid.T) {
		var failure any
		with(t, func(t *testing.T, db Database) { // maybe in another goroutine, whose panic nobody would catch
			defer func() { failure = recover() }()
			m := newModel(t, db)
			for m.steps < m.most { // Repeat takes as many only on average
				rt.Repeat(m.actions())
			}
		})
		if failure != nil {
			panic(failure)
		}
	})
}

// steps is the value of -rapid.steps.
func steps() int {
	f := flag.Lookup("rapid.steps")
	n, err := strconv.Atoi(f.Value.String())
	if err != nil {
		return 1
	}
	return n
}

// model is what a database should hold, kept in the plainest way. Its clock
// counts hours: no history takes one in real time, so that none is in doubt.
type model struct {
	t      *testing.T
	db     Database
	stores [2]Store
	steps  int
	most   int // steps

	now    int
	jobs   map[string]*modelJob
	leases []queue.Lease // all ever given
	shares map[share]int64
	served map[string]int64 // by key
	paused map[string]bool  // keys, and "" for the queue
	notes  map[string]modelNote
	ended  []*modelJob // in the order of their final outcomes; a job that ends again moves to the end
	lastID int64
	maxSeq int64 // the greatest FinishSeq seen
}

// share is what a run has had of a key: the last rank.
type share struct{ key, run string }

// modelJob is a job but for its times, which are hours.
type modelJob struct {
	queue.Job
	first    string // the key it was enqueued with
	token    int64
	ready    int // of a queued one
	expires  int // of a leased one
	started  int // of the last lease
	changed  int
	attempts []modelAttempt
}

type modelAttempt struct {
	queue.Attempt
	took int
}

func newModel(t *testing.T, db Database) *model {
	return &model{
		t: t, db: db, stores: [2]Store{db.open(t), db.open(t)}, most: steps(),
		jobs: make(map[string]*modelJob), shares: make(map[share]int64),
		served: make(map[string]int64), paused: make(map[string]bool), notes: make(map[string]modelNote),
	}
}

func (m *model) actions() map[string]func(*rapid.T) {
	actions := map[string]func(*rapid.T){
		"enqueue": m.enqueue, "enqueue more": m.enqueue, "lease": m.lease, "lease more": m.lease,
		"settle": m.settle, "settle more": m.settle, "heartbeat": m.heartbeat, "reap": m.reap,
		"requeue": m.requeue, "cancel": m.cancel, "prune": m.prune, "pause": m.pause, "resume": m.resume,
		"note": m.note, "wait": m.wait, "reopen": m.reopen, "": m.compare,
	}
	for name, action := range actions {
		actions[name] = func(t *rapid.T) {
			if m.steps < m.most {
				action(t)
			}
		}
	}
	return actions
}

// fail ends the history with a text that is always the same for the same fault,
// which is what makes it possible to shorten it.
func (m *model) fail(t *rapid.T, fault string, details ...any) {
	t.Helper()
	t.Log(details...)
	t.Fatal(fault)
}

// any is one of the two stores.
func (m *model) any(t *rapid.T) Store {
	return m.stores[rapid.IntRange(0, 1).Draw(t, "store")]
}

// inOrder are the jobs that match, in the order of their ids.
func (m *model) inOrder(match func(*modelJob) bool) []*modelJob {
	jobs := slices.SortedFunc(maps.Values(m.jobs), func(a, b *modelJob) int { return cmp.Compare(a.ID, b.ID) })
	return slices.DeleteFunc(jobs, func(j *modelJob) bool { return !match(j) })
}

// readyAt are the ready jobs of a key, in the order in which they are leased.
func (m *model) readyAt(key string) []*modelJob {
	jobs := m.inOrder(func(j *modelJob) bool { return j.State == queue.Queued && j.Key == key && j.ready <= m.now })
	slices.SortStableFunc(jobs, func(a, b *modelJob) int {
		return cmp.Or(-cmp.Compare(a.Priority, b.Priority), cmp.Compare(a.Rank, b.Rank))
	})
	return jobs
}

// arrive gives j, which is not ready anywhere, its rank at a key.
func (m *model) arrive(j *modelJob, key string) {
	served := m.served[key]
	for _, first := range m.readyAt(key) {
		if first.Priority == j.Priority {
			if served = first.Rank; m.served[key] < first.Rank {
				served--
			}
			break
		}
	}
	own := int64(0)
	if last, ok := m.shares[share{key, j.Run}]; ok {
		own = last + 1
	}
	j.Key, j.Rank = key, max(own, served)
	m.shares[share{key, j.Run}] = j.Rank
}

// wait lets time pass.
func (m *model) wait(t *rapid.T) {
	hours := rapid.IntRange(1, 2).Draw(t, "hours")
	m.db.Advance(time.Duration(hours) * time.Hour)
	m.now += hours
}

// reopen closes a store as it is, and opens another in its place.
func (m *model) reopen(t *rapid.T) {
	i := rapid.IntRange(0, 1).Draw(t, "store")
	if err := m.stores[i].Close(); err != nil {
		m.fail(t, "Close failed", err)
	}
	m.stores[i] = m.db.open(m.t)
}

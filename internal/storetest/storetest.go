// Package storetest holds the promises that every store keeps, as tests. It
// knows the contracts only: a store package's test calls [Run], [Model] and
// [History] with a function that makes a database and its clock.
package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// Store is all that a store package keeps.
type Store interface {
	queue.Store
	queue.Inspector
	queue.Controller
	queue.KeyNotes
	queue.Examiner
	paper.Catalog

	LockRunner(ctx context.Context) (held context.Context, release func(), err error)
	Close() error // closing again does nothing
}

// Database is where stores keep jobs, empty at first.
type Database struct {
	// Open opens one more store on the database. Whoever calls it closes it.
	Open func(ctx context.Context) (Store, error)
	// Advance moves the clock of all stores, by a sleep or by ageing what is
	// stored. Apart from it time passes too slowly to matter, or not at all.
	Advance func(time.Duration)
}

// Check tests one promise on an empty database.
type Check func(t *testing.T, db Database)

// open opens a store until the test ends.
func (db Database) open(t *testing.T) Store {
	t.Helper()
	s, err := db.Open(t.Context())
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { closeStore(t, s) })
	return s
}

func closeStore(t *testing.T, s Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// one is a check of one store.
func one(check func(t *testing.T, s Store, advance func(time.Duration))) Check {
	return func(t *testing.T, db Database) { check(t, db.open(t), db.Advance) }
}

// two is a check of two stores on one database.
func two(check func(t *testing.T, a, b Store, advance func(time.Duration))) Check {
	return func(t *testing.T, db Database) { check(t, db.open(t), db.open(t), db.Advance) }
}

// Run tests each promise in a subtest. with is called in it: it must make a
// database and call check with that.
func Run(t *testing.T, with func(t *testing.T, check Check)) {
	for _, checks := range []map[string]Check{storeChecks(), controllerChecks(), inspectorChecks()} {
		for name, check := range checks {
			t.Run(name, func(t *testing.T) { with(t, check) })
		}
	}
}

func storeChecks() map[string]Check {
	return map[string]Check{
		"enqueue/idempotent":        one(enqueueIdempotent),
		"enqueue/concurrent":        one(enqueueConcurrent),
		"enqueue/all or none":       one(enqueueAllOrNone),
		"enqueue/limits":            one(enqueueLimits),
		"enqueue/odd ids":           one(enqueueOddIDs),
		"enqueue/keeps all fields":  one(enqueueKeeps),
		"enqueue/many":              one(enqueueMany),
		"lease/order":               one(leaseOrder),
		"lease/wants":               one(leaseWants),
		"lease/owner":               one(leaseOwner),
		"lease/never twice":         one(leaseNeverTwice),
		"lease/across stores":       two(leaseAcross),
		"lease/delay":               one(leaseDelay),
		"lease/token grows":         one(leaseTokenGrows),
		"lease/heartbeat":           one(leaseHeartbeat),
		"rank/small behind bulk":    one(rankSmall),
		"rank/as documented":        one(rankDocumented),
		"rank/delayed":              one(rankDelayed),
		"rank/kept":                 one(rankKept),
		"rank/anew":                 one(rankAnew),
		"rank/new runs":             one(rankNew),
		"settle/finish":             one(settleFinish),
		"settle/verbs":              one(settleVerbs),
		"settle/stale token":        one(settleStale),
		"settle/stale record":       one(settleStaleRecord),
		"settle/neighbours":         one(settleNeighbours),
		"settle/invalid":            one(settleInvalid),
		"settle/class of a failure": one(settleClass),
		"settle/odd text":           one(settleOddText),
		"settle/finish sequence":    one(settleSequence),
		"reap/returns":              one(reapReturns),
		"reap/ends":                 one(reapEnds),
		"backlog/keys":              one(backlogKeys),
		"backlog/until":             one(backlogUntil),
		"watch/own":                 one(watchOwn),
		"watch/other store":         two(watchOther),
		"watch/control":             two(watchControl),
		"reopen/keeps":              reopenKeeps,
	}
}

func controllerChecks() map[string]Check {
	return map[string]Check{
		"control/filters":        controlFilters,
		"control/invalid filter": one(controlInvalid),
		"control/many":           one(controlMany),
		"requeue/filter":         one(requeueFilter),
		"requeue/fresh":          one(requeueFresh),
		"cancel/queued":          one(cancelQueued),
		"cancel/leased":          one(cancelLeased),
		"cancel/terminal":        one(cancelTerminal),
		"prune/forgets":          one(pruneForgets),
		"prune/open jobs stay":   one(pruneOpen),
		"pause/key":              one(pauseKey),
		"pause/queue":            one(pauseQueue),
		"pause/independent":      one(pauseIndependent),
		"pause/unknown key":      one(pauseUnknown),
		"pause/leased go on":     one(pauseLeased),
		"pause/survives":         pauseSurvives,
	}
}

func inspectorChecks() map[string]Check {
	return map[string]Check{
		"inspect/not found":       one(inspectNotFound),
		"inspect/pages":           one(inspectPages),
		"inspect/filters":         one(inspectFilters),
		"inspect/runs":            one(inspectRuns),
		"attempts/kinds":          one(attemptsKinds),
		"attempts/fields":         one(attemptsFields),
		"attempts/last ones":      one(attemptsLast),
		"attempts/far apart":      one(attemptsApart),
		"attempts/kept":           one(attemptsKept),
		"stats/sums":              one(statsSums),
		"stats/oldest ready":      one(statsOldest),
		"stats/head of a key":     one(headThrough),
		"stats/head by order":     one(headOrder),
		"notes/keep":              notesKeep,
		"notes/age":               one(notesAge),
		"notes/invalid":           one(notesInvalid),
		"notes/odd":               one(notesOdd),
		"notes/together":          two(notesTogether),
		"notes/wake nobody":       one(notesQuiet),
		"examine/whole":           one(examineWhole),
		"examine/runner":          two(examineRunner),
		"examine/no time":         one(examineEnded),
		"catalog/put and get":     one(catalogPut),
		"catalog/pages":           one(catalogPages),
		"catalog/of a settlement": one(catalogSettled),
	}
}

// Package storetest holds the promises that every store keeps, as tests. It
// knows the contracts only: a store package's test calls [Run] and [RunPair]
// with a function that makes a store and its clock.
package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
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
	paper.Catalog
}

// Check tests one promise on an empty store whose clock moves only by advance.
type Check func(t *testing.T, s Store, advance func(time.Duration))

// PairCheck tests a promise of two stores that share an empty database.
type PairCheck func(t *testing.T, a, b Store, advance func(time.Duration))

// Run tests each promise in a subtest. with is called in it and must call check.
func Run(t *testing.T, with func(t *testing.T, check Check)) {
	checks := map[string]Check{
		"enqueue/idempotent":        enqueueIdempotent,
		"enqueue/concurrent":        enqueueConcurrent,
		"enqueue/all or none":       enqueueAllOrNone,
		"enqueue/limits":            enqueueLimits,
		"enqueue/odd ids":           enqueueOddIDs,
		"enqueue/keeps all fields":  enqueueKeeps,
		"enqueue/many":              enqueueMany,
		"lease/order":               leaseOrder,
		"lease/wants":               leaseWants,
		"lease/never twice":         leaseNeverTwice,
		"lease/delay":               leaseDelay,
		"lease/token grows":         leaseTokenGrows,
		"lease/heartbeat":           leaseHeartbeat,
		"settle/finish":             settleFinish,
		"settle/verbs":              settleVerbs,
		"settle/stale token":        settleStale,
		"settle/stale record":       settleStaleRecord,
		"settle/neighbours":         settleNeighbours,
		"settle/invalid":            settleInvalid,
		"settle/class of a failure": settleClass,
		"settle/finish sequence":    settleSequence,
		"reap/returns":              reapReturns,
		"reap/ends":                 reapEnds,
		"requeue/filter":            requeueFilter,
		"requeue/fresh":             requeueFresh,
		"inspect/not found":         inspectNotFound,
		"inspect/pages":             inspectPages,
		"inspect/filters":           inspectFilters,
		"stats/sums":                statsSums,
		"stats/oldest ready":        statsOldest,
		"backlog/keys":              backlogKeys,
		"backlog/until":             backlogUntil,
		"watch/own":                 watchOwn,
		"catalog/put and get":       catalogPut,
		"catalog/pages":             catalogPages,
		"catalog/of a settlement":   catalogSettled,
	}
	for name, check := range checks {
		t.Run(name, func(t *testing.T) { with(t, check) })
	}
}

// RunPair tests what two stores on one database promise each other.
func RunPair(t *testing.T, with func(t *testing.T, check PairCheck)) {
	checks := map[string]PairCheck{
		"watch/other store":   watchOther,
		"lease/across stores": leaseAcross,
	}
	for name, check := range checks {
		t.Run(name, func(t *testing.T) { with(t, check) })
	}
}

const (
	key  = "host:a.example"
	key2 = "host:b.example"
	ttl  = time.Minute
)

// job is a job at key whose artifact is named by n.
func job(n int) queue.NewJob {
	return queue.NewJob{ArtifactID: fmt.Sprintf("doi:10.1000/%04d", n), Key: key}
}

// jobs are n jobs at key, in order.
func jobs(n int) []queue.NewJob {
	js := make([]queue.NewJob, n)
	for i := range js {
		js[i] = job(i)
	}
	return js
}

func enqueue(t *testing.T, s Store, jobs ...queue.NewJob) {
	t.Helper()
	got, err := s.Enqueue(t.Context(), jobs)
	if err != nil || got.Added != len(jobs) {
		t.Fatalf("Enqueue of %d new jobs: got %+v, %v", len(jobs), got, err)
	}
}

func lease(t *testing.T, s Store, key string, n int) []queue.Lease {
	t.Helper()
	leases, err := s.Lease(t.Context(), "me", []queue.Want{{Key: key, N: n}}, ttl)
	if err != nil {
		t.Fatalf("Lease: %v", err)
	}
	return leases
}

func leaseOne(t *testing.T, s Store, key string) queue.Lease {
	t.Helper()
	leases := lease(t, s, key, 1)
	if len(leases) != 1 {
		t.Fatalf("Lease of one job at %s: got %d", key, len(leases))
	}
	return leases[0]
}

// settle settles, and fails the test unless each settlement counts.
func settle(t *testing.T, s Store, settlements ...queue.Settlement) {
	t.Helper()
	errs, err := s.Settle(t.Context(), settlements...)
	if err := errors.Join(append(errs, err)...); err != nil || len(errs) != len(settlements) {
		t.Fatalf("Settle of %d: got %d answers, %v", len(settlements), len(errs), err)
	}
}

func finish(t *testing.T, s Store, l queue.Lease, state queue.State, reason string) {
	t.Helper()
	settle(t, s, queue.Settlement{Lease: l, Verb: queue.Finish, State: state, Reason: reason})
}

func find(t *testing.T, s Store, artifactID string) queue.Job {
	t.Helper()
	j, err := s.Job(t.Context(), artifactID)
	if err != nil {
		t.Fatalf("Job: %v", err)
	}
	return j
}

func list(t *testing.T, s Store, f queue.Filter) []queue.Job {
	t.Helper()
	jobs, err := s.Jobs(t.Context(), f)
	if err != nil {
		t.Fatalf("Jobs(%+v): %v", f, err)
	}
	return jobs
}

// names are the artifacts of jobs, in order.
func names(jobs []queue.Job) []string {
	var ids []string
	for _, j := range jobs {
		ids = append(ids, j.ArtifactID)
	}
	return ids
}

func stats(t *testing.T, s Store) queue.Stats {
	t.Helper()
	st, err := s.Stats(t.Context())
	if err != nil {
		t.Fatalf("Stats: %v", err)
	}
	return st
}

func raw(s string) json.RawMessage { return json.RawMessage(s) }

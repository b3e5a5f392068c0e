package storetest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	diff "github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/queue"
)

func leaseOrder(t *testing.T, s Store, _ func(time.Duration)) {
	for n, priority := range []int{0, 5, -1, 5, 0} {
		j := job(n)
		j.Priority = priority
		enqueue(t, s, j)
	}
	var got []string
	for range 5 {
		l := leaseOne(t, s, key)
		got = append(got, l.Job.ArtifactID)
	}
	var want []string
	for _, n := range []int{1, 3, 0, 4, 2} {
		want = append(want, job(n).ArtifactID)
	}
	if d := diff.Diff(want, got); d != "" {
		t.Errorf("order by priority, then age, want (-), got (+):\n%s", d)
	}
}

func leaseOwner(t *testing.T, s Store, _ func(time.Duration)) {
	enqueue(t, s, job(1))
	wants := []queue.Want{{Key: key, N: 1}}
	for _, owner := range []string{strings.Repeat("o", queue.MaxKey+1), "a\x00b", "\xff"} {
		if got, err := s.Lease(t.Context(), owner, wants, ttl); !errors.Is(err, queue.ErrInvalid) || len(got) > 0 {
			t.Errorf("Lease for owner %.10q: got %v, %v; want ErrInvalid", owner, got, err)
		}
	}
	longest := strings.Repeat("o", queue.MaxKey)
	if got, err := s.Lease(t.Context(), longest, wants, ttl); err != nil || len(got) != 1 || got[0].Job.Owner != longest {
		t.Errorf("Lease for the longest owner: got %d, %v", len(got), err)
	}
}

func leaseWants(t *testing.T, s Store, _ func(time.Duration)) {
	enqueue(t, s, jobs(5)...)
	enqueue(t, s, queue.NewJob{ArtifactID: "b1", Key: key2}, queue.NewJob{ArtifactID: "c1", Key: "host:c"})
	got, err := s.Lease(t.Context(), "me", []queue.Want{
		{Key: key, N: 3}, {Key: key2, N: 3}, {Key: "host:none", N: 3}, {Key: "host:c", N: 0}, {Key: "host:c", N: -1},
	}, ttl)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, l := range got {
		ids = append(ids, l.Job.ArtifactID)
		if j := l.Job; j.State != queue.InProgress || j.Owner != "me" || j.Attempts != 1 || l.Token == 0 || j.LeaseExpiresAt.IsZero() {
			t.Errorf("lease: %+v", l)
		}
	}
	slices.Sort(ids)
	want := []string{"b1", job(0).ArtifactID, job(1).ArtifactID, job(2).ArtifactID}
	if d := diff.Diff(want, ids); d != "" {
		t.Errorf("want (-), got (+):\n%s", d)
	}
	if got, err := s.Lease(t.Context(), "me", nil, ttl); err != nil || len(got) != 0 {
		t.Errorf("Lease of nothing: got %v, %v", got, err)
	}
}

func leaseNeverTwice(t *testing.T, s Store, _ func(time.Duration)) {
	const owners, n = 8, 400
	enqueue(t, s, jobs(n)...)
	var mu sync.Mutex
	holders := make(map[string][]string)
	var all sync.WaitGroup
	for o := range owners {
		owner := fmt.Sprintf("owner %d", o)
		all.Go(func() {
			for {
				leases, err := s.Lease(t.Context(), owner, []queue.Want{{Key: key, N: 7}}, ttl)
				if err != nil {
					t.Errorf("Lease: %v", err)
				}
				if len(leases) == 0 {
					return
				}
				mu.Lock()
				for _, l := range leases {
					holders[l.Job.ArtifactID] = append(holders[l.Job.ArtifactID], l.Job.Owner)
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if len(holders) != n {
		t.Errorf("leased %d jobs, want %d", len(holders), n)
	}
	for id, owners := range holders {
		if len(owners) != 1 {
			t.Errorf("%s was leased to %v", id, owners)
		}
	}
}

func leaseAcross(t *testing.T, a, b Store, _ func(time.Duration)) {
	enqueue(t, a, jobs(100)...)
	var mu sync.Mutex
	times := make(map[string]int)
	var all sync.WaitGroup
	for _, s := range []Store{a, b} {
		all.Go(func() {
			for {
				leases, err := s.Lease(t.Context(), "me", []queue.Want{{Key: key, N: 3}}, ttl)
				if err != nil {
					t.Errorf("Lease: %v", err)
				}
				if len(leases) == 0 {
					return
				}
				mu.Lock()
				for _, l := range leases {
					times[l.Job.ArtifactID]++
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	for id, n := range times {
		if n != 1 {
			t.Errorf("%s was leased %d times", id, n)
		}
	}
	if len(times) != 100 {
		t.Errorf("leased %d jobs of 100", len(times))
	}
}

func leaseDelay(t *testing.T, s Store, advance func(time.Duration)) {
	later := job(1)
	later.Delay, later.Priority = time.Minute, 9
	enqueue(t, s, later, job(2))
	if l := leaseOne(t, s, key); l.Job.ArtifactID != job(2).ArtifactID {
		t.Errorf("leased the delayed job")
	}
	if got := lease(t, s, key, 2); len(got) != 0 {
		t.Errorf("leased %v before its time", got)
	}
	advance(time.Minute - time.Second)
	if got := lease(t, s, key, 2); len(got) != 0 {
		t.Errorf("leased %v a second before its time", got)
	}
	advance(time.Second)
	if l := leaseOne(t, s, key); l.Job.ArtifactID != later.ArtifactID {
		t.Errorf("leased %v", l)
	}
}

func leaseTokenGrows(t *testing.T, s Store, _ func(time.Duration)) {
	enqueue(t, s, job(1))
	var tokens []int64
	for range 4 {
		l := leaseOne(t, s, key)
		tokens = append(tokens, l.Token)
		settle(t, s, queue.Settlement{Lease: l, Verb: queue.Release})
	}
	finish(t, s, leaseOne(t, s, key), queue.Error, "gone")
	if n, err := s.Requeue(t.Context(), queue.Filter{}); n != 1 || err != nil {
		t.Fatalf("Requeue: %d, %v", n, err)
	}
	tokens = append(tokens, leaseOne(t, s, key).Token)
	if !slices.IsSortedFunc(tokens, func(a, b int64) int { return cmp.Compare(a, b-1) }) {
		t.Errorf("tokens do not grow: %v", tokens)
	}
}

func leaseHeartbeat(t *testing.T, s Store, advance func(time.Duration)) {
	enqueue(t, s, jobs(3)...)
	leases := lease(t, s, key, 3)
	finish(t, s, leases[1], queue.Done, "stored")
	advance(ttl / 2)
	lost, err := s.Heartbeat(t.Context(), ttl, leases[:2]...)
	if err != nil || len(lost) != 1 || lost[0].Job.ID != leases[1].Job.ID {
		t.Errorf("Heartbeat of a live and a finished job: lost %v, %v", lost, err)
	}
	advance(ttl / 2)
	if got, err := s.Reap(t.Context(), 3); err != nil || got != (queue.Reaped{Returned: 1}) {
		t.Errorf("Reap after one TTL: got %+v, %v; want the one without heartbeat", got, err)
	}
	if j := find(t, s, leases[0].Job.ArtifactID); j.State != queue.InProgress {
		t.Errorf("the job with heartbeat is %s", j.State)
	}
	stale := leases[2]
	leaseOne(t, s, key)
	lost, err = s.Heartbeat(t.Context(), ttl, stale)
	if err != nil || len(lost) != 1 {
		t.Errorf("Heartbeat with a stale token: lost %v, %v", lost, err)
	}
	if lost, err := s.Heartbeat(t.Context(), ttl); err != nil || len(lost) != 0 {
		t.Errorf("Heartbeat of nothing: lost %v, %v", lost, err)
	}
}

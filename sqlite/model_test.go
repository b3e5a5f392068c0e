package sqlite_test

import (
	"cmp"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	diff "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/quire-dev/quire/queue"
	"github.com/quire-dev/quire/sqlite"
)

const (
	modelTTL      = time.Minute
	modelAttempts = 2
)

// model is what a Store should hold, kept in the plainest way.
type model struct {
	store  *sqlite.Store
	db     *sql.DB
	jobs   map[string]*modelJob
	leases []queue.Lease // all ever given
	lastID int64
}

type modelJob struct {
	id         int64
	first, key string
	state      queue.State
	attempts   int
	token      int64
	reason     string
	ready      time.Time // of a queued one
	expires    time.Time // of a leased one
}

var (
	genID    = rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "g", "h"})
	genKey   = rapid.SampledFrom([]string{"resolver:x", "host:y", "host:z"})
	genDelay = rapid.SampledFrom([]time.Duration{0, 0, time.Second, 90 * time.Second})
	genState = rapid.SampledFrom([]queue.State{queue.Done, queue.Skipped, queue.Error})
	genVerb  = rapid.SampledFrom([]queue.Verb{queue.Finish, queue.Retry, queue.Advance, queue.Release})
)

// TestModel compares random histories with the model, and after each step the
// counts with the rows.
func TestModel(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "quire.db")
	synctest.Test(t, func(t *testing.T) {
		s, db := open(t, path), outside(t, path)
		rapid.Check(struct{ testing.TB }{t}, func(t *rapid.T) { // without T.Deadline, which a bubble forbids
			m := &model{store: s, db: db, jobs: make(map[string]*modelJob)}
			if _, err := db.Exec("DELETE FROM jobs"); err != nil {
				t.Fatal(err)
			}
			t.Repeat(map[string]func(*rapid.T){
				"enqueue": m.enqueue, "lease": m.lease, "settle": m.settle, "heartbeat": m.heartbeat,
				"reap": m.reap, "requeue": m.requeue, "wait": m.wait, "": m.compare,
			})
		})
	})
}

func (m *model) enqueue(t *rapid.T) {
	id, key, delay := genID.Draw(t, "id"), genKey.Draw(t, "key"), genDelay.Draw(t, "delay")
	got, err := m.store.Enqueue(t.Context(), []queue.NewJob{{ArtifactID: id, Key: key, Delay: delay}})
	want := queue.Enqueued{Known: 1}
	if m.jobs[id] == nil {
		m.lastID++
		m.jobs[id] = &modelJob{id: m.lastID, first: key, key: key, state: queue.Queued, ready: time.Now().Add(delay)}
		want = queue.Enqueued{Added: 1}
	}
	if err != nil || got != want {
		t.Fatalf("Enqueue: got %+v, %v; want %+v", got, err, want)
	}
}

// inOrder are the jobs that match, oldest first.
func (m *model) inOrder(match func(*modelJob) bool) []*modelJob {
	jobs := slices.SortedFunc(maps.Values(m.jobs), func(a, b *modelJob) int { return cmp.Compare(a.id, b.id) })
	return slices.DeleteFunc(jobs, func(j *modelJob) bool { return !match(j) })
}

func (m *model) lease(t *rapid.T) {
	key, n := genKey.Draw(t, "key"), rapid.IntRange(1, 3).Draw(t, "n")
	leases, err := m.store.Lease(t.Context(), "me", []queue.Want{{Key: key, N: n}}, modelTTL)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(leases, func(a, b queue.Lease) int { return cmp.Compare(a.Job.ID, b.Job.ID) })
	m.leases = append(m.leases, leases...)
	now := time.Now()
	want := m.inOrder(func(j *modelJob) bool { return j.state == queue.Queued && j.key == key && !j.ready.After(now) })
	want = want[:min(n, len(want))]
	if len(leases) != len(want) {
		t.Fatalf("Lease: got %d, want %d", len(leases), len(want))
	}
	for i, j := range want {
		j.state, j.attempts, j.token, j.expires = queue.InProgress, j.attempts+1, j.token+1, now.Add(modelTTL)
		if m.jobs[leases[i].Job.ArtifactID] != j || leases[i].Token != j.token || leases[i].Job.Attempts != j.attempts {
			t.Fatalf("Lease: got %+v, want %+v", leases[i], j)
		}
	}
}

// held is the job of a lease, or nil if the lease has ended.
func (m *model) held(l queue.Lease) *modelJob {
	j := m.jobs[l.Job.ArtifactID]
	if j.state != queue.InProgress || j.token != l.Token {
		return nil
	}
	return j
}

func (m *model) drawLease(t *rapid.T) queue.Lease {
	if len(m.leases) == 0 {
		t.Skip("no leases yet")
	}
	return rapid.SampledFrom(m.leases).Draw(t, "lease")
}

func (m *model) settle(t *rapid.T) {
	s := queue.Settlement{Lease: m.drawLease(t), Verb: genVerb.Draw(t, "verb"), State: genState.Draw(t, "state"), Reason: genID.Draw(t, "reason")}
	if s.Verb == queue.Advance {
		s.Key = genKey.Draw(t, "key")
	}
	if s.Verb != queue.Finish {
		s.Delay = genDelay.Draw(t, "delay")
	}
	errs, err := m.store.Settle(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	j := m.held(s.Lease)
	if (j == nil) != errors.Is(errs[0], queue.ErrLeaseLost) {
		t.Fatalf("Settle: got %v, lease held by %+v", errs[0], j)
	}
	if j == nil {
		return
	}
	j.reason = s.Reason
	if s.Verb == queue.Finish {
		j.state = s.State
		return
	}
	j.state, j.key, j.ready = queue.Queued, cmp.Or(s.Key, j.key), time.Now().Add(s.Delay)
	if s.Verb != queue.Retry {
		j.attempts--
	}
}

func (m *model) heartbeat(t *rapid.T) {
	l := m.drawLease(t)
	lost, err := m.store.Heartbeat(t.Context(), modelTTL, l)
	j := m.held(l)
	if err != nil || (len(lost) == 1) != (j == nil) {
		t.Fatalf("Heartbeat: lost %v, %v; held by %+v", lost, err, j)
	}
	if j != nil {
		j.expires = time.Now().Add(modelTTL)
	}
}

func (m *model) reap(t *rapid.T) {
	var want queue.Reaped
	now := time.Now()
	for _, j := range m.inOrder(func(j *modelJob) bool { return j.state == queue.InProgress && !j.expires.After(now) }) {
		if j.attempts >= modelAttempts {
			j.state, j.reason = queue.Error, queue.ClassCrashed
			want.Ended++
		} else {
			j.state, j.ready = queue.Queued, now
			want.Returned++
		}
	}
	if got, err := m.store.Reap(t.Context(), modelAttempts); err != nil || got != want {
		t.Fatalf("Reap: got %+v, %v; want %+v", got, err, want)
	}
}

func (m *model) requeue(t *rapid.T) {
	state, most := genState.Draw(t, "state"), rapid.IntRange(0, 2).Draw(t, "limit")
	jobs := m.inOrder(func(j *modelJob) bool { return j.state == state })
	if most > 0 {
		jobs = jobs[:min(most, len(jobs))]
	}
	for _, j := range jobs {
		j.state, j.key, j.attempts, j.reason, j.ready = queue.Queued, j.first, 0, "", time.Now()
	}
	got, err := m.store.Requeue(t.Context(), queue.Filter{States: []queue.State{state}, Limit: most})
	if err != nil || got != len(jobs) {
		t.Fatalf("Requeue: got %d, %v; want %d", got, err, len(jobs))
	}
}

func (m *model) wait(t *rapid.T) {
	time.Sleep(rapid.SampledFrom([]time.Duration{time.Second, 30 * time.Second, modelTTL}).Draw(t, "for"))
}

func (m *model) compare(t *rapid.T) {
	checkCounts(t, m.db)
	got, err := m.store.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got.OldestReady = 0
	if d := diff.Diff(m.stats(), got); d != "" {
		t.Fatalf("Stats, want (-), got (+):\n%s", d)
	}
	jobs, err := m.store.Jobs(t.Context(), queue.Filter{})
	if err != nil || len(jobs) != len(m.jobs) {
		t.Fatalf("Jobs: got %d, %v; want %d", len(jobs), err, len(m.jobs))
	}
	for _, got := range jobs {
		j := m.jobs[got.ArtifactID]
		want := fmt.Sprint(j.id, j.key, j.state, j.attempts, j.reason)
		if is := fmt.Sprint(got.ID, got.Key, got.State, got.Attempts, got.Reason); is != want {
			t.Fatalf("job %s: got %s, want %s", got.ArtifactID, is, want)
		}
	}
}

func (m *model) stats() queue.Stats {
	st := queue.Stats{Reasons: make(map[string]int)}
	keys := make(map[string]*queue.KeyStats)
	for _, j := range m.jobs {
		if j.state.Terminal() {
			st.Reasons[j.reason]++
		} else if keys[j.key] == nil {
			keys[j.key] = &queue.KeyStats{Key: j.key}
		}
		switch k := keys[j.key]; j.state {
		case queue.Queued:
			st.Queued++
			if j.ready.After(time.Now()) {
				k.Delayed++
				st.Delayed++
			} else {
				k.Ready++
				st.Ready++
			}
		case queue.InProgress:
			st.InProgress++
			k.InFlight++
		case queue.Done:
			st.Done++
		case queue.Skipped:
			st.Skipped++
		case queue.Error:
			st.Error++
		}
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		st.Keys = append(st.Keys, *keys[key])
	}
	return st
}

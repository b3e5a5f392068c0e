package storetest

import (
	"cmp"
	"errors"
	"maps"
	"reflect"
	"slices"
	"time"

	diff "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/quire-dev/quire/queue"
)

// compare looks at what the stores say, by turns at one and the other. It leaves
// Backlog out now and then, for the sake of stores that tidy up when they are asked.
func (m *model) compare(t *rapid.T) {
	m.steps++
	s := m.stores[m.steps%2]
	m.compareJobs(t, s)
	m.compareStats(t, s)
	m.compareNotes(t, s)
	if m.steps%5 == 0 {
		m.compareBacklog(t, s)
	}
	ids := modelIDs()
	m.compareAttempts(t, s, ids[m.steps/2%len(ids)])
}

// about reports whether d is so many hours, give or take how long a history takes.
func about(d time.Duration, hours int) bool {
	return (d - time.Duration(hours)*time.Hour).Abs() < 20*time.Minute
}

// same reports whether a and b are equal. Most are, and then it is quick.
func same[T any](a, b T, opts ...diff.Option) bool {
	return reflect.DeepEqual(a, b) || diff.Equal(a, b, opts...)
}

// sameJob compares one job, its times too.
func (m *model) sameJob(t *rapid.T, j *modelJob, got queue.Job) {
	want := j.Job
	want.FinishSeq = got.FinishSeq // see compareEnded
	if j.Reason == queue.ReasonCancelled {
		want.LastError = got.LastError // of the failure before, or none
	}
	want.AvailableAt, want.LeaseExpiresAt, want.CreatedAt, want.UpdatedAt = got.AvailableAt, got.LeaseExpiresAt, got.CreatedAt, got.UpdatedAt
	if !same(want, got) {
		m.fail(t, "a job differs", diff.Diff(want, got))
	}
	var times []time.Time // that must be set, or must not
	switch j.State {
	case queue.Queued:
		if !about(time.Until(got.AvailableAt), j.ready-m.now) {
			m.fail(t, "a job is available at another time", got.AvailableAt, j.ready-m.now)
		}
		times = []time.Time{got.LeaseExpiresAt}
	case queue.InProgress:
		if !about(time.Until(got.LeaseExpiresAt), j.expires-m.now) {
			m.fail(t, "a lease ends at another time", got.LeaseExpiresAt, j.expires-m.now)
		}
		times = []time.Time{got.AvailableAt}
	default:
		times = []time.Time{got.AvailableAt, got.LeaseExpiresAt}
	}
	for _, at := range times {
		if !at.IsZero() {
			m.fail(t, "a time is set that has no meaning", got)
		}
	}
	if !about(time.Since(got.UpdatedAt), m.now-j.changed) {
		m.fail(t, "a job changed at another time", got.UpdatedAt, m.now-j.changed)
	}
}

func (m *model) compareJobs(t *rapid.T, s Store) {
	got, err := s.Jobs(m.t.Context(), queue.Filter{})
	want := m.inOrder(func(*modelJob) bool { return true })
	if err != nil || len(got) != len(want) {
		m.fail(t, "Jobs are more or fewer", len(got), err, len(want))
	}
	for i, j := range want {
		m.sameJob(t, j, got[i])
	}
	m.compareEnded(t, got)
}

// compareEnded looks at the order of final outcomes, and that numbers only grow.
func (m *model) compareEnded(t *rapid.T, got []queue.Job) {
	got = slices.DeleteFunc(got, func(j queue.Job) bool { return j.FinishSeq == 0 })
	slices.SortFunc(got, func(a, b queue.Job) int { return cmp.Compare(a.FinishSeq, b.FinishSeq) })
	if len(got) != len(m.ended) {
		m.fail(t, "those that ever finished are more or fewer", names(got), len(m.ended))
	}
	for i, j := range m.ended {
		is := got[i]
		fresh := j.FinishSeq == 0
		if is.ID != j.ID || fresh && is.FinishSeq <= m.maxSeq || !fresh && is.FinishSeq != j.FinishSeq {
			m.fail(t, "the sequence of final outcomes differs", names(got), is.FinishSeq, j, m.maxSeq)
		}
		j.FinishSeq, m.maxSeq = is.FinishSeq, max(m.maxSeq, is.FinishSeq)
	}
}

func (m *model) compareStats(t *rapid.T, s Store) {
	got, err := s.Stats(m.t.Context())
	want, oldest := m.stats()
	want.OldestReady = got.OldestReady
	if err != nil || !same(want, got, ignoreAge()) {
		m.fail(t, "Stats differ", err, diff.Diff(want, got, ignoreAge()))
	}
	if !about(got.OldestReady, oldest) {
		m.fail(t, "the oldest ready job has another age", got.OldestReady, oldest)
	}
	for _, k := range got.Keys {
		hours := 0
		if ready := m.readyAt(k.Key); len(ready) > 0 {
			hours = m.now - ready[0].ready
		}
		if !about(k.HeadAge, hours) {
			m.fail(t, "the next job at a key is ready for another time", k, hours)
		}
	}
}

// stats are the counts, and for how many hours the oldest ready job has been so.
func (m *model) stats() (st queue.Stats, oldest int) {
	st.Paused, st.Reasons, st.Classes = m.paused[""], make(map[string]int), make(map[string]int)
	keys := make(map[string]*queue.KeyStats)
	key := func(name string) *queue.KeyStats {
		if keys[name] == nil {
			keys[name] = &queue.KeyStats{Key: name, Paused: m.paused[name]}
		}
		return keys[name]
	}
	for name := range m.paused {
		if name != "" {
			key(name)
		}
	}
	for _, j := range m.jobs {
		switch j.State {
		case queue.Queued:
			st.Queued++
			if j.ready > m.now {
				st.Delayed++
				key(j.Key).Delayed++
			} else {
				st.Ready++
				key(j.Key).Ready++
				oldest = max(oldest, m.now-j.ready)
			}
		case queue.InProgress:
			st.InProgress++
			key(j.Key).InFlight++
		default:
			*map[queue.State]*int{queue.Done: &st.Done, queue.Skipped: &st.Skipped, queue.Error: &st.Error}[j.State]++
			st.Reasons[j.Reason]++
			if j.Class != "" {
				st.Classes[j.Class]++
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		st.Keys = append(st.Keys, *keys[name])
	}
	return st, oldest
}

func (m *model) compareBacklog(t *rapid.T, s Store) {
	var want []queue.KeyBacklog
	next := -1
	for _, key := range modelKeys() {
		k := queue.KeyBacklog{Key: key, Paused: m.paused[key] || m.paused[""]}
		for _, j := range m.inOrder(func(j *modelJob) bool { return j.Key == key && j.State == queue.Queued && j.ready > m.now }) {
			k.Delayed++
			if next < 0 || j.ready-m.now < next {
				next = j.ready - m.now
			}
		}
		ready := m.readyAt(key)
		if len(ready) > 0 && !k.Paused {
			k.Ready = len(ready)
		}
		if len(ready)+k.Delayed > 0 {
			want = append(want, k)
		}
	}
	got, until, err := s.Backlog(m.t.Context())
	byKey := func(a, b queue.KeyBacklog) int { return cmp.Compare(a.Key, b.Key) }
	slices.SortFunc(want, byKey)
	slices.SortFunc(got, byKey)
	if err != nil || !same(want, got, ignoreAge()) {
		m.fail(t, "Backlog differs", err, diff.Diff(want, got, ignoreAge()))
	}
	if (until < 0) != (next < 0) || next >= 0 && !about(until, next) {
		m.fail(t, "the next delayed job is ready at another time", until, next)
	}
}

func (m *model) compareAttempts(t *rapid.T, s Store, id string) {
	got, err := s.Attempts(m.t.Context(), id)
	j := m.jobs[id]
	if j == nil {
		if !errors.Is(err, queue.ErrNotFound) {
			m.fail(t, "Attempts of no job", got, err)
		}
		return
	}
	const least = 20
	if err != nil || len(got) > len(j.attempts) || len(got) < min(least, len(j.attempts)) {
		m.fail(t, "Attempts are more or fewer", got, err, j.attempts)
	}
	for i, a := range j.attempts[len(j.attempts)-len(got):] {
		want := a.Attempt
		if a.Class == queue.ClassCrashed {
			want.Reason, want.Error = got[i].Reason, got[i].Error // the store's own words
		}
		opts := cmpopts.IgnoreFields(queue.Attempt{}, "Started", "Ended")
		if !diff.Equal(want, got[i], opts) || !about(got[i].Ended.Sub(got[i].Started), a.took) {
			m.fail(t, "an attempt differs", diff.Diff(want, got[i], opts), got[i], a.took)
		}
	}
}

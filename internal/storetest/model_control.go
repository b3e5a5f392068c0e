package storetest

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/quire-dev/quire/queue"
)

// reap ends leases. In which order is not promised, so final outcomes take
// theirs from the store.
func (m *model) reap(t *rapid.T) {
	s := m.any(t)
	got, err := s.Reap(m.t.Context(), modelAttempts)
	var want queue.Reaped
	var ended []*modelJob
	for _, j := range m.inOrder(func(j *modelJob) bool { return j.State == queue.InProgress && j.expires <= m.now }) {
		m.attempt(j, "", queue.ClassCrashed, "")
		if j.Attempts < modelAttempts {
			j.State, j.Owner, j.ready, j.changed = queue.Queued, "", m.now, m.now
			want.Returned++
			continue
		}
		j.Class = queue.ClassCrashed
		m.end(j, queue.Error, queue.ClassCrashed)
		ended = append(ended, j)
		want.Ended++
	}
	if err != nil || got != want {
		m.fail(t, "Reap", got, err, want)
	}
	for _, j := range ended {
		is, err := s.Job(m.t.Context(), j.ArtifactID)
		if err != nil || is.LastError == "" {
			m.fail(t, "a crashed job does not say so", is, err)
		}
		j.LastError, j.FinishSeq = is.LastError, is.FinishSeq
	}
	slices.SortFunc(m.ended[len(m.ended)-len(ended):], func(a, b *modelJob) int { return int(a.FinishSeq - b.FinishSeq) })
	for _, j := range ended {
		j.FinishSeq = 0 // compared with the others later
	}
}

// drawFilter draws a filter and returns the jobs it selects of those that may
// be touched.
func (m *model) drawFilter(t *rapid.T, may func(*modelJob) bool) (f queue.Filter, match []*modelJob) {
	maybe := func(what string) bool { return rapid.IntRange(0, 3).Draw(t, what) == 0 }
	if maybe("by artifact") {
		f.ArtifactIDs = rapid.SliceOfN(rapid.SampledFrom(modelIDs()), 1, 6).Draw(t, "artifacts")
	}
	if maybe("by prefix") {
		f.Prefix = rapid.SampledFrom(append(modelIDs(), "aa", "%")).Draw(t, "prefix")
	}
	if maybe("by state") {
		f.States = rapid.SliceOfN(rapid.SampledFrom(queue.States()), 1, 3).Draw(t, "states")
	}
	if maybe("by class") {
		f.Class = drawOf(t, "class", "gone", "transient", queue.ClassCrashed)
	}
	if maybe("by key") {
		f.Key = drawKey(t)
	}
	if maybe("by run") {
		f.Run = m.drawRun(t)
	}
	if maybe("after") {
		f.After = rapid.Int64Range(0, m.lastID).Draw(t, "id")
	}
	if maybe("limited") {
		f.Limit = rapid.IntRange(1, 4).Draw(t, "limit")
	}
	hours := 0
	if maybe("older") {
		hours = rapid.IntRange(1, 3).Draw(t, "hours")
		f.Older = time.Duration(hours) * time.Hour
	}
	match = m.inOrder(func(j *modelJob) bool {
		return may(j) && (f.ArtifactIDs == nil || slices.Contains(f.ArtifactIDs, j.ArtifactID)) &&
			strings.HasPrefix(j.ArtifactID, f.Prefix) && (f.States == nil || slices.Contains(f.States, j.State)) && (f.Class == "" || f.Class == j.Class) &&
			(f.Key == "" || f.Key == j.Key) && (f.Run == "" || f.Run == j.Run) && j.ID > f.After && j.changed <= m.now-hours
	})
	if f.Limit > 0 {
		match = match[:min(f.Limit, len(match))]
	}
	return f, match
}

func (m *model) control(t *rapid.T, call func(Store, context.Context, queue.Filter) (int, error),
	may func(*modelJob) bool, change func(*modelJob),
) {
	f, match := m.drawFilter(t, may)
	n, err := call(m.any(t), m.t.Context(), f)
	if err != nil || n != len(match) {
		m.fail(t, "a filter selects more or fewer", f, n, err, len(match))
	}
	for _, j := range match {
		change(j)
	}
}

func (j *modelJob) terminal() bool { return j.State.Terminal() }
func (j *modelJob) open() bool     { return !j.State.Terminal() }

func (m *model) requeue(t *rapid.T) {
	m.control(t, Store.Requeue, (*modelJob).terminal, func(j *modelJob) {
		m.arrive(j, j.first)
		j.State, j.Attempts, j.Progress, j.Result, j.ready, j.changed = queue.Queued, 0, nil, nil, m.now, m.now
		j.Reason, j.Class, j.LastError = "", "", ""
	})
}

func (m *model) cancel(t *rapid.T) {
	m.control(t, Store.Cancel, (*modelJob).open, func(j *modelJob) {
		j.Class, j.Result = "", nil
		m.end(j, queue.Skipped, queue.ReasonCancelled)
	})
}

func (m *model) prune(t *rapid.T) {
	m.control(t, Store.Prune, (*modelJob).terminal, func(j *modelJob) {
		delete(m.jobs, j.ArtifactID)
		m.ended = slices.DeleteFunc(m.ended, func(o *modelJob) bool { return o == j })
	})
}

func (m *model) pause(t *rapid.T) {
	key := drawOf(t, "key", append(modelKeys(), "", "host:none")...)
	if err := m.any(t).Pause(m.t.Context(), key); err != nil {
		m.fail(t, "Pause failed", err)
	}
	m.paused[key] = true
}

// resume resumes all most of the time: else little would be left to lease.
func (m *model) resume(t *rapid.T) {
	for _, key := range slices.Sorted(maps.Keys(m.paused)) {
		if rapid.IntRange(0, 3).Draw(t, "stays") == 0 {
			continue
		}
		if err := m.any(t).Resume(m.t.Context(), key); err != nil {
			m.fail(t, "Resume failed", err)
		}
		delete(m.paused, key)
	}
}

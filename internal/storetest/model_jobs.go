package storetest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/quire-dev/quire/queue"
)

// What the model's histories are about: few of each, so that they meet.

const (
	modelTTL      = 2 // hours
	modelAttempts = 3
)

func modelIDs() []string  { return strings.Split("abcdefghijklmnop", "") }
func modelKeys() []string { return []string{"resolver:x", "host:y", "host:z"} }

func drawOf[T any](t *rapid.T, label string, from ...T) T {
	return rapid.SampledFrom(from).Draw(t, label)
}

func drawKey(t *rapid.T) string   { return drawOf(t, "key", modelKeys()...) }
func drawDelay(t *rapid.T) int    { return drawOf(t, "delay", 0, 0, 0, 1, 3) }
func drawClass(t *rapid.T) string { return drawOf(t, "class", "", "", "transient", "gone") }

// drawRun draws a run: an old one, or one that has just begun.
func (m *model) drawRun(t *rapid.T) string {
	return drawOf(t, "run", "", "bulk", fmt.Sprint("small ", m.steps/20), fmt.Sprint("small ", m.steps/40))
}

func (m *model) enqueue(t *rapid.T) {
	s := m.any(t)
	var give []queue.NewJob
	var want queue.Enqueued
	var added []*modelJob
	for range rapid.IntRange(1, 4).Draw(t, "jobs") {
		n := queue.NewJob{
			ArtifactID: drawOf(t, "artifact", modelIDs()...), Key: drawKey(t), Run: m.drawRun(t),
			Priority: drawOf(t, "priority", 0, 0, 5), Delay: time.Duration(drawDelay(t)) * time.Hour,
		}
		give = append(give, n)
		if m.jobs[n.ArtifactID] != nil {
			want.Known++
			continue
		}
		want.Added++
		j := &modelJob{first: n.Key, ready: m.now + int(n.Delay/time.Hour), changed: m.now}
		j.ArtifactID, j.Run, j.Priority, j.State = n.ArtifactID, n.Run, n.Priority, queue.Queued
		m.arrive(j, n.Key)
		j.ID = m.lastID + int64(len(added)) + 1 // for the order, until it is known
		m.jobs[n.ArtifactID], added = j, append(added, j)
	}
	if got, err := s.Enqueue(m.t.Context(), give); err != nil || got != want {
		m.fail(t, "Enqueue", got, err, want)
	}
	for _, j := range added {
		got, err := s.Job(m.t.Context(), j.ArtifactID)
		if err != nil || got.ID <= m.lastID {
			m.fail(t, "ids do not grow", got.ID, m.lastID, err)
		}
		j.ID, m.lastID = got.ID, got.ID
	}
}

func (m *model) lease(t *rapid.T) {
	s, owner := m.any(t), drawOf(t, "owner", "ann", "bob")
	var wants []queue.Want
	var want []*modelJob
	for _, key := range modelKeys() {
		n := rapid.IntRange(0, 3).Draw(t, "n")
		wants = append(wants, queue.Want{Key: key, N: n})
		if !m.paused[key] && !m.paused[""] {
			ready := m.readyAt(key)
			want = append(want, ready[:min(n, len(ready))]...)
		}
	}
	got, err := s.Lease(m.t.Context(), owner, wants, modelTTL*time.Hour)
	if err != nil || len(got) != len(want) {
		m.fail(t, "Lease gave more or fewer", len(got), err, len(want))
	}
	for _, j := range want {
		i := slices.IndexFunc(got, func(l queue.Lease) bool { return l.Job.ArtifactID == j.ArtifactID })
		if i < 0 {
			m.fail(t, "Lease gave other jobs", got, j)
		}
		l := got[i]
		if l.Token <= j.token {
			m.fail(t, "tokens do not grow", l, j.token)
		}
		j.State, j.Owner, j.token, j.Attempts = queue.InProgress, owner, l.Token, j.Attempts+1
		j.expires, j.started, j.changed = m.now+modelTTL, m.now, m.now
		m.served[j.Key] = max(m.served[j.Key], j.Rank)
		m.sameJob(t, j, l.Job)
		m.leases = append(m.leases, l)
	}
}

// held is the job of a lease, or nil if the lease has ended.
func (m *model) held(l queue.Lease) *modelJob {
	j := m.jobs[l.Job.ArtifactID]
	if j == nil || j.ID != l.Job.ID || j.State != queue.InProgress || j.token != l.Token {
		return nil
	}
	return j
}

// drawLeases draws leases, each once, of those that hold and those that have ended.
func (m *model) drawLeases(t *rapid.T) (leases []queue.Lease) {
	if len(m.leases) == 0 {
		t.Skip("no leases yet")
	}
	recent := m.leases[max(0, len(m.leases)-10):]
	holding := slices.DeleteFunc(slices.Clone(m.leases[max(0, len(m.leases)-100):]),
		func(l queue.Lease) bool { return m.held(l) == nil })
	for range rapid.IntRange(1, 3).Draw(t, "leases") {
		from := recent
		if len(holding) > 0 && rapid.IntRange(0, 3).Draw(t, "holding") > 0 {
			from = holding
		}
		l := rapid.SampledFrom(from).Draw(t, "lease")
		if !slices.ContainsFunc(leases, func(other queue.Lease) bool { return sameLease(l, other) }) {
			leases = append(leases, l)
		}
	}
	return leases
}

func sameLease(a, b queue.Lease) bool { return a.Job.ID == b.Job.ID && a.Token == b.Token }

func (m *model) heartbeat(t *rapid.T) {
	leases := m.drawLeases(t)
	lost, err := m.any(t).Heartbeat(m.t.Context(), modelTTL*time.Hour, leases...)
	if err != nil {
		m.fail(t, "Heartbeat failed", err)
	}
	for _, l := range leases {
		j := m.held(l)
		if isLost := slices.ContainsFunc(lost, func(o queue.Lease) bool { return sameLease(l, o) }); isLost != (j == nil) {
			m.fail(t, "Heartbeat is wrong about what is lost", lost, l)
		}
		if j != nil {
			j.expires = m.now + modelTTL
		}
	}
}

func (m *model) settle(t *rapid.T) {
	leases := m.drawLeases(t)
	if rapid.IntRange(0, 5).Draw(t, "doubled") == 0 {
		leases = append(leases, leases[0])
	}
	give := make([]queue.Settlement, len(leases))
	for i, l := range leases {
		give[i] = queue.Settlement{
			Lease: l, Verb: drawOf(t, "verb", queue.Finish, queue.Retry, queue.Advance, queue.Release),
			Reason: drawOf(t, "reason", "stored", "later"), Class: drawClass(t), Error: drawOf(t, "error", "", "reset"),
			Progress: drawOf(t, "progress", nil, raw(`{"p":1}`)),
		}
		g := &give[i]
		switch g.Verb {
		case queue.Finish:
			g.State = drawOf(t, "state", queue.Done, queue.Skipped, queue.Error)
			g.Key, g.Result = drawOf(t, "key", append(modelKeys(), "", "")...), drawOf(t, "result", nil, raw(`{"r":1}`))
		case queue.Advance:
			g.Key = drawOf(t, "key", append(modelKeys(), "")...)
		default: // Retry and Release stay where they are
		}
		if g.Verb != queue.Finish {
			g.Delay = time.Duration(drawDelay(t)) * time.Hour
		}
	}
	errs, err := m.any(t).Settle(m.t.Context(), give...)
	if err != nil || len(errs) != len(give) {
		m.fail(t, "Settle failed", errs, err)
	}
	for i, g := range give {
		j := m.held(g.Lease)
		if (j == nil) != errors.Is(errs[i], queue.ErrLeaseLost) || (j != nil) != (errs[i] == nil) {
			m.fail(t, "Settle is wrong about what is lost", i, give, errs[i], j)
		}
		if j != nil {
			m.settled(j, g)
		}
	}
}

func (m *model) settled(j *modelJob, g queue.Settlement) {
	if g.Verb == queue.Retry || g.Class != "" || g.State == queue.Error {
		m.attempt(j, g.Reason, g.Class, g.Error)
	}
	if g.Verb == queue.Finish {
		j.Key, j.Class, j.LastError, j.Result = cmp.Or(g.Key, j.Key), g.Class, g.Error, g.Result
		m.end(j, g.State, g.Reason)
		return
	}
	if g.Verb != queue.Retry {
		j.Attempts--
	}
	if g.Verb == queue.Retry || g.Class != "" {
		j.Class, j.LastError = g.Class, g.Error
	}
	if g.Progress != nil {
		j.Progress = g.Progress
	}
	if g.Key != "" && g.Key != j.Key {
		m.arrive(j, g.Key)
	}
	j.State, j.Owner, j.Reason, j.ready, j.changed = queue.Queued, "", g.Reason, m.now+int(g.Delay/time.Hour), m.now
}

// attempt keeps the attempt under way as one that failed or broke off.
func (m *model) attempt(j *modelJob, reason, class, text string) {
	j.attempts = append(j.attempts, modelAttempt{queue.Attempt{
		Number: j.Attempts, Token: j.token, Key: j.Key, Owner: j.Owner, Reason: reason, Class: class, Error: text,
	}, m.now - j.started})
}

// end is a final outcome.
func (m *model) end(j *modelJob, state queue.State, reason string) {
	j.State, j.Reason, j.Owner, j.Progress, j.FinishSeq, j.changed = state, reason, "", nil, 0, m.now
	m.ended = append(slices.DeleteFunc(m.ended, func(o *modelJob) bool { return o == j }), j)
}

package storetest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/quire-dev/quire/queue"
)

// jobStanding is where one job stands. Leases that run out are returned by nobody
// in particular: whoever finds that it has happened says so, and it is right if
// it can have happened.
type jobStanding struct {
	state queue.State // empty: there is no such job
	token int64       // of the last lease
	ends  time.Duration
}

// slack is what the clock of a store may be behind ours: it counts milliseconds.
const slack = 2 * time.Millisecond

// step reports whether e can happen to a job that stands at s, and where the job
// stands then. These are the laws:
//
//   - a job has one lease at a time: the next one comes after it was settled, lost
//     to a cancel, or ran out;
//   - tokens grow;
//   - only the token of the lease that holds extends or settles it;
//   - what is finished stays as it is until it is requeued.
func (s jobStanding) step(e event) (ok bool, next jobStanding) {
	ranOut := s.state == queue.InProgress && e.ret >= s.ends-slack
	holds := s.state == queue.InProgress && s.token == e.token
	next = s
	switch e.what {
	case added:
		if e.ok {
			next.state = queue.Queued
		}
		return e.ok == (s.state == ""), next
	case leased:
		next = jobStanding{queue.InProgress, e.token, e.call + e.ttl}
		return e.token > s.token && (s.state == queue.Queued || ranOut), next
	case beaten, settled:
		switch {
		case e.ok && e.what == beaten:
			next.ends = e.call + e.ttl
		case e.ok:
			next.state = e.state
		case holds: // it has been returned to the queue
			next.state = queue.Queued
			return ranOut, next
		}
		return e.ok == holds, next
	case cancelled:
		if e.ok {
			next.state = queue.Skipped
		}
		return e.ok == (s.state == queue.Queued || s.state == queue.InProgress), next
	case requeued:
		if e.ok {
			next.state = queue.Queued
		}
		return e.ok == s.state.Terminal(), next
	case looked:
		if ranOut && e.state == queue.Queued {
			next.state = queue.Queued
		}
		return e.ok == (s.state != "") && e.state == next.state, next
	}
	return false, s
}

// lawful returns nil if there is an order of what happened to a job, each event
// at some moment between its call and its return, in which each could happen.
func lawful(events []event) error {
	var ops []porcupine.Operation
	for _, e := range events {
		ops = append(ops, porcupine.Operation{
			ClientId: e.worker, Input: e, Output: e.ok, Call: int64(e.call), Return: int64(e.ret),
		})
	}
	model := porcupine.Model{
		Init: func() any { return jobStanding{} },
		Step: func(state, input, _ any) (bool, any) {
			return state.(jobStanding).step(input.(event)) //nolint:forcetypeassert // both are ours
		},
	}
	const patience = time.Minute
	result := porcupine.CheckOperationsTimeout(model, ops, patience)
	if result == porcupine.Ok {
		return nil
	}
	slices.SortFunc(events, func(a, b event) int { return cmp.Compare(a.call, b.call) })
	var lines []string
	for _, e := range events {
		lines = append(lines, e.String())
	}
	return fmt.Errorf("the history is %s:\n%s", strings.ToLower(string(result)), strings.Join(lines, "\n"))
}

package sqlite

import (
	"fmt"
	"strings"

	"github.com/quire-dev/quire/queue"
)

// The numbers of states in the database. A queued job whose time has not come is
// told from one that is ready, so that it costs a lease nothing.
const (
	stateReady      = 0
	stateDelayed    = 1
	stateInProgress = 2
	stateDone       = 3
	stateSkipped    = 4
	stateError      = 5
)

// wholeQueue is the number of the key ”, which is paused when the queue is.
const wholeQueue = 0

// state is what a number stands for.
func state(n int) queue.State {
	switch n {
	case stateReady, stateDelayed:
		return queue.Queued
	case stateInProgress:
		return queue.InProgress
	case stateDone:
		return queue.Done
	case stateSkipped:
		return queue.Skipped
	default:
		return queue.Error
	}
}

// queuedState is the number of a queued job that waits for so many milliseconds.
func queuedState(wait int64) int {
	if wait > 0 {
		return stateDelayed
	}
	return stateReady
}

// numbersOf returns the numbers that s may have.
func numbersOf(s queue.State) []int {
	switch s {
	case queue.Queued:
		return []int{stateReady, stateDelayed}
	case queue.InProgress:
		return []int{stateInProgress}
	case queue.Done:
		return []int{stateDone}
	case queue.Skipped:
		return []int{stateSkipped}
	case queue.Error:
		return []int{stateError}
	}
	return nil
}

// isIn is a condition on the state column. The numbers are written out because a
// bound parameter rules out a partial index.
func isIn(states []queue.State) string {
	var terms []string
	for _, s := range states {
		for _, n := range numbersOf(s) {
			terms = append(terms, fmt.Sprintf("state = %d", n))
		}
	}
	return "(" + strings.Join(terms, " OR ") + ")"
}

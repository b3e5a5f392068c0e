package limit

import "time"

const (
	// startStep is how many clean answers in a row widen a cap that is still at its start
	// by one, so that a cap of 2 becomes 4 after 20.
	startStep = 10
	// recoverStep is the same after a cap was halved: a host in trouble is given time.
	recoverStep = 50
	// recoverAfter is how long that lasts at most where answers are slow: recoverLeast
	// of them do then. A host that takes 13 s for each would need 11 minutes for 50,
	// which is more than many runs want of it.
	recoverAfter = time.Minute
	recoverLeast = 4
	// troublesToHalve in a row halve a cap: one may be about one document.
	troublesToHalve = 2
)

// width is how many requests may be in flight at once, as learnt from answers
// and failures. Response times teach it nothing: downloads differ in size by a
// hundred times.
type width struct {
	most   int32 // in force; 0: not learnt
	halved bool
	clean  uint32        // answers without a failure in between, since it was last widened
	since  time.Duration // when it was last halved or widened
}

// now returns the cap in force; 0 for none.
func (w *width) now(r Rule, told Allowance) int {
	most := max(r.InFlight, 0)
	if w.most > 0 {
		most = least(most, int(w.most))
	} else if r.Start > 0 {
		most = least(most, r.Start)
	}
	return least(most, told.InFlight)
}

// least returns the smaller of two caps of which 0 means none.
func least(a, b int) int {
	switch {
	case a <= 0:
		return b
	case b <= 0:
		return a
	}
	return min(a, b)
}

// succeed counts a clean answer.
func (w *width) succeed(r Rule, now time.Duration) {
	if w.most == 0 {
		if r.Start <= 0 || r.InFlight > 0 && r.Start >= r.InFlight {
			return
		}
		w.most = int32(r.Start)
	}
	w.clean++
	due := w.clean >= startStep
	if w.halved {
		due = w.clean >= recoverStep || w.clean >= recoverLeast && now-w.since >= recoverAfter
	}
	if due {
		w.clean, w.since = 0, now
		if r.InFlight <= 0 || int(w.most) < r.InFlight {
			w.most++
		}
	}
}

// halve narrows the cap, which is now most; 0 for none, and then to what is in
// flight.
func (w *width) halve(most, inFlight int, now time.Duration) {
	if most <= 0 {
		most = inFlight
	}
	w.most, w.halved, w.clean, w.since = int32(max(1, most/2)), true, 0, now
}

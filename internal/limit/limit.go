// Package limit does the arithmetic of one key: how many requests may be in
// flight, how soon the next may start, and until when none may. It is pure: it
// takes instants, starts nothing and locks nothing.
package limit

import "time"

// Rule is the allowance of one key. The zero Rule allows everything.
type Rule struct {
	InFlight int           // requests at once; 0 for no cap
	Every    time.Duration // least time between two starts; 0 for none
}

// PerSecond returns how many starts a second the rule allows; 0 means any number.
func (r Rule) PerSecond() float64 {
	if r.Every <= 0 {
		return 0
	}
	return float64(time.Second) / float64(r.Every)
}

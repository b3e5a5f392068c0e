// Package limit does the arithmetic of one key: how many requests may be in
// flight, how soon the next may start, and until when none may. It starts from
// what is configured and learns from what the key announces, how it answers and
// what it refuses. It is pure: it takes instants, starts nothing and locks
// nothing.
package limit

import "time"

// Rule is the configured allowance of one key. The zero Rule allows everything.
type Rule struct {
	InFlight int           // requests at once; 0 for no cap
	Every    time.Duration // least time between two starts; 0 for none
	Burst    int           // starts that may come at once after a rest; 0 counts as 1
	Start    int           // requests at once until the key has answered well for a while; 0: InFlight
	Daily    int           // requests in a day of UTC; 0 for any number
	Batch    int           // jobs that one request may take; 0 counts as 1
	Break    time.Duration // how long the breaker stays open at first; 0: 30 s

	Group         string // of keys that share one cap, such as the hosts of a domain; empty: none
	GroupInFlight int    // requests at once over all keys of the group; 0 for no cap
}

// PerSecond returns how many starts a second the rule allows; 0 means any number.
func (r Rule) PerSecond() float64 { return perSecond(r.Every) }

func perSecond(every time.Duration) float64 {
	if every <= 0 {
		return 0
	}
	return float64(time.Second) / float64(every)
}

// Allowance is what a key announces that it allows. A zero field says nothing.
type Allowance struct {
	Every    time.Duration // least time between two starts
	InFlight int           // requests at once
}

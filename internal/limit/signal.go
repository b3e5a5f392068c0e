package limit

import "time"

// Why a gate is closed.
const (
	ReasonThrottled = "throttled" // the server asked for less, for minutes at most
	ReasonQuota     = "quota"     // it asked for a wait that only a spent allowance explains
)

// The waits after a throttle. Where the server names none, the first is a
// second and each that follows without an answer in between is three times as
// long, up to five minutes.
const (
	firstWait   = time.Second
	waitFactor  = 3
	longestWait = 5 * time.Minute

	quotaWait = 15 * time.Minute // longer waits are for a quota
	maxWait   = 24 * time.Hour   // longer waits are a mistake of the server's
)

// OK tells that the request of t was answered. A request that started before
// the last throttle says nothing of the time after it, so it does not end the
// streak.
func (k *Key) OK(t Ticket) {
	k.troubles = 0
	if t.episode == k.episode {
		k.streak = 0
	}
}

// Throttle tells that the request of t was refused for its rate, and closes the
// gate for the wait the server named, or for one of our own if that is 0. The
// gate only ever moves back; waits over 24 hours count as 24 hours. All requests
// in flight at the first refusal belong to its episode and count as one.
func (k *Key) Throttle(t Ticket, now time.Time, wait time.Duration) {
	if t.episode == k.episode {
		k.episode++
		k.streak++
	}
	if wait <= 0 {
		wait = k.ownWait()
	}
	wait = min(wait, maxWait)
	until := now.Add(wait)
	if until.After(k.gate) {
		k.gate, k.quota = until, wait > quotaWait
	}
}

// Trouble tells that a request failed through the fault of the key: a timeout,
// a broken connection, a server error. It is counted and changes no limit.
func (k *Key) Trouble() { k.troubles++ }

// Streak returns how many throttles came without an OK in between.
func (k *Key) Streak() int { return int(k.streak) }

// Troubles returns how many failures came without an OK in between.
func (k *Key) Troubles() int { return int(k.troubles) }

// Gate returns for how long no request may start, and why; 0 and "" if the gate
// is open.
func (k *Key) Gate(now time.Time) (left time.Duration, reason string) {
	left = k.gate.Sub(now)
	switch {
	case left <= 0:
		return 0, ""
	case k.quota:
		return left, ReasonQuota
	default:
		return left, ReasonThrottled
	}
}

func (k *Key) ownWait() time.Duration {
	wait := firstWait
	for n := uint32(1); n < k.streak && wait < longestWait; n++ {
		wait *= waitFactor
	}
	return min(wait, longestWait)
}

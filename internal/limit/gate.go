package limit

import "time"

// Why a key may not start.
const (
	ReasonThrottled = "throttled" // the server asked for less, for minutes at most
	ReasonQuota     = "quota"     // it asked for a wait that only a spent allowance explains
	ReasonBlocked   = "blocked"   // it refuses us as such
	ReasonBreaker   = "breaker"   // it keeps failing
	ReasonDaily     = "daily"     // our own daily budget is spent
)

// The waits after a throttle. Where the server names none, the first is a
// second and each that follows without an answer in between is three times as
// long, up to five minutes (decorrelated backoff with base 1 s and factor 3,
// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/;
// without its randomness, as the one caller of a key has no crowd to leave).
const (
	firstWait   = time.Second
	waitFactor  = 3
	longestWait = 5 * time.Minute

	quotaWait = 15 * time.Minute // longer waits are for a quota
	maxWait   = 24 * time.Hour   // longer waits are a mistake of the server's

	// tellJitter is how much longer than told a wait becomes at most: all whom a
	// server told the same would come back at once.
	tellJitter = 0.1
)

// A 403 may be about one document or about us. After many answers, several in a
// row that are nothing else are first taken for a throttle, then for a block.
const (
	refusalsToTell   = 3
	answersToTrust   = 10
	blockWait        = time.Hour
	throttlesToBlock = 1
)

// gate is what a key has asked for by refusing.
type gate struct {
	until    time.Duration // no start before
	reason   string
	episode  uint32 // numbers the throttles that began a wait
	streak   uint32 // episodes without an OK in between
	refusals uint32 // 403 without an OK in between
	suspects uint32 // series of refusals that were taken for a throttle, since the key has answered well again
	answers  uint32 // since the last refusal that was taken for more
}

// close closes the gate for a while. It only ever moves back.
func (g *gate) close(until time.Duration, reason string) {
	if until > g.until {
		g.until, g.reason = until, reason
	}
}

// OK tells that the request of t was answered. A request that started before
// the last throttle, or before the breaker opened, says nothing of the time
// after it.
func (k *Key) OK(t Ticket, now time.Duration) {
	k.gate.refusals = 0
	k.gate.answers++
	if k.gate.answers >= answersToTrust {
		k.gate.suspects = 0
	}
	if t.episode == k.gate.episode {
		k.gate.streak = 0
	}
	if t.opening == k.breaker.opening {
		k.breaker.succeed(now)
	}
	k.width.succeed(k.rule, now)
	k.adjust()
}

// Throttle tells that the request of t was refused for its rate, and closes the
// gate for the wait the server named, or for one of our own if that is 0. The
// gate only ever moves back; waits over 24 hours count as 24 hours. All requests
// in flight at the first refusal belong to its episode and count as one: once
// per episode the rate is cut.
func (k *Key) Throttle(t Ticket, now time.Duration, wait time.Duration) {
	if t.episode == k.gate.episode {
		k.gate.episode++
		k.gate.streak++
		k.learnt.cut(now, perSecond(k.pace.every))
	}
	k.breaker.troubles, k.breaker.barren = 0, 0 // it is alive
	if wait <= 0 {
		wait = k.ownWait()
	} else {
		wait = k.jitter(min(wait, maxWait), tellJitter)
	}
	reason := ReasonThrottled
	if wait > quotaWait {
		reason = ReasonQuota
	}
	k.gate.close(now+wait, reason)
	k.adjust()
}

// Spend tells that the key has announced that nothing is left of its allowance
// for a while. That is no refusal: no rate is learnt from it.
func (k *Key) Spend(now time.Duration, wait time.Duration) {
	k.gate.close(now+k.jitter(min(wait, maxWait), tellJitter), ReasonQuota)
	k.adjust()
}

// Refuse tells that the request of t was answered with 403 or the like.
func (k *Key) Refuse(t Ticket, now time.Duration) {
	defer k.adjust()
	g := &k.gate
	if t.episode == g.episode {
		g.streak = 0
	}
	if t.opening == k.breaker.opening {
		k.breaker.succeed(now)
	}
	g.refusals++
	if g.refusals < refusalsToTell || g.answers < answersToTrust && g.suspects == 0 {
		return
	}
	g.refusals, g.answers = 0, 0
	g.suspects++
	if g.suspects > throttlesToBlock {
		g.close(now+blockWait, ReasonBlocked)
		return
	}
	k.Throttle(t, now, 0)
}

func (k *Key) ownWait() time.Duration {
	wait := firstWait
	for n := uint32(1); n < k.gate.streak && wait < longestWait; n++ {
		wait *= waitFactor
	}
	return min(wait, longestWait)
}

// jitter makes a wait longer by up to the fraction most of it.
func (k *Key) jitter(wait time.Duration, most float64) time.Duration {
	return wait + time.Duration(float64(wait)*most*k.random())
}

// random returns a number in [0, 1) that differs from key to key and from start
// to start, and is 0 without a seed.
func (k *Key) random() float64 {
	if k.seed == 0 {
		return 0
	}
	// The finalizer of SplitMix64 (Steele, Lea, Flood: OOPSLA 2014).
	x := k.seed + uint64(k.starts)*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return float64((x^x>>31)>>11) / (1 << 53)
}

// Streak returns how many throttles came without an OK in between.
func (k *Key) Streak() int { return int(k.gate.streak) }

// Gate returns for how long no request may start, apart from pace and cap, and
// why; 0 and "" if the gate is open.
func (k *Key) Gate(now time.Duration) (left time.Duration, reason string) {
	until, reason := k.gate.until, k.gate.reason
	if k.breaker.until > until {
		until, reason = k.breaker.until, ReasonBreaker
	}
	if k.day.until > until {
		until, reason = k.day.until, ReasonDaily
	}
	if left = until - now; left > 0 {
		return left, reason
	}
	return 0, ""
}

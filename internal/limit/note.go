package limit

import "time"

// Note is what outlives the process of a key. Durations count from when the note
// was taken, so that clocks of different machines do not matter. The zero Note
// says nothing.
type Note struct {
	Gate    time.Duration `json:"gate,omitzero"` // until it opens
	Reason  string        `json:"reason,omitzero"`
	Streak  uint32        `json:"streak,omitzero"`
	Last    time.Duration `json:"last,omitzero"` // since the last start
	Debt    time.Duration `json:"debt,omitzero"` // as of pace
	Told    Allowance     `json:"told,omitzero"`
	Rate    float64       `json:"rate,omitzero"` // learnt
	Bad     float64       `json:"bad,omitzero"`
	Width   int32         `json:"width,omitzero"`
	Halved  bool          `json:"halved,omitzero"`
	Breaker time.Duration `json:"breaker,omitzero"` // until it is half-open
	Opens   uint32        `json:"opens,omitzero"`
	Day     int64         `json:"day,omitzero"`
	Spent   int32         `json:"spent,omitzero"`
}

// Note returns what should outlive the process.
func (k *Key) Note(now time.Duration) Note {
	n := Note{
		Told: k.told, Rate: k.learnt.rate, Bad: k.learnt.bad, Width: k.width.most, Halved: k.width.halved,
		Streak: k.gate.streak, Opens: k.breaker.opens,
	}
	if left := k.gate.until - now; left > 0 {
		n.Gate, n.Reason = left, k.gate.reason
	}
	if left := k.breaker.until - now; left > 0 && k.breaker.opens > 0 {
		n.Breaker = left
	}
	if next := k.pace.last + k.pace.debt; k.pace.started && k.pace.every > 0 && next > now {
		n.Last, n.Debt = now-k.pace.last, k.pace.debt
	}
	if k.day.counting(k.rule.Daily, now) {
		n.Day, n.Spent = k.day.number, k.day.spent
	}
	return n
}

// Ahead returns how far into the future what the note says reaches.
func (n Note) Ahead() time.Duration { return max(n.Gate, n.Breaker, n.Debt-n.Last) }

// unnoted is how long ago a start may be that no note tells of: longer intervals
// are noted before the request goes out.
const unnoted = time.Second

// Doubt treats the key as if all that its pace allows had started just then,
// unless its interval is so long that a note would tell.
func (k *Key) Doubt(then time.Duration) {
	p := &k.pace
	debt := p.every * time.Duration(max(k.rule.Burst, 1))
	if debt <= 0 || p.every > unnoted || p.started && p.last+p.debt >= then+debt {
		return
	}
	p.last, p.debt, p.started = then, debt, true
	k.adjust()
}

// Recall takes over a note that was taken this long ago, of an earlier process.
func (k *Key) Recall(n Note, now, age time.Duration) {
	k.told = n.Told
	k.learnt.rate, k.learnt.bad = max(n.Rate, 0), max(n.Bad, 0)
	k.width.most, k.width.halved = max(n.Width, 0), n.Halved
	k.gate.streak = n.Streak
	k.adjust()
	if n.Debt > 0 {
		k.pace.last, k.pace.debt, k.pace.started = now-age-max(n.Last, 0), n.Debt, true
	}
	if n.Gate > age {
		k.gate.close(now+n.Gate-age, n.Reason)
	}
	if n.Opens > 0 {
		k.breaker.opens = min(n.Opens, opensToBreak)
		k.breaker.until = now + max(n.Breaker-age, 0)
	}
	if n.Spent > 0 {
		k.day.number, k.day.spent = n.Day, n.Spent
		k.day.count(now, 0, k.rule.Daily)
	}
	k.adjust()
}

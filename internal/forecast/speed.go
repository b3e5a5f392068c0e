package forecast

import (
	"time"

	"github.com/quire-dev/quire/internal/schedule"
)

// speed is what is known of how fast a key is.
type speed struct {
	passed  int     // steps since the latest look
	through float64 // steps while it had enough to do, weighted
	busy    float64 // seconds of that times its width, weighted
	spent   float64 // seconds of requests, weighted
	made    float64 // requests of which that is the sum, weighted
	top     int     // the widest that its cap has been
	gated   bool    // its gate has been seen closed
	enough  bool    // it had enough to do until the next look, at the latest one
	flying  int     // requests under way, at the latest look
	held    bool    // its own cap kept it from more, at the latest look
}

const (
	// lookEvery is the least time between two looks at what keys have done.
	lookEvery = 500 * time.Millisecond
	// enoughFor is for how many times lookEvery a key must have rows to be taken for
	// busy all the time until the next look, should it be as fast as its limits allow.
	enoughFor = 3.0
	// prior is for how many seconds what a key's limits allow counts as if it had
	// been seen.
	prior = 3.0
	// unknown is taken for the seconds of a request while nothing at all is known.
	unknown = 1.0
)

// look notes what keys have done since the time before.
func (f *Forecast) look(at time.Time, keys []schedule.KeyState, slots int) {
	dt, first := at.Sub(f.looked).Seconds(), f.looked.IsZero()
	if !first && dt < lookEvery.Seconds() {
		return
	}
	w, active := f.weight(at), 0
	for i := range keys {
		active += keys[i].InFlight
	}
	free := !f.full && active < slots
	for i := range keys {
		k := &keys[i]
		p := f.key(k.Key)
		if p.loose {
			continue
		}
		p.top, p.gated = max(p.top, k.Cap), p.gated || k.Gate > 0
		held := k.Cap > 0 && k.InFlight >= k.Cap
		if !first && k.Ready > 0 && p.enough && (free || held && p.held) {
			p.through += w * float64(p.passed)
			p.busy += w * dt * p.width(k, slots)
		}
		if !first {
			p.served(k, w, dt)
		}
		p.enough = float64(k.Ready) >= enoughFor*lookEvery.Seconds()*p.allowed(k, slots, w)
		p.passed, p.flying, p.held = 0, k.InFlight, held
	}
	f.looked, f.full = at, active >= slots
}

// served notes what requests have taken: places in use times seconds, over what has
// ended. So those that go on count for as long as they have; a mean over those that
// have ended is too low for long, where they are slow and few. The mean that the
// table keeps is for requests with several rows, of which it is not told how many
// there were.
func (p *key) served(k *schedule.KeyState, w, dt float64) {
	n, spent := w*float64(p.passed), w*dt*float64(k.InFlight+p.flying)/2
	if k.Batch > 1 {
		spent = n * k.Service.Seconds()
	}
	for _, of := range []*speed{&p.speed, &p.class.speed} {
		of.made += n
		of.spent += spent
	}
}

// width is how many requests a key can have in flight.
func (s *speed) width(k *schedule.KeyState, slots int) float64 {
	if k.Widest <= 0 {
		return float64(slots)
	}
	return float64(min(max(s.top, k.Cap, 1), slots))
}

// wider is the width that a key can be expected to have: one that is new starts with
// less than its cap and comes to it soon if nothing goes wrong.
func (s *speed) wider(k *schedule.KeyState, slots int) float64 {
	if k.Widest > 0 && !s.gated && k.Cap >= s.top {
		return float64(min(k.Widest, slots))
	}
	return s.width(k, slots)
}

// service is how many seconds a request takes, as far as it is known.
func (p *key) service(w float64) float64 {
	return max((p.spent+w*p.class.service())/(p.made+w), 1e-3) // one of its kind counts as if it had been here
}

func (c *class) service() float64 {
	if c.made == 0 {
		return unknown
	}
	return c.spent / c.made
}

// allowed is how many rows a second a key can serve by its limits, as it is now.
func (p *key) allowed(k *schedule.KeyState, slots int, w float64) float64 {
	return paced(k, p.width(k, slots)/p.service(w)*float64(max(k.Batch, 1)))
}

// rate is how many rows a second a key is expected to serve.
func (p *key) rate(k *schedule.KeyState, slots int, w float64) float64 {
	each := (p.through/w + prior*p.allowed(k, slots, w)) / (p.busy/w + prior*p.width(k, slots))
	return paced(k, each*p.wider(k, slots))
}

// paced is a rate, or what the key's pace makes of it.
func paced(k *schedule.KeyState, rate float64) float64 {
	if k.PerSecond > 0 {
		rate = min(rate, k.PerSecond*float64(max(k.Batch, 1)))
	}
	return rate
}

package progress

import "time"

// A rate is that of the last half minute: long enough to be calm, short enough to
// show that something has changed.
const (
	windowWidth = time.Second
	windowSlots = 30
)

// tally counts what happened.
type tally struct {
	works int
	bytes int64
}

func (t *tally) add(more tally) {
	t.works += more.works
	t.bytes += more.bytes
}

// window holds a tally for each of the last seconds. Its zero value is empty.
type window struct {
	slots  [windowSlots + 1]tally // by second, modulo their number: one is filling
	newest int                    // second of the newest slot
}

// add counts what happened at a time since the beginning.
func (w *window) add(at time.Duration, more tally) {
	w.move(at)
	w.slots[w.newest%len(w.slots)].add(more)
}

// move forgets what is too old at a time. Time that seems to go back stands still.
func (w *window) move(at time.Duration) {
	second := int(at / windowWidth)
	if second-w.newest > len(w.slots) {
		w.newest = second - len(w.slots)
	}
	for w.newest < second {
		w.newest++
		w.slots[w.newest%len(w.slots)] = tally{}
	}
}

// rates are per second.
type rates struct{ works, bytes float64 }

// rates returns what happened per second of late.
func (w *window) rates(at time.Duration) rates {
	w.move(at)
	var sum tally
	for _, t := range w.slots {
		sum.add(t)
	}
	over := min(at, windowSlots*windowWidth+at%windowWidth).Seconds()
	if over <= 0 {
		return rates{}
	}
	return rates{float64(sum.works) / over, float64(sum.bytes) / over}
}

// counts is a number that grows, as it was at the latest looks.
type counts struct{ looks []count }

type count struct {
	at time.Duration
	n  int64
}

// rate takes in that the number is n at a time since the beginning, when it was 0,
// and returns by how much it grew per second of late.
func (c *counts) rate(at time.Duration, n int64) float64 {
	if c.looks == nil {
		c.looks = []count{{}}
	}
	c.looks = append(c.looks, count{at, n})
	for len(c.looks) > 2 && at-c.looks[1].at >= windowSlots*windowWidth {
		c.looks = c.looks[1:]
	}
	first := c.looks[0]
	if at <= first.at {
		return 0
	}
	return float64(n-first.n) / (at - first.at).Seconds()
}

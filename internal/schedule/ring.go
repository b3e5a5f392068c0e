package schedule

import "math/bits"

// A key is in at most one ring of each kind.
type kind uint8

const (
	byWeight kind = iota // of keys that may start
	byAge                // of the same keys; or parked at their group
	kinds
)

// link is a key's place in the rings of one kind.
type link struct {
	prev, next *key
	in         *ring
}

// ring is a list of keys, first in, first out, that lies in the keys themselves.
type ring struct {
	first *key
	kind  kind
	index int // in its order; -1 in none
}

func (r *ring) push(k *key) {
	l := &k.links[r.kind]
	l.in = r
	if r.first == nil {
		r.first, l.prev, l.next = k, k, k
		return
	}
	last := r.first.links[r.kind].prev
	l.prev, l.next = last, r.first
	last.links[r.kind].next = k
	r.first.links[r.kind].prev = k
}

func (r *ring) remove(k *key) {
	l := &k.links[r.kind]
	if l.next == k {
		r.first = nil
	} else {
		l.prev.links[r.kind].next = l.next
		l.next.links[r.kind].prev = l.prev
		if r.first == k {
			r.first = l.next
		}
	}
	*l = link{}
}

// order keeps keys in rings by a small number: adding, removing and finding the
// first or last take the same time however many keys there are.
type order struct {
	rings []ring
	used  []uint64 // a bit for each ring that is not empty
	kind  kind
}

func newOrder(k kind, n int) order {
	o := order{rings: make([]ring, n), used: make([]uint64, (n+63)/64), kind: k}
	for i := range o.rings {
		o.rings[i] = ring{kind: k, index: i}
	}
	return o
}

// put adds k to the end of a ring, unless it is in there.
func (o *order) put(k *key, i int) {
	if k.links[o.kind].in == &o.rings[i] {
		return
	}
	o.drop(k)
	o.rings[i].push(k)
	o.used[i/64] |= 1 << (i % 64)
}

// drop takes k out of whatever ring of this kind it is in.
func (o *order) drop(k *key) {
	r := k.links[o.kind].in
	if r == nil {
		return
	}
	r.remove(k)
	if r.first == nil && r.index >= 0 {
		o.used[r.index/64] &^= 1 << (r.index % 64)
	}
}

// lowest returns the first key of the first ring, or nil.
func (o *order) lowest() *key {
	for w, word := range o.used {
		if word != 0 {
			return o.rings[w*64+bits.TrailingZeros64(word)].first
		}
	}
	return nil
}

// highest returns the first key of the last ring, or nil.
func (o *order) highest() *key {
	for w := len(o.used) - 1; w >= 0; w-- {
		if word := o.used[w]; word != 0 {
			return o.rings[w*64+bits.Len64(word)-1].first
		}
	}
	return nil
}

const (
	weightRings = 64
	ageBits     = 5 // 32 rings for each doubling of age: within 3 % of the numbers, keys take turns
	ageRings    = (64 - ageBits) << ageBits
)

// weightRing is the ring of a weight in milliseconds: two for each doubling.
func weightRing(ms int64) int {
	if ms <= 0 {
		return 0
	}
	n := bits.Len64(uint64(ms)) // 1 for 1 ms
	half := 0
	if n > 1 && ms>>(n-2)&1 == 1 { // 1.5 and more, near enough to the square root of 2
		half = 1
	}
	return min(2*n-1+half, weightRings-1)
}

// ageRing is the ring of a row's order number: exact for small ones, then
// logarithmic.
func ageRing(n int64) int {
	if n < 0 {
		return 0
	}
	u := uint64(n)
	if u < 1<<ageBits {
		return int(u)
	}
	e := bits.Len64(u) - 1 - ageBits
	return (e+1)<<ageBits + int(u>>e)&(1<<ageBits-1)
}

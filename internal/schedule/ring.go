package schedule

import (
	"math/bits"
	"slices"
)

// link is a key's place in an order. Keys go by their numbers, and links lie side
// by side, apart from the keys: what a pick touches is then small enough to be in
// the processor's cache.
type link struct {
	prev, next int32
	ring       int32 // -1: not in the order
}

// order keeps keys in rings by a small number, first in, first out within one:
// adding, removing and finding the first or last take the same time however many
// keys there are.
type order struct {
	links []link  // by number of key
	first []int32 // key at the head of each ring; -1: empty
	used  []uint64
}

func newOrder(rings int) order {
	o := order{first: make([]int32, rings), used: make([]uint64, (rings+63)/64)}
	for i := range o.first {
		o.first[i] = -1
	}
	return o
}

// grow makes room for one key more.
func (o *order) grow() { o.links = append(o.links, link{ring: -1}) }

// put adds a key to the end of a ring, unless it is in there.
func (o *order) put(k int32, ring int) {
	if o.links[k].ring == int32(ring) {
		return
	}
	o.drop(k)
	o.push(k, ring)
}

// requeue moves a key to the end of a ring, be it in there or not.
func (o *order) requeue(k int32, ring int) {
	if l := o.links[k]; l.ring == int32(ring) && o.first[ring] == k {
		o.first[ring] = l.next // the first of a ring comes right after its last
		return
	}
	o.drop(k)
	o.push(k, ring)
}

func (o *order) push(k int32, ring int) {
	head := o.first[ring]
	if head < 0 {
		o.first[ring] = k
		o.links[k] = link{k, k, int32(ring)}
		o.used[ring/64] |= 1 << (ring % 64)
		return
	}
	last := o.links[head].prev
	o.links[k] = link{last, head, int32(ring)}
	o.links[last].next = k
	o.links[head].prev = k
}

// drop takes a key out if it is in.
func (o *order) drop(k int32) {
	l := o.links[k]
	if l.ring < 0 {
		return
	}
	o.links[k].ring = -1
	if l.next == k {
		o.first[l.ring] = -1
		o.used[l.ring/64] &^= 1 << (l.ring % 64)
		return
	}
	o.links[l.prev].next = l.next
	o.links[l.next].prev = l.prev
	if o.first[l.ring] == k {
		o.first[l.ring] = l.next
	}
}

// lowest returns the first key of the first ring, or -1.
func (o *order) lowest() int32 {
	for w, word := range o.used {
		if word != 0 {
			return o.first[w*64+bits.TrailingZeros64(word)]
		}
	}
	return -1
}

// highest returns the first key of the last ring, or -1.
func (o *order) highest() int32 {
	for w, word := range slices.Backward(o.used) {
		if word != 0 {
			return o.first[w*64+bits.Len64(word)-1]
		}
	}
	return -1
}

const weightRings = 64

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

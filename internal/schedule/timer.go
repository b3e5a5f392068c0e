package schedule

import "time"

// timers is a binary heap of keys, the smallest instant first, in which each key
// knows its place. container/heap would do, at an interface call per comparison.
type timers struct{ nodes []node }

type node struct {
	at  time.Duration // beside the pointer, so that comparing does not follow it
	key *key
}

// set puts k in, or moves it.
func (h *timers) set(k *key, at time.Duration) {
	if k.timer == 0 {
		h.nodes = append(h.nodes, node{})
		h.up(len(h.nodes)-1, node{at, k})
		return
	}
	if i := int(k.timer - 1); h.nodes[i].at != at {
		h.settle(i, node{at, k})
	}
}

// drop takes k out if it is in.
func (h *timers) drop(k *key) {
	if k.timer == 0 {
		return
	}
	last := len(h.nodes) - 1
	n := h.nodes[last]
	h.nodes[last] = node{}
	h.nodes = h.nodes[:last]
	if i := int(k.timer - 1); i != last {
		h.settle(i, n)
	}
	k.timer = 0
}

// settle puts n into the hole at i, or wherever it belongs from there.
func (h *timers) settle(i int, n node) {
	if i > 0 && n.at < h.nodes[(i-1)/2].at {
		h.up(i, n)
		return
	}
	h.down(i, n)
}

func (h *timers) up(i int, n node) {
	for i > 0 {
		parent := (i - 1) / 2
		if h.nodes[parent].at <= n.at {
			break
		}
		h.put(i, h.nodes[parent])
		i = parent
	}
	h.put(i, n)
}

func (h *timers) down(i int, n node) {
	for {
		child := 2*i + 1
		if child >= len(h.nodes) {
			break
		}
		if right := child + 1; right < len(h.nodes) && h.nodes[right].at < h.nodes[child].at {
			child = right
		}
		if n.at <= h.nodes[child].at {
			break
		}
		h.put(i, h.nodes[child])
		i = child
	}
	h.put(i, n)
}

func (h *timers) put(i int, n node) {
	h.nodes[i] = n
	n.key.timer = int32(i + 1)
}

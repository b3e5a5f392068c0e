package schedule

// heap is a binary heap of keys, smallest rank first, in which each key knows
// its place. container/heap would do, at an interface call per comparison.
type heap struct{ nodes []node }

type node struct {
	rank int64 // beside the pointer, so that comparing does not follow it
	key  *key
}

func (h *heap) push(k *key, rank int64) {
	k.in = h
	h.nodes = append(h.nodes, node{})
	h.up(len(h.nodes)-1, node{rank, k})
}

func (h *heap) remove(k *key) {
	last := len(h.nodes) - 1
	n := h.nodes[last]
	h.nodes[last] = node{}
	h.nodes = h.nodes[:last]
	if k.at != last {
		h.settle(k.at, n)
	}
	k.in = nil
}

func (h *heap) move(k *key, rank int64) {
	if h.nodes[k.at].rank != rank {
		h.settle(k.at, node{rank, k})
	}
}

// settle puts n into the hole at i, or wherever it belongs from there.
func (h *heap) settle(i int, n node) {
	if i > 0 && n.rank < h.nodes[(i-1)/2].rank {
		h.up(i, n)
		return
	}
	h.down(i, n)
}

func (h *heap) up(i int, n node) {
	for i > 0 {
		parent := (i - 1) / 2
		if h.nodes[parent].rank <= n.rank {
			break
		}
		h.set(i, h.nodes[parent])
		i = parent
	}
	h.set(i, n)
}

func (h *heap) down(i int, n node) {
	for {
		child := 2*i + 1
		if child >= len(h.nodes) {
			break
		}
		if right := child + 1; right < len(h.nodes) && h.nodes[right].rank < h.nodes[child].rank {
			child = right
		}
		if n.rank <= h.nodes[child].rank {
			break
		}
		h.set(i, h.nodes[child])
		i = child
	}
	h.set(i, n)
}

func (h *heap) set(i int, n node) {
	h.nodes[i] = n
	n.key.at = i
}

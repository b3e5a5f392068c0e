package sqlite

import "hash/fnv"

// tail is how many bytes at the end of an artifact id keep their order in its place.
const tail = 3

// place is where an artifact id stands in the index by which it is looked up: a
// number, because an index of numbers has a third of the pages of one of the
// ids, and each id that comes in random order costs a page of the log. Ids that
// differ only in their last bytes, as numbers given out one after the other do,
// get places beside each other: a batch of them touches few pages. The other
// bytes are hashed (FNV-1a). Two ids may have one place: the id decides.
func place(artifactID string) int64 {
	head, low := artifactID, uint64(0)
	if cut := len(artifactID) - tail; cut > 0 {
		head = artifactID[:cut]
		for _, b := range []byte(artifactID[cut:]) {
			low = low<<8 | uint64(b)
		}
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(head))
	return int64(h.Sum64()<<(8*tail) | low)
}

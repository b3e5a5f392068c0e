package verdict

import (
	"bytes"
	"compress/zlib"
	"io"
	"slices"
)

const (
	maxUnpacked  = 256 << 10 // of one piece
	allUnpacked  = 2 << 20   // of all pieces of a file together, so that it takes some 10 ms at most
	maxPDFObject = 4096      // of one object stream
)

// glimpse looks into the pieces of a PDF that were kept.
type glimpse struct {
	g       *gleaner
	left    int // bytes that may still be unpacked
	unpack  io.ReadCloser
	objects map[int64][]byte // of object streams, by their numbers
	order   []int64          // of objects, as they stand in the file
	codes   map[string]*codes
}

func newGlimpse(g *gleaner) *glimpse {
	l := &glimpse{g: g, left: allUnpacked, objects: make(map[int64][]byte), codes: make(map[string]*codes)}
	for _, p := range g.pieces[objectsPiece] {
		l.readObjects(p)
	}
	return l
}

// bytesOf returns what a piece holds, unpacked as far as it can be.
func (l *glimpse) bytesOf(p *piece) []byte {
	if !p.flate {
		return p.data
	}
	source := bytes.NewReader(p.data)
	var err error
	if resetter, ok := l.unpack.(zlib.Resetter); ok {
		err = resetter.Reset(source, nil)
	} else {
		l.unpack, err = zlib.NewReader(source)
	}
	if err != nil {
		return nil
	}
	var out bytes.Buffer
	n, _ := out.ReadFrom(io.LimitReader(l.unpack, int64(min(maxUnpacked, l.left)))) // what is cut gives its beginning
	l.left -= int(n)
	return out.Bytes()
}

// readObjects takes the objects of an object stream apart: pairs of number and
// offset, and from /First on the objects (ISO 32000-1, 7.5.7).
func (l *glimpse) readObjects(p *piece) {
	data := l.bytesOf(p)
	if p.first <= 0 || p.first > int64(len(data)) {
		return
	}
	head, body := data[:p.first], data[p.first:]
	var last, at int64 = -1, 0
	put := func(end int64) {
		if last >= 0 && at <= end && end <= int64(len(body)) {
			l.objects[last] = body[at:end]
			l.order = append(l.order, last)
		}
	}
	for range maxPDFObject {
		var object, offset int64
		var ok bool
		if object, head, ok = number(skipSpace(head)); !ok {
			break
		}
		if offset, head, ok = number(skipSpace(head)); !ok {
			break
		}
		put(offset)
		last, at = object, offset
	}
	put(int64(len(body)))
}

// pages returns the number of pages, or 0 if it can't be told: that of the root of
// the page tree, or that of its leaves where all objects are in sight.
func (l *glimpse) pages(objectStreams bool) int {
	for _, last := range slices.Backward(l.order) {
		object := l.objects[last]
		_, after, found := bytes.Cut(object, []byte("/Count"))
		if !found || !bytes.Contains(object, []byte("/Kids")) || bytes.Contains(object, []byte("/Parent")) {
			continue
		}
		if n, _, ok := number(skipSpace(after)); ok && n >= 1 && n <= maxPages {
			return int(n)
		}
	}
	switch {
	case l.g.pageCount > 0:
		return int(l.g.pageCount)
	case !objectStreams && l.g.leaves <= maxPages:
		return int(l.g.leaves)
	}
	return 0
}

// find calls fn with each stretch of the file that has a name in it, from the name
// on, until fn returns true.
func (l *glimpse) find(name string, fn func(after []byte) bool) {
	in := func(b []byte) bool {
		for {
			_, after, found := bytes.Cut(b, []byte(name))
			if !found {
				return false
			}
			if (len(after) == 0 || !isRegular(after[0])) && fn(after) {
				return true
			}
			b = after
		}
	}
	for _, p := range l.g.pieces[rawPiece] {
		if in(p.data) {
			return
		}
	}
	for _, object := range l.order {
		if in(l.objects[object]) {
			return
		}
	}
}

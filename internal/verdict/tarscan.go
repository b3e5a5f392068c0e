package verdict

import "bytes"

const tarBlock = 512

// tarScanner follows the headers of a tar archive (POSIX.1-2024, pax, ustar
// interchange format) in a stream, and checks that it is whole.
type tarScanner struct {
	problem string // empty: none so far
	files   int    // regular ones that are not empty
	ended   bool   // a block of zeros was met
	header  [tarBlock]byte
	filled  int
	skip    int64 // bytes of a file, with padding
}

// isTar reports whether head begins with the header of an archive. Its checksum
// tells, also for archives from before ustar, which have no magic.
func isTar(head []byte) bool { return len(head) >= tarBlock && validHeader(head[:tarBlock]) }

func (t *tarScanner) write(p []byte) {
	for len(p) > 0 && t.problem == "" && !t.ended {
		if t.skip > 0 {
			n := min(int64(len(p)), t.skip)
			t.skip -= n
			p = p[n:]
			continue
		}
		n := copy(t.header[t.filled:], p)
		t.filled += n
		p = p[n:]
		if t.filled == tarBlock {
			t.filled = 0
			t.next()
		}
	}
}

func (t *tarScanner) next() {
	h := t.header[:]
	if len(bytes.TrimLeft(h, "\x00")) == 0 {
		t.ended = true
		return
	}
	size, ok := tarNumber(h[124:136])
	switch {
	case !validHeader(h):
		t.problem = "damaged: a header is none"
		return
	case !ok:
		t.problem = "damaged: a file has no size"
		return
	}
	switch h[156] {
	case '0', '\x00', '7':
		if size > 0 {
			t.files++
		}
	case '1', '2', '3', '4', '5', '6': // links, devices and directories have no bytes, whatever they say
		size = 0
	}
	t.skip = (size + tarBlock - 1) / tarBlock * tarBlock
}

// finish reports what is missing at the end. Some programs leave out the blocks of
// zeros and the padding of the last file.
func (t *tarScanner) finish() {
	switch {
	case t.problem != "":
	case t.filled > 0 || t.skip >= tarBlock:
		t.problem = "cut"
	case t.files == 0:
		t.problem = "no file in it"
	}
}

// validHeader checks the sum of a header's bytes, its own field taken as spaces.
func validHeader(h []byte) bool {
	want, ok := tarNumber(h[148:156])
	sum := int64(8 * ' ')
	for i, c := range h {
		if i < 148 || i >= 156 {
			sum += int64(c)
		}
	}
	return ok && sum == want && h[0] != 0
}

// tarNumber reads a field of octal digits, or of bytes if its first bit is set, as GNU
// tar writes sizes of 8 GiB and more.
func tarNumber(field []byte) (int64, bool) {
	if field[0]&0x80 != 0 {
		n := int64(field[0] & 0x3f)
		for _, c := range field[1:] {
			if n >= 1<<46 {
				return 0, false
			}
			n = n<<8 | int64(c)
		}
		return n, field[0]&0x40 == 0
	}
	digits := bytes.Trim(field, " \x00")
	n := int64(0)
	for _, c := range digits {
		if c < '0' || c > '7' {
			return 0, false
		}
		n = n<<3 | int64(c-'0')
	}
	return n, len(digits) > 0
}

package verdict

import (
	"encoding/binary"
	"hash/crc32"
)

const (
	// maxInflated bounds what is inflated of one file, and so the time it takes.
	// arXiv takes sources of up to 50 MB (https://info.arxiv.org/help/sizes.html).
	maxInflated = 1 << 30

	historyBytes = 32 << 10 // how far back a copy may reach (RFC 1951, section 3.2.5)
	inputBytes   = 4 << 10

	// headNeeds is more than the code lengths of a block can take, 563 bytes (RFC
	// 1951, section 3.2.7); symbolNeeds more than a symbol with its extra bits and
	// its distance, 48 bits. With so much in hand neither has to be left halfway.
	headNeeds   = 1 << 10
	symbolNeeds = 8

	bitBytes = 8 // bytes of input that may be in bits, and may have to be given back
)

// inflater inflates gzip (RFC 1952) as its bytes are pushed in, checks it to the
// end, and pushes on what comes out. The standard library's pulls instead, which
// would take a goroutine per file that somebody has to wait for.
type inflater struct {
	sink    func(p []byte)
	problem string // empty: none so far
	phase   gzipPhase
	flags   byte
	final   bool // the block is the last of its member
	members int

	in       [inputBytes]byte
	from, to int // of in: not used yet
	bits     uint64
	nbits    uint
	dry      bool // no more input will come
	left     int  // bytes of an extra field or a stored block

	lit, dist huffman
	history   [historyBytes]byte
	at, sent  int // of history: written, passed on
	total     int64
	size, sum uint32 // of the member
}

type gzipPhase uint8

const (
	gzipHeader gzipPhase = iota
	gzipExtraSize
	gzipExtra
	gzipName
	gzipComment
	gzipHeaderSum
	blockHeader
	blockStored
	blockCodes
	gzipTrailer
	gzipOver // what follows the last member is not looked at
)

func (z *inflater) write(p []byte) {
	for len(p) > 0 && z.problem == "" && z.phase != gzipOver {
		back := min(z.from, bitBytes)
		z.to = copy(z.in[:], z.in[z.from-back:z.to])
		z.from = back
		n := copy(z.in[z.to:], p)
		z.to += n
		p = p[n:]
		z.run()
	}
}

// finish inflates what is left, and says what is missing.
func (z *inflater) finish() {
	z.dry = true
	z.run()
	if z.problem == "" && z.phase != gzipOver && (z.phase != gzipHeader || z.members == 0) {
		z.problem = "cut"
	}
	z.flush()
}

// run goes on until less input is in hand than the phase may need.
func (z *inflater) run() {
	for z.problem == "" && z.phase != gzipOver {
		have := z.to - z.from
		if z.dry {
			if have == 0 && z.nbits == 0 {
				return
			}
		} else if have < z.needs() {
			return
		}
		z.step()
	}
}

func (z *inflater) needs() int {
	switch z.phase {
	case blockHeader:
		return headNeeds
	case gzipHeader:
		return 10
	case gzipExtra, gzipName, gzipComment, blockStored:
		return 1
	default:
		return symbolNeeds
	}
}

func (z *inflater) step() {
	switch z.phase {
	case gzipHeader:
		z.header()
	case gzipExtraSize:
		z.left = int(z.take(16))
		z.phase = gzipExtra
	case gzipExtra:
		if z.left > 0 {
			z.take(8)
			z.left--
		}
		if z.left == 0 {
			z.after(gzipExtra)
		}
	case gzipName, gzipComment:
		if z.take(8) == 0 {
			z.after(z.phase)
		}
	case gzipHeaderSum:
		z.take(16)
		z.phase = blockHeader
	case blockHeader:
		z.block()
	case blockStored:
		z.stored()
	case blockCodes:
		z.symbols()
	case gzipTrailer:
		z.trailer()
	case gzipOver:
	}
}

// header reads what every member begins with (RFC 1952, section 2.3).
func (z *inflater) header() {
	in := z.in[z.from:z.to]
	switch {
	case len(in) < 10:
		z.fail("cut")
		if z.members > 0 { // a few bytes behind a whole member
			z.problem, z.phase = "", gzipOver
		}
		return
	case in[0] != 0x1f || in[1] != 0x8b || in[2] != 8:
		if z.fail("not gzip"); z.members > 0 {
			z.problem, z.phase = "", gzipOver
		}
		return
	}
	z.flags = in[3]
	z.from += 10
	z.size, z.sum = 0, 0
	z.after(gzipHeader)
}

// after goes to the next field of the header that is there.
func (z *inflater) after(field gzipPhase) {
	for _, next := range []struct {
		phase gzipPhase
		flag  byte
	}{{gzipExtraSize, 4}, {gzipName, 8}, {gzipComment, 16}, {gzipHeaderSum, 2}} {
		if next.phase > field && z.flags&next.flag != 0 {
			z.phase = next.phase
			return
		}
	}
	z.phase = blockHeader
}

func (z *inflater) trailer() {
	z.align()
	z.flush()
	sum, size := z.take(32), z.take(32)
	switch {
	case z.problem != "":
	case sum != z.sum || size != z.size:
		z.fail("its checksum is wrong")
	default:
		z.members++
		z.phase = gzipHeader
		z.from -= int(z.nbits / 8) //nolint:gosec // at most 7
		z.bits, z.nbits = 0, 0
	}
}

func (z *inflater) fail(problem string) {
	if z.problem == "" {
		z.problem = problem
	}
}

// fill takes whole bytes of the input until there are at least n bits, or all. Bits
// above nbits may be there already: they are those that come next.
func (z *inflater) fill(n uint) {
	if z.nbits >= n {
		return
	}
	if z.to-z.from >= bitBytes {
		z.bits |= binary.LittleEndian.Uint64(z.in[z.from:]) << z.nbits
		whole := (63 - z.nbits) / 8
		z.from += int(whole) //nolint:gosec // at most 7
		z.nbits += 8 * whole
		return
	}
	for z.nbits < n && z.from < z.to {
		z.bits |= uint64(z.in[z.from]) << z.nbits
		z.from++
		z.nbits += 8
	}
}

// take returns the next n bits, at most 32.
func (z *inflater) take(n uint) uint32 {
	z.fill(n)
	if z.nbits < n {
		z.fail("cut")
		z.nbits, z.bits = 0, 0
		return 0
	}
	v := uint32(z.bits & (1<<n - 1))
	z.bits >>= n
	z.nbits -= n
	return v
}

// align drops the bits up to the next byte.
func (z *inflater) align() { z.take(z.nbits % 8) }

func (z *inflater) put(c byte) {
	z.history[z.at] = c
	z.at++
	if z.at == historyBytes {
		z.flush()
		z.at, z.sent = 0, 0
	}
}

// flush passes on what is inflated.
func (z *inflater) flush() {
	p := z.history[z.sent:z.at]
	z.sent = z.at
	z.sum = crc32.Update(z.sum, crc32.IEEETable, p)
	z.size += uint32(len(p)) //nolint:gosec // modulo 2^32, as the trailer has it
	if z.total += int64(len(p)); z.total > maxInflated {
		z.fail("inflates to more than 1 GiB")
	}
	z.sink(p)
}

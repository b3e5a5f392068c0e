package verdict

const (
	longestCode = 15 // bits (RFC 1951, section 3.2.7)
	quickBits   = 10 // codes up to this long are looked up at once
)

// huffman decodes one prefix code. Short codes are in a table, longer ones are
// counted through: a table for all would take longer to fill than a hostile block to
// read.
type huffman struct {
	quick  [1 << quickBits]uint16 // symbol<<4 | length, by the next bits; 0: a longer code
	count  [longestCode + 1]int   // codes by length
	symbol [288]uint16            // in the order of their codes
}

// build makes a canonical code of its lengths (RFC 1951, section 3.2.2), and
// reports whether there is such a code. An incomplete one is taken: its missing
// codes are damage only where they occur.
func (h *huffman) build(lengths []uint8) bool {
	h.count = [longestCode + 1]int{}
	for _, n := range lengths {
		h.count[n]++
	}
	h.count[0] = 0
	room := 1
	var at, code [longestCode + 2]int // where the symbols of a length begin, and their codes
	for n := 1; n <= longestCode; n++ {
		room = room<<1 - h.count[n]
		if room < 0 {
			return false
		}
		at[n+1] = at[n] + h.count[n]
		code[n+1] = (code[n] + h.count[n]) << 1
	}
	clear(h.quick[:])
	for s, n := range lengths {
		if n == 0 {
			continue
		}
		h.symbol[at[n]] = uint16(s) //nolint:gosec // below 288
		at[n]++
		if n <= quickBits {
			for i := reversed(code[n], int(n)); i < len(h.quick); i += 1 << n {
				h.quick[i] = uint16(s)<<4 | uint16(n) //nolint:gosec // below 288
			}
		}
		code[n]++
	}
	return true
}

// reversed turns the lowest n bits around: codes stand with their first bit first.
func reversed(code, n int) int {
	r := 0
	for range n {
		r = r<<1 | code&1
		code >>= 1
	}
	return r
}

// decode reads a symbol.
func (z *inflater) decode(h *huffman) int {
	z.fill(longestCode)
	if e := h.quick[z.bits&(1<<quickBits-1)]; e != 0 && uint(e&15) <= z.nbits {
		z.bits >>= e & 15
		z.nbits -= uint(e & 15)
		return int(e >> 4)
	}
	code, first, index := 0, 0, 0
	for n := 1; n <= longestCode && uint(n) <= z.nbits; n++ { //nolint:gosec // 1 to 15
		code |= int(z.bits>>(n-1)) & 1
		if offset := code - first; offset < h.count[n] {
			z.bits >>= n
			z.nbits -= uint(n) //nolint:gosec // 1 to 15
			return int(h.symbol[index+offset])
		}
		index += h.count[n]
		first = (first + h.count[n]) << 1
		code <<= 1
	}
	if z.nbits < longestCode {
		z.fail("cut")
	} else {
		z.fail("damaged: unknown code")
	}
	return 0
}

package verdict

// stored copies a block that is not compressed.
func (z *inflater) stored() {
	for z.left > 0 && z.nbits >= 8 {
		z.put(byte(z.take(8)))
		z.left--
	}
	if z.nbits == 0 {
		z.bits = 0
	}
	n := min(z.left, z.to-z.from)
	for _, c := range z.in[z.from : z.from+n] {
		z.put(c)
	}
	z.from += n
	if z.left -= n; z.left == 0 {
		z.blockOver()
	} else if z.dry {
		z.fail("cut")
	}
}

func (z *inflater) blockOver() {
	if z.phase = blockHeader; z.final {
		z.phase = gzipTrailer
	}
}

// block reads the header of a block (RFC 1951, section 3.2.3).
func (z *inflater) block() {
	z.final = z.take(1) == 1
	switch z.take(2) {
	case 0:
		z.align()
		size := z.take(16)
		if z.take(16) != size^0xffff {
			z.fail("damaged: lengths of a block differ")
		}
		z.left, z.phase = int(size), blockStored
		if size == 0 {
			z.blockOver()
		}
	case 1:
		z.fixedCodes()
		z.phase = blockCodes
	case 2:
		z.readCodes()
		z.phase = blockCodes
	default:
		z.fail("damaged: unknown kind of block")
	}
}

// codeOrder is the order in which the lengths of the codes for code lengths stand
// (RFC 1951, section 3.2.7).
var codeOrder = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15} //nolint:gochecknoglobals // a table, never written

// readCodes reads the code lengths of a block with codes of its own.
func (z *inflater) readCodes() {
	lits, dists, codes := int(z.take(5))+257, int(z.take(5))+1, int(z.take(4))+4
	var lengths [320]uint8
	for i := range codes {
		lengths[codeOrder[i]] = uint8(z.take(3)) //nolint:gosec // 3 bits
	}
	ok := z.lit.build(lengths[:19])
	clear(lengths[:])
	for n := 0; n < lits+dists && z.problem == ""; {
		symbol := z.decode(&z.lit)
		if symbol < 16 {
			lengths[n] = uint8(symbol) //nolint:gosec // below 16
			n++
			continue
		}
		var again int
		var length uint8
		switch symbol {
		case 16:
			if n == 0 {
				z.fail("damaged: nothing to repeat")
				return
			}
			length, again = lengths[n-1], 3+int(z.take(2))
		case 17:
			again = 3 + int(z.take(3))
		default:
			again = 11 + int(z.take(7))
		}
		if n+again > lits+dists {
			z.fail("damaged: too many codes")
			return
		}
		for range again {
			lengths[n] = length
			n++
		}
	}
	ok = ok && lengths[256] > 0 && z.lit.build(lengths[:lits]) && z.dist.build(lengths[lits:lits+dists])
	if !ok {
		z.fail("damaged: no code is so")
	}
}

// fixedCodes are those of RFC 1951, section 3.2.6.
func (z *inflater) fixedCodes() {
	var lengths [288]uint8
	for i := range lengths {
		switch {
		case i < 144:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		case i < 280:
			lengths[i] = 7
		default:
			lengths[i] = 8
		}
	}
	z.lit.build(lengths[:])
	for i := range 30 {
		lengths[i] = 5
	}
	z.dist.build(lengths[:30])
}

// symbols inflates while a whole symbol is in hand.
func (z *inflater) symbols() {
	for z.problem == "" && (z.dry || z.to-z.from >= symbolNeeds) {
		switch symbol := z.decode(&z.lit); {
		case z.problem != "":
		case symbol < 256:
			z.put(byte(symbol))
		case symbol == 256:
			z.blockOver()
			return
		default:
			z.copyBack(symbol)
		}
	}
}

// copyBack repeats what was inflated before (RFC 1951, section 3.2.5).
func (z *inflater) copyBack(symbol int) {
	length, distance := 258, 0
	switch n := symbol - 257; {
	case n < 8:
		length = 3 + n
	case n < 28:
		extra := uint(n/4 - 1) //nolint:gosec // 1 to 5
		length = 3 + (4+n%4)<<extra + int(z.take(extra))
	case n > 28:
		z.fail("damaged: unknown length")
	}
	switch n := z.decode(&z.dist); {
	case n < 4:
		distance = 1 + n
	case n < 30:
		extra := uint(n/2 - 1) //nolint:gosec // 1 to 13
		distance = 1 + (2+n%2)<<extra + int(z.take(extra))
	default:
		z.fail("damaged: unknown distance")
	}
	if z.problem == "" && int64(distance) > z.total+int64(z.at-z.sent) {
		z.fail("damaged: a copy of what was not there")
	}
	if z.problem != "" {
		return
	}
	from := (z.at - distance) & (historyBytes - 1)
	if z.at+length < historyBytes && from+length <= historyBytes && (distance >= length) {
		copy(z.history[z.at:z.at+length], z.history[from:])
		z.at += length
		return
	}
	for range length {
		z.put(z.history[from])
		from = (from + 1) & (historyBytes - 1)
	}
}

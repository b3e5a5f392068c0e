package forecast

import "math"

// demand is how many slots keys would use, by how long the work takes that they
// have left, in buckets that double.
type demand struct {
	wanted [buckets]float64
	work   float64 // seconds of slots for all there is
}

const buckets = 64

// bucket is that of a number of seconds, from about 2⁻³².
func bucket(seconds float64) uint8 {
	_, exponent := math.Frexp(seconds)
	return uint8(min(max(exponent+buckets/2, 0), buckets-1))
}

func (d *demand) add(bucket uint8, slots float64) { d.wanted[bucket] += slots }

// shares returns the part of what they want that keys get, by bucket. Half of the
// slots go to the keys with the most work, as the key table does it; the others are
// shared by all alike.
func (d *demand) shares(slots float64) (shares [buckets]float64) {
	var all float64
	for _, wanted := range d.wanted {
		all += wanted
	}
	heavy := 0.0 // slots that are given by weight
	if all > slots {
		heavy = slots / 2
	}
	even := 1.0
	if all > slots {
		even = (slots - heavy) / max(all-heavy, slots-heavy)
	}
	for b := buckets - 1; b >= 0; b-- {
		shares[b] = even
		if wanted := d.wanted[b]; wanted > 0 && heavy > 0 {
			first := min(1, heavy/wanted)
			shares[b] = first + (1-first)*even
			heavy -= first * wanted
		}
	}
	return shares
}

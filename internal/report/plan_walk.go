package report

import (
	"maps"
	"slices"
)

// scenario says how well sources do.
type scenario int

const (
	best    scenario = iota // each work gets its file from the first source that could give it, at no further cost
	assumes                 // as assumed
	worst                   // no source has any file
)

// asking is what a walk does at one source.
type asking struct {
	asked float64 // works
	files float64 // got
	tried float64 // candidates that are fetched
}

// bounds returns what is done at each source at least, as assumed, and at most:
// of the best and the worst that can happen, with no work in PMC or all of them.
func (p *Planner) bounds() (least, expected, most []asking) {
	least, expected, most = p.walk(best, 0), p.walk(assumes, assumed(inPMC, 0)), p.walk(worst, 0)
	for i, a := range p.walk(best, 1) {
		least[i] = asking{min(least[i].asked, a.asked), min(least[i].files, a.files), min(least[i].tried, a.tried)}
	}
	for i, a := range p.walk(worst, 1) {
		most[i] = asking{max(most[i].asked, a.asked), max(most[i].files, a.files), max(most[i].tried, a.tried)}
	}
	return least, expected, most
}

// walk asks the sources in their order about all works, as the harvest does: until
// there is a file, and, once a PMCID is learnt, those before that it opens. share
// is the part of the works that turn out to be in PMC.
func (p *Planner) walk(sc scenario, share float64) []asking {
	did := make([]asking, len(p.sources))
	for _, way := range slices.Sorted(maps.Keys(p.works)) {
		n := float64(p.works[way])
		p.follow(sc, way, n*share, true, did)
		p.follow(sc, way, n*(1-share), false, did)
	}
	return did
}

// follow asks about n works of one way. inPMC says that they turn out to be in PMC
// when a source is asked that would know.
func (p *Planner) follow(sc scenario, way string, n float64, inPMC bool, did []asking) {
	known, asked := false, make([]bool, len(p.sources))
	for n > 0 {
		i := 0
		for ; i < len(way); i++ {
			if !asked[i] && (way[i] == accepted || way[i] == byPMCID && known) {
				break
			}
		}
		if i == len(way) {
			return
		}
		asked[i] = true
		did[i].asked += n
		if p.sources[i].learns {
			known = known || inPMC
			continue
		}
		files, tried := p.sources[i].give(sc, n)
		did[i].files += files
		did[i].tried += tried
		n -= files
	}
}

// give is how many of n works get their file from a source, and how many of its
// candidates are tried for that.
func (s plannedSource) give(sc scenario, n float64) (files, tried float64) {
	switch sc {
	case best:
		if s.Local() {
			return n, n
		}
		return n, 0 // what it would name is a guess, and no bound
	case worst:
		return 0, n
	default:
		files = n * s.yield
		if s.Local() {
			return files, n // it always has a candidate
		}
		return files, min(n, files/assumed(candidateOK, 1))
	}
}

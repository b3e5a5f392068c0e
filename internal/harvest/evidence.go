package harvest

import (
	"strings"
	"sync"

	"github.com/quire-dev/quire/paper"
)

const (
	// enough is how many candidates must have been tried at a place before it is
	// judged, and poor the share of them that gave their file below which others
	// are tried first. Suggested hosts of publishers are walled for 25 to 60 % of
	// works, repositories for 2 to 5 %; what is put back gives less than either.
	enough = 8
	poor   = 0.2
	// maxPlaces bounds the memory; beyond it all that is known counts half, and
	// what was seen once is forgotten.
	maxPlaces = 20_000
)

// evidence counts, for this run, which places gave what they should: hosts, and
// registrants of DOIs as each source leads to them. Safe for concurrent use.
type evidence struct {
	mu     sync.Mutex
	places map[string]tally
}

type tally struct{ good, bad uint32 }

// note counts the end of a trial that made requests. Only what says something of
// the next one there is counted: a host that is down is the scheduler's business,
// and a dead link is about one work.
func (e *evidence) note(a paper.Artifact, c paper.Candidate, class paper.Class) {
	var good, bad uint32
	switch class {
	case "":
		good = 1
	case paper.Forbidden, paper.Challenge, paper.CookieWall, paper.LoginWall, paper.Paywall, paper.WrongType:
		bad = 1
	default:
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.places == nil {
		e.places = make(map[string]tally)
	}
	for _, place := range placesOf(a, c) {
		t := e.places[place]
		e.places[place] = tally{t.good + good, t.bad + bad}
	}
	if len(e.places) > maxPlaces {
		e.fade()
	}
}

// fade halves all counts. The caller holds mu.
func (e *evidence) fade() {
	for place, t := range e.places {
		if t = (tally{t.good / 2, t.bad / 2}); t == (tally{}) {
			delete(e.places, place)
			continue
		}
		e.places[place] = t
	}
}

// against returns the place for which it is unlikely that a candidate gives its
// file, with what is known of it, or nothing.
func (e *evidence) against(a paper.Artifact, c paper.Candidate) (place string, t tally) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, place := range placesOf(a, c) {
		if t := e.places[place]; t.good+t.bad >= enough && float64(t.good) < poor*float64(t.good+t.bad) {
			return place, t
		}
	}
	return "", tally{}
}

// placesOf are the host of a candidate and, of a DOI, its registrant with the
// source that named the candidate.
func placesOf(a paper.Artifact, c paper.Candidate) []string {
	var places []string
	if key, err := paper.HostKey(c.URL); err == nil {
		places = append(places, strings.TrimPrefix(key, "host:"))
	}
	if registrant, _, found := strings.Cut(a.IDs.DOI, "/"); found {
		places = append(places, "DOIs of "+registrant+" by "+c.Source)
	}
	return places
}

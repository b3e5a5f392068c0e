package main

import (
	"context"
	"math"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/quire-dev/quire/internal/testweb"
)

// What requests take: medians of lognormal distributions.
const (
	askMedian  = 45 * time.Millisecond
	hostMedian = 250 * time.Millisecond
	hostSpread = 0.5 // sigma of the hosts' medians
	spread     = 0.6 // sigma of the requests of one host
	slowFactor = 6.0
	slowRanks  = 9 // the slow host is one of so many
)

// Ranks of the hosts of particular manners, by popularity from 0. Those where
// everything fails have few works: the budget of retries, one in ten seconds for each
// key, is not scaled, and with many works they would be all that a run waits for.
const (
	shakyRank     = 3 // fails one time in ten
	throttledRank = 5 // refuses what is too much, and says for how long
	sluggishRank  = 9 // sends slowly
	robotsRank    = 12
	brokenRank    = 140 // always fails
	resetRank     = 145 // hangs up
)

// sources are the hosts of the services.
func sources() []string {
	return []string{
		"api.unpaywall.org", "api.crossref.org", "api.openalex.org", "www.ebi.ac.uk", "api.semanticscholar.org",
		"api.datacite.org", "export.arxiv.org", "arxiv.org", "zenodo.org", "api.figshare.com", "api.osf.io", "api.archives-ouvertes.fr",
		"api.biorxiv.org", "pmc.ncbi.nlm.nih.gov", "doaj.org", "web.archive.org", "archive.org", "doi.org", "dx.doi.org",
		"pmc-oa-opendata.s3.amazonaws.com", "europepmc.org",
	}
}

// sites says how hosts behave.
func (s *scene) sites() map[string]testweb.Site {
	sites := make(map[string]testweb.Site)
	for _, host := range sources() {
		median := time.Duration(float64(askMedian) * math.Exp(hostSpread*s.random.NormFloat64()))
		sites[host] = testweb.Site{Behaviours: []testweb.Behaviour{s.takes(median)}}
	}
	slow := 1 + s.random.IntN(slowRanks)
	for rank, host := range s.hosts {
		median := time.Duration(float64(hostMedian) * math.Exp(hostSpread*s.random.NormFloat64()))
		if rank == slow {
			median = time.Duration(float64(hostMedian) * slowFactor)
		}
		site := testweb.Site{Behaviours: []testweb.Behaviour{s.takes(median)}}
		add := func(b testweb.Behaviour) { site.Behaviours = append(site.Behaviours, b) }
		switch rank {
		case throttledRank:
			add(testweb.Throttle(8, 4*time.Second, testweb.InSeconds))
		case sluggishRank:
			add(testweb.Slow(24 << 10)) // at most 60 KiB in 2.5 s, apart from the large ones
		case shakyRank:
			add(s.sometimes(0.1, testweb.Fail(http.StatusServiceUnavailable)))
		case brokenRank:
			add(testweb.Fail(http.StatusInternalServerError))
		case resetRank:
			add(testweb.Reset())
		case robotsRank:
			site.Robots = "User-agent: *\nDisallow: /pdf/\n"
		}
		sites[host] = site
	}
	return sites
}

// takes waits before each answer for a lognormal time.
func (s *scene) takes(median time.Duration) testweb.Behaviour {
	dice := s.dice()
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			d := dice(func(random *rand.Rand) float64 { return math.Exp(spread * random.NormFloat64()) })
			if pause(r.Context(), time.Duration(float64(median)*d)) {
				h.ServeHTTP(rw, r)
			}
		})
	}
}

// sometimes applies b to a share of the requests.
func (s *scene) sometimes(share float64, b testweb.Behaviour) testweb.Behaviour {
	dice := s.dice()
	return func(h http.Handler) http.Handler {
		other := b(h)
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if dice((*rand.Rand).Float64) < share {
				other.ServeHTTP(rw, r)
				return
			}
			h.ServeHTTP(rw, r)
		})
	}
}

// dice returns a source of numbers for many goroutines.
func (s *scene) dice() func(func(*rand.Rand) float64) float64 {
	random := rand.New(rand.NewPCG(s.random.Uint64(), 0))
	var mu sync.Mutex
	return func(throw func(*rand.Rand) float64) float64 {
		mu.Lock()
		defer mu.Unlock()
		return throw(random)
	}
}

func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

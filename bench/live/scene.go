package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"

	"github.com/quire-dev/quire/internal/testweb"
)

// scene is the web of a seed: works of whom about half can be had, as of the works
// in the corpus that Quire is tested with (958 of 1,890), at hosts of all manners.
type scene struct {
	random *rand.Rand
	hosts  []string // by popularity
	sums   []float64
	world  testweb.World
}

// leastHosts is how many hosts there must be for each manner to have one.
const leastHosts = 150

// prefix is the DOI prefix that Crossref keeps for tests and examples.
const prefix = "10.5555/"

func newScene(c config) *scene {
	s := &scene{random: rand.New(rand.NewPCG(c.seed, 0))}
	total := 0.0
	for n := range c.hosts {
		s.hosts = append(s.hosts, fmt.Sprintf("www.press%03d.example", n))
		total += 1 / float64(n+1) // Zipf 1.0, as bench/schedule has it
		s.sums = append(s.sums, total)
	}
	for range c.works {
		s.world.Works = append(s.world.Works, s.work(c.seed))
	}
	s.world.Sites = s.sites()
	return s
}

// host picks one by its popularity.
func (s *scene) host() string {
	n, _ := slices.BinarySearch(s.sums, s.random.Float64()*s.sums[len(s.sums)-1])
	return s.hosts[min(n, len(s.hosts)-1)]
}

// ending is a way for a work to end, and its share of all works.
type ending struct {
	share float64
	shape func(*scene, *testweb.Work)
}

func endings() []ending {
	return []ending{
		{0.26, (*scene).direct},
		{0.09, (*scene).page},
		{0.06, (*scene).redirected},
		{0.05, (*scene).pmc},
		{0.05, (*scene).second},
		{0.02, (*scene).large},
		{0.01, (*scene).preprint},
		{0.37, (*scene).closed},
		{0.04, (*scene).gone},
		{0.03, (*scene).unknown},
		{0.02, (*scene).walled},
	}
}

// work makes the next work.
func (s *scene) work(seed uint64) testweb.Work {
	n, host := len(s.world.Works)+1, s.host()
	w := testweb.Work{
		DOI: fmt.Sprintf("%slive.%d.%05d", prefix, seed, n), Title: title(s.random, n), Year: 2011 + s.random.IntN(14),
		Journal: "Journal of Made-up Results", Publisher: host, Landing: fmt.Sprintf("https://%s/article/%05d", host, n),
	}
	w.Copies = []testweb.Copy{{
		URL: fmt.Sprintf("https://%s/pdf/%05d.pdf", host, n), Page: w.Landing,
		Publisher: true, Version: "publishedVersion", License: "cc-by",
	}}
	var all float64
	for _, e := range endings() {
		all += e.share
	}
	at := s.random.Float64() * all
	for _, e := range endings() {
		if at -= e.share; at < 0 {
			e.shape(s, &w)
			break
		}
	}
	for i, c := range w.Copies {
		if c.Lies == nil && c.URL != "" {
			w.Copies[i].Lies = made(w.Title+"\n"+w.Identifier(), testweb.SizeOf(c.URL))
		}
	}
	return w
}

// made serves a file that is made when it is asked for: all of them at once would
// fill the memory.
func made(seed string, size int) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		testweb.File("application/pdf", testweb.PDF(seed, size)).ServeHTTP(rw, r)
	})
}

// direct is a file that the services know.
func (s *scene) direct(*testweb.Work) {}

// page is a file that only the work's page knows.
func (s *scene) page(w *testweb.Work) {
	w.Link, w.Copies[0].URL = w.Copies[0].URL, ""
}

// redirected is a file at another host than its address says.
func (s *scene) redirected(w *testweb.Work) {
	w.Link = fmt.Sprintf("https://%s/moved/%s.pdf", s.host(), w.DOI[len(prefix):])
	w.Copies[0].Lies = testweb.Redirect(http.StatusFound, w.Link)
}

func (s *scene) pmc(w *testweb.Work) {
	n := len(s.world.Works) + 1
	w.PMCID, w.PMID = fmt.Sprintf("PMC990%05d", n), fmt.Sprintf("990%05d", n)
}

// second is a work whose publisher wants a sign-in, with another copy elsewhere.
func (s *scene) second(w *testweb.Work) {
	w.Copies[0].Lies = signIn()
	w.Copies = append(w.Copies, testweb.Copy{
		URL:     fmt.Sprintf("https://%s/eprint/%s.pdf", s.host(), w.DOI[len(prefix):]),
		Version: "acceptedVersion", License: "cc-by-nc",
	})
}

// large is a file of up to 2 MiB.
func (s *scene) large(w *testweb.Work) {
	size := 1 << 20 * math.Exp2(-2+3*s.random.Float64())
	w.Copies[0].Lies = made(w.Title+"\n"+w.Identifier(), int(size))
}

func (s *scene) preprint(w *testweb.Work) {
	w.ArXiv = fmt.Sprintf("2401.%05d", len(s.world.Works)+1)
	w.DOI, w.Landing, w.Copies = "", "", nil
}

func (s *scene) closed(w *testweb.Work) { w.Copies = nil }

func (s *scene) gone(w *testweb.Work) { w.Copies[0].Lies = http.NotFoundHandler() }

func (s *scene) unknown(w *testweb.Work) { w.Unknown, w.Landing, w.Copies = true, "", nil }

func (s *scene) walled(w *testweb.Work) { w.Copies[0].Lies = signIn() }

func signIn() http.Handler {
	return testweb.Page(http.StatusOK, "Sign in to read", "<h1>Sign in</h1>\n<p>Your institution may have access.</p>")
}

func title(random *rand.Rand, n int) string {
	subjects := []string{"upland peat", "river ice", "hedgerow bees", "tram networks", "kelp forests", "orchard soils"}
	ways := []string{"a four-year record", "a simple model", "a replication", "first results", "limits of inference"}
	return fmt.Sprintf("On %s, %s (%d)", subjects[random.IntN(len(subjects))], ways[random.IntN(len(ways))], n)
}

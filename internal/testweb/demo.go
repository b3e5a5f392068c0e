package testweb

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"
)

// demoPrefix is the DOI prefix that Crossref keeps for tests and examples.
const demoPrefix = "10.5555/"

// DemoWorld makes the miniature scholarly web of "quire demo": 52 made-up works
// at 18 hosts under the reserved top-level domain .example (RFC 2606). Most are
// healthy; one host is slow, one throttles, one lies, one has a bad start, one
// always fails, one redirects to another, one has pages only, one keeps
// programs out by robots.txt. The seed chooses titles and years; the outcomes
// are the same for every seed.
func DemoWorld(seed uint64) World {
	const works = 52
	d := &demo{random: rand.New(rand.NewPCG(seed, 0))}
	d.titles = titles(d.random, works)
	d.healthy()
	d.services()
	d.troubled()
	d.elsewhere()
	d.notToBeHad()
	return World{Works: d.works, Sites: demoSites(), Placeholders: true}
}

// demoSites says how the hosts misbehave. Redirects and lies are with the works.
func demoSites() map[string]Site {
	return map[string]Site{
		"journals.aldine.example":   {Behaviours: []Behaviour{Latency(30 * time.Millisecond)}},
		"repo.northfield.example":   {Behaviours: []Behaviour{Latency(60 * time.Millisecond)}},
		"slow.harbourpress.example": {Behaviours: []Behaviour{Slow(24 << 10)}}, // at most 60 KiB: 2.5 s
		"archive.stolwijk.example":  {Behaviours: []Behaviour{Throttle(1, time.Second, InSeconds)}},
		"press.kettering.example":   {Behaviours: []Behaviour{First(2, Fail(http.StatusServiceUnavailable))}},
		"www.broken.example":        {Behaviours: []Behaviour{Fail(http.StatusInternalServerError)}},
		"www.marlowe.example":       {Robots: "User-agent: *\nDisallow: /download/\n"},
	}
}

// demo collects the works of the demo's world.
type demo struct {
	random *rand.Rand
	titles []string
	works  []Work
}

// at makes a work whose page and file are at a host, as its publisher.
func (d *demo) at(host string) Work {
	n := len(d.works) + 1
	year := 2011 + d.random.IntN(14)
	doi := fmt.Sprintf("%squire.%d.%03d", demoPrefix, year, n)
	work := Work{
		DOI: doi, Title: d.titles[n-1], Year: year,
		Journal: "Journal of Made-up Results", Publisher: host,
		Landing: fmt.Sprintf("https://%s/article/%03d", host, n),
		Want:    Want{State: "done"},
	}
	work.Copies = []Copy{{
		URL: fmt.Sprintf("https://%s/pdf/%03d.pdf", host, n), Page: work.Landing,
		Publisher: true, Version: "publishedVersion", License: "cc-by",
	}}
	return work
}

func (d *demo) add(work Work) { d.works = append(d.works, work) }

// healthy hosts just serve: 15 works at 5 hosts.
func (d *demo) healthy() {
	for _, host := range []string{
		"journals.aldine.example", "repo.northfield.example", "open.lindqvist.example",
		"www.calder-review.example", "dspace.estrada.example",
	} {
		for range 3 {
			d.add(d.at(host))
		}
	}
}

// services are works that one service alone leads to: PMC's bucket, arXiv,
// OpenAlex, Crossref.
func (d *demo) services() {
	for i := range 4 {
		work := d.at("annals.hollis.example")
		work.PMCID, work.PMID = fmt.Sprintf("PMC99900%02d", i+1), fmt.Sprintf("999000%02d", i+1)
		work.Copies = nil
		if i%2 == 1 {
			work.DOI, work.Landing = "", ""
		}
		d.add(work)
	}
	for i := range 2 {
		work := d.at("arxiv.org")
		work.DOI, work.Landing, work.Copies = "", "", nil
		work.ArXiv = fmt.Sprintf("2401.9900%d", i+1)
		d.add(work)
	}
	for _, service := range []string{"openalex", "crossref"} {
		work := d.at("papers.ostrander.example")
		work.Copies[0].Services = []string{service}
		d.add(work)
	}
}

// troubled hosts give their files in the end: slow, throttling, 5xx at first.
func (d *demo) troubled() {
	for _, host := range []string{"slow.harbourpress.example", "archive.stolwijk.example", "press.kettering.example"} {
		for range 3 {
			d.add(d.at(host))
		}
	}
}

// elsewhere are works whose file is not where it is said to be: a lying host
// with a good second copy, a redirect across hosts, pages that name the file.
func (d *demo) elsewhere() {
	for range 3 {
		work := d.at("www.quickpdf.example")
		work.Copies[0].Lies = Page(http.StatusOK, "Sign up to read", "<h1>Sign up</h1>\n<p>Create an account to go on.</p>")
		work.Copies = append(work.Copies, Copy{
			URL:     fmt.Sprintf("https://eprints.varga.example/%03d/1/paper.pdf", len(d.works)+1),
			Version: "acceptedVersion", License: "cc-by-nc",
		})
		d.add(work)
	}
	for range 3 {
		work := d.at("link.westbrook.example")
		file := fmt.Sprintf("https://files.westbrook.example/%03d.pdf", len(d.works)+1)
		work.Copies[0].Lies = Redirect(http.StatusFound, file)
		work.Link = file
		d.add(work)
	}
	for range 3 {
		work := d.at("pages.teviot.example")
		work.Link, work.Copies[0].URL = work.Copies[0].URL, ""
		d.add(work)
	}
}

// notToBeHad are works that end without a file: 5 not open, 2 at a host that
// always fails, 1 with a page that names no file, 1 that robots.txt keeps, 1
// whose file is gone, 1 DOI that does not exist.
func (d *demo) notToBeHad() {
	for range 5 {
		work := d.at("www.closed.example")
		work.Copies = nil
		work.Want = Want{"skipped", []string{"no_oa_location", "no_pdf_link"}}
		d.add(work)
	}
	for range 2 {
		work := d.at("www.broken.example")
		work.Want = Want{"error", []string{"transient"}}
		d.add(work)
	}

	work := d.at("pages.teviot.example")
	work.Copies[0].URL = ""
	work.Want = Want{"skipped", []string{"no_pdf_link"}}
	d.add(work)

	work = d.at("www.marlowe.example")
	work.Link, work.Copies[0].URL = fmt.Sprintf("https://www.marlowe.example/download/%03d.pdf", len(d.works)+1), ""
	work.Want = Want{"skipped", []string{"policy_skipped"}}
	d.add(work)

	work = d.at("open.lindqvist.example")
	work.Copies[0].Lies = http.NotFoundHandler()
	work.Want = Want{"error", []string{"gone"}}
	d.add(work)

	work = d.at("www.closed.example")
	work.Unknown, work.Landing, work.Copies = true, "", nil
	work.Want = Want{"error", []string{"not_found_id"}}
	d.add(work)
}

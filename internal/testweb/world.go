package testweb

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Work is a scholarly work of a [World].
type Work struct {
	DOI   string // lower case
	ArXiv string // without version
	PMCID string // PMC1; its file is in PMC's open-data bucket
	PMID  string

	Title, Journal, Publisher string
	Year                      int

	Landing string // URL of the page that doi.org leads to; needed for a DOI that exists
	Link    string // the file that the page at Landing names in a citation_pdf_url tag; empty: that of the first copy, if any
	Copies  []Copy // where services say it can be had

	// Unknown is a DOI that does not exist: doi.org and all services miss.
	Unknown bool

	Want Want

	openAlex string // set by newLibrary
}

// Copy is one place of a work, as the metadata services know it.
type Copy struct {
	URL       string // of the file; empty if the services know only the page, which is then Landing
	Page      string // its landing page
	Publisher bool   // at the publisher; otherwise in a repository
	Version   string // publishedVersion, acceptedVersion, submittedVersion
	License   string // cc-by and the like; empty: none stated

	// Services are those that know of the copy: unpaywall, openalex, crossref,
	// semanticscholar, doaj, openaire, core, and wayback if there is a capture of it.
	// nil means the first four, but crossref only if it is the publisher's. Those of
	// repositories know only of copies that name them: zenodo, figshare, osf, hal,
	// biorxiv, medrxiv, datacite.
	Services []string

	Lies http.Handler // what URL answers instead of the work's PDF
}

// Want is what harvesting a work must end in.
type Want struct {
	State   string   // done, skipped, error
	Classes []string // failure classes, one of which it must have; none when done
}

// Site is how a host of a world behaves beyond serving its works, or as the
// service it is.
type Site struct {
	Behaviours []Behaviour
	Robots     string // robots.txt; empty: none
}

// World is a web of works: the metadata services at their real hosts, and the
// sites where the files are.
type World struct {
	Works []Work
	Sites map[string]Site // by host; those not named just serve

	// Placeholders lets api.unpaywall.org take addresses at example.*, which it
	// refuses in the real world.
	Placeholders bool
}

// Identifiers returns what one would ask for to get every work: its DOI, or
// else its arXiv identifier or PMCID.
func (world World) Identifiers() []string {
	var ids []string
	for _, work := range world.Works {
		ids = append(ids, work.Identifier())
	}
	return ids
}

// Identifier returns the work's artifact id, such as doi:10.5555/x.
func (work Work) Identifier() string {
	switch {
	case work.DOI != "":
		return "doi:" + work.DOI
	case work.ArXiv != "":
		return "arxiv:" + work.ArXiv
	}
	return "pmcid:" + work.PMCID
}

// File returns the bytes of the work's PDF at a URL. They differ from URL to
// URL, as the copies of real works do.
func (work Work) File(fileURL string) []byte {
	return PDF(work.Title+"\n"+work.Identifier()+"\n"+fileURL, SizeOf(fileURL))
}

// Files returns the SHA-256 sums, in hex, of all PDFs of the work that the
// world serves.
func (work Work) Files() []string {
	var sums []string
	for _, fileURL := range work.fileURLs() {
		sum := sha256.Sum256(work.File(fileURL))
		sums = append(sums, hex.EncodeToString(sum[:]))
	}
	return sums
}

func (work Work) fileURLs() []string {
	var urls []string
	for _, c := range work.Copies {
		if c.URL != "" && c.Lies == nil {
			urls = append(urls, c.URL)
		}
	}
	if work.Link != "" && !slices.Contains(urls, work.Link) {
		urls = append(urls, work.Link)
	}
	if work.PMCID != "" {
		urls = append(urls, work.pmcFileURL())
	}
	if work.ArXiv != "" {
		urls = append(urls, work.arXivFileURL())
	}
	return urls
}

func (work Work) link() string {
	if work.Link == "" && len(work.Copies) > 0 {
		return work.Copies[0].URL
	}
	return work.Link
}

func (work Work) pmcFileURL() string {
	return "https://" + pmcBucket + ".s3.amazonaws.com/" + work.PMCID + ".1/" + work.PMCID + ".1.pdf"
}

func (work Work) arXivFileURL() string { return "https://arxiv.org/pdf/" + work.ArXiv }

// Serve registers all hosts of the world.
func (w *Web) Serve(world World) {
	lib := newLibrary(world.Works)
	fixed := services(lib.find, world.Placeholders)
	fixed[pmcBucket+".s3.amazonaws.com"] = newBucket(pmcBucket, lib.pmcObjects())
	fixed["europepmc.org"] = lib.europePMCFiles()
	fixed["web.archive.org"] = archive(lib.captures())
	fixed["arxiv.org"] = arXivFiles(lib.arXivFile)
	fixed["doi.org"] = doiProxy(lib.landing)
	fixed["dx.doi.org"] = doiProxy(lib.landing)
	for host, h := range fixed {
		w.Host(host, h, world.Sites[host].Behaviours...)
	}
	for host, paths := range world.pages() {
		site := world.Sites[host]
		if fixed[host] == nil || len(paths) > 0 {
			w.Host(host, paths, site.Behaviours...)
		}
		if site.Robots != "" {
			w.Robots(host, site.Robots)
		}
	}
}

// pages lays out the files and landing pages of all works, by host and path.
func (world World) pages() map[string]Paths {
	hosts := map[string]Paths{}
	for host := range world.Sites {
		hosts[host] = Paths{}
	}
	put := func(rawURL string, h http.Handler) {
		u, err := url.Parse(rawURL)
		if err != nil || rawURL == "" {
			return
		}
		if hosts[u.Hostname()] == nil {
			hosts[u.Hostname()] = Paths{}
		}
		hosts[u.Hostname()][u.RequestURI()] = h
	}
	for _, work := range world.Works {
		for _, c := range work.Copies {
			put(c.Page, Landing(work.Title, work.DOI, c.URL))
			if c.Lies != nil {
				put(c.URL, c.Lies)
			}
		}
		put(work.Landing, Landing(work.Title, work.DOI, work.link()))
		for _, fileURL := range work.fileURLs() {
			if !strings.HasPrefix(fileURL, "https://"+pmcBucket) && !strings.HasPrefix(fileURL, "https://arxiv.org/") {
				put(fileURL, File("application/pdf", work.File(fileURL)))
			}
		}
	}
	return hosts
}

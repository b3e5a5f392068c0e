package testweb

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Replay serves a corpus of recorded traffic as if it were the network: the
// recorded answers, the bulk records in the shape that each service answers
// with, the recorded pages, and a made PDF wherever a record says there is one.
// It is the handler of all hosts at once: give it to [Web.Fallback].
type Replay struct {
	// Robots serves the corpus's robots.txt files at their hosts. By default no
	// host has one.
	Robots bool

	recordings map[string][]recording // by requestKey
	records    map[string]any         // by service + " " + prefixed identifier; json.RawMessage or arXivRecord
	pages      map[string]page        // by urlKey
	landings   map[string]string      // DOI to URL of a recorded page
	pdfs       map[string]bool        // by urlKey: a record says that a PDF is there
	robots     map[string][]byte      // by host
	known      map[string]bool        // DOIs and arXiv identifiers of works, with prefix
	services   map[string]http.Handler
}

// OpenReplay reads a corpus directory.
func OpenReplay(dir string) (*Replay, error) {
	rp := &Replay{
		recordings: map[string][]recording{},
		records:    map[string]any{},
		pages:      map[string]page{},
		landings:   map[string]string{},
		pdfs:       map[string]bool{},
		robots:     map[string][]byte{},
		known:      map[string]bool{},
	}
	for _, read := range []func(string) error{
		rp.readWorks, rp.readRecordings, rp.readBulk, rp.readPages, rp.readRobots,
	} {
		if err := read(dir); err != nil {
			return nil, fmt.Errorf("read corpus: %w", err)
		}
	}
	rp.services = services(rp.find, true)
	rp.services["doi.org"] = doiProxy(rp.landing)
	rp.services["dx.doi.org"] = rp.services["doi.org"]
	rp.services["arxiv.org"] = arXivFiles(rp.arXivFile)
	rp.services[pmcBucket+".s3.amazonaws.com"] = newBucket(pmcBucket, nil)
	return rp, nil
}

// ServeHTTP answers, in this order: robots.txt, a recording of this very
// request, a PDF that a record names, a recorded page, the service at this
// host, the made-up landing page of a known DOI, 404.
func (rp *Replay) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	host := hostName(r.Host)
	if r.URL.Path == robotsPath {
		rp.serveRobots(rw, r, host)
		return
	}
	if rec, ok := rp.recorded(r); ok {
		rec.serve(rw)
		return
	}
	key := urlKey(requestURL(r))
	if rp.pdfs[key] {
		File("application/pdf", replayPDF(key)).ServeHTTP(rw, r)
		return
	}
	if p, ok := rp.pages[key]; ok {
		reply(rw, p.status, p.contentType, p.body)
		return
	}
	if service, ok := rp.services[host]; ok {
		service.ServeHTTP(rw, r)
		return
	}
	if doi, ok := strings.CutPrefix(r.URL.Path, "/doi/"); ok && strings.HasSuffix(host, madeUpPublisher) && rp.known["doi:"+doi] {
		Landing("A work that cannot be had here", doi, "").ServeHTTP(rw, r)
		return
	}
	http.NotFound(rw, r)
}

func (rp *Replay) serveRobots(rw http.ResponseWriter, r *http.Request, host string) {
	text, ok := rp.robots[host]
	if !rp.Robots || !ok {
		http.NotFound(rw, r)
		return
	}
	reply(rw, http.StatusOK, "text/plain", text)
}

// find is a [finder] over the bulk records.
func (rp *Replay) find(service, id string) (any, bool) {
	record, ok := rp.records[service+" "+id]
	return record, ok
}

// madeUpPublisher ends the hosts of the landing pages that the corpus lacks:
// one for each DOI prefix, as in 10-1371.publisher.example.
const madeUpPublisher = ".publisher.example"

// landing is where doi.org leads: to the recorded page of the DOI, or else to
// a page without a file.
func (rp *Replay) landing(doi string) (string, bool) {
	if to, ok := rp.landings[doi]; ok {
		return to, true
	}
	if !rp.known["doi:"+doi] {
		return "", false
	}
	prefix, _, _ := strings.Cut(doi, "/")
	to := url.URL{Scheme: "https", Host: strings.ReplaceAll(prefix, ".", "-") + madeUpPublisher, Path: "/doi/" + doi}
	return to.String(), true
}

// arXivFile gives a PDF for every arXiv identifier among the corpus's works and
// records.
func (rp *Replay) arXivFile(id string) ([]byte, bool) {
	if !rp.known["arxiv:"+id] {
		return nil, false
	}
	return replayPDF(urlKey("https://arxiv.org/pdf/" + id)), true
}

// WantPDF returns the URLs of PDFs in the answer that the replay gives to
// Unpaywall's /v2/{doi}, in its order and without repetition.
func (rp *Replay) WantPDF(doi string) []string {
	record, ok := rp.unpaywallAnswer(strings.ToLower(doi))
	if !ok {
		return nil
	}
	var row unpaywallRow
	if json.Unmarshal(record, &row) != nil {
		return nil
	}
	return row.unpaywallPDFs()
}

func (rp *Replay) unpaywallAnswer(doi string) (json.RawMessage, bool) {
	for _, rec := range rp.recordings[requestKey(http.MethodGet, "https://api.unpaywall.org/v2/"+url.PathEscape(doi))] {
		return rec.body, rec.status == http.StatusOK
	}
	record, ok := rp.records["unpaywall doi:"+doi].(json.RawMessage)
	return record, ok
}

// SHA256 returns the sum, in hex, of the PDF that the replay serves at a URL
// that [Replay.WantPDF] gave. Scheme and spelling of the URL do not matter.
func (rp *Replay) SHA256(fileURL string) string {
	sum := sha256.Sum256(replayPDF(urlKey(fileURL)))
	return hex.EncodeToString(sum[:])
}

func replayPDF(key string) []byte { return PDF(key, SizeOf(key)) }

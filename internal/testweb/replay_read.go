package testweb

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// maxCorpusLine bounds a line of the corpus, in bytes.
const maxCorpusLine = 16 << 20

// recording is one recorded exchange.
type recording struct {
	accept string // of the request; empty if not recorded
	status int
	header map[string]string
	body   []byte
	at     string // RFC 3339; empty if unknown
}

// page is one recorded page.
type page struct {
	status      int
	contentType string
	body        []byte
}

func (rec recording) serve(rw http.ResponseWriter) {
	for name, value := range rec.header {
		rw.Header().Set(name, value)
	}
	rw.Header().Del("Date")
	reply(rw, rec.status, rec.header["content-type"], rec.body)
}

// eachLine calls do with every JSON line of a file, .gz or not.
func eachLine[T any](path string, do func(T) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxCorpusLine)
	for n := 1; lines.Scan(); n++ {
		var row T
		err := json.Unmarshal(lines.Bytes(), &row)
		if err == nil {
			err = do(row)
		}
		if err != nil {
			return fmt.Errorf("%s: line %d: %w", path, n, err)
		}
	}
	return lines.Err()
}

func (rp *Replay) readWorks(dir string) error {
	return eachLine(filepath.Join(dir, "works.jsonl"), func(work struct{ DOI, ArXiv, Title string }) error {
		if work.DOI != "" {
			rp.known["doi:"+strings.ToLower(work.DOI)] = true
		}
		if work.ArXiv != "" {
			id := arXivBase(work.ArXiv)
			rp.known["arxiv:"+id] = true
			rp.records["arxiv arxiv:"+id] = arXivRecord{ID: id, Title: work.Title, DOI: work.DOI}
		}
		return nil
	})
}

func (rp *Replay) readRecordings(dir string) error {
	type row struct {
		Service, Method, URL string
		Request              map[string]string `json:"request_headers"`
		Status               int
		Response             map[string]string `json:"response_headers"`
		BodyFile             string            `json:"body_file"`
		At                   string            `json:"recorded_at"`
		Note                 string
	}
	return eachLine(filepath.Join(dir, "recordings.jsonl"), func(r row) error {
		body, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(r.BodyFile)))
		if err != nil {
			return err
		}
		if strings.HasPrefix(r.Note, "single result object") { // not what the service sends
			rp.index(r.Service, body)
			return nil
		}
		if r.Status == http.StatusOK && !strings.Contains(r.URL, "select=") { // whole records only
			rp.index(r.Service, unwrapped(r.Service, body))
			for _, record := range listed(r.Service, body) {
				rp.index(r.Service, record)
			}
		}
		key := requestKey(r.Method, r.URL)
		rec := recording{r.Request["accept"], r.Status, r.Response, body, r.At}
		rp.recordings[key] = newestFirst(rp.recordings[key], rec)
		return nil
	})
}

// newestFirst puts rec before the recordings that are older.
func newestFirst(recs []recording, rec recording) []recording {
	for i := range recs {
		if instant(rec.at).After(instant(recs[i].at)) {
			return append(recs[:i:i], append([]recording{rec}, recs[i:]...)...)
		}
	}
	return append(recs, rec)
}

func instant(text string) time.Time {
	t, _ := time.Parse(time.RFC3339, text) // unknown: the oldest
	return t
}

// bulkServices are the services whose bulk records are replayed.
func bulkServices() []string {
	return []string{"unpaywall", "crossref", "openalex", "europepmc", "datacite", "semanticscholar", "zenodo", "biorxiv", "doaj"}
}

func (rp *Replay) readBulk(dir string) error {
	for _, service := range bulkServices() {
		path := filepath.Join(dir, "bulk", service+".jsonl.gz")
		err := eachLine(path, func(row struct{ Record json.RawMessage }) error {
			rp.index(service, row.Record)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (rp *Replay) readPages(dir string) error {
	type row struct {
		File, URL, DOI string
		Status         int
		ContentType    string `json:"content_type"`
		Expected       struct {
			PDF string `json:"pdf_url"`
		}
	}
	return eachLine(filepath.Join(dir, "html", "index.jsonl"), func(r row) error {
		body, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(r.File)))
		if err != nil {
			return err
		}
		rp.pages[urlKey(r.URL)] = page{r.Status, r.ContentType, body}
		if r.DOI != "" {
			rp.landings[strings.ToLower(r.DOI)] = r.URL
		}
		if r.Expected.PDF != "none" {
			rp.pdfs[urlKey(r.Expected.PDF)] = true
		}
		return nil
	})
}

func (rp *Replay) readRobots(dir string) error {
	return eachLine(filepath.Join(dir, "robots", "index.jsonl"), func(r struct{ File, Host string }) error {
		text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(r.File)))
		if errors.Is(err, os.ErrNotExist) || r.Host == "" {
			return nil
		}
		rp.robots[r.Host] = text
		return err
	})
}

package testweb

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"strings"
)

const semanticScholarPaper = "/graph/v1/paper/"

// semanticScholar answers /graph/v1/paper/{id} and POST /graph/v1/paper/batch.
func semanticScholar(find finder) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		id, ok := strings.CutPrefix(r.URL.Path, semanticScholarPaper)
		switch {
		case !ok:
			replyJSON(rw, http.StatusNotFound, object{"error": "Not found"})
		case id == "batch":
			semanticScholarBatch(rw, r, find)
		default:
			record, ok := find("semanticscholar", semanticScholarID(id))
			if !ok {
				replyJSON(rw, http.StatusNotFound, object{"error": "Paper with id " + id + " not found"})
				return
			}
			replyJSON(rw, http.StatusOK, record)
		}
	})
}

// semanticScholarBatch answers with one record for each id, null for a miss; if
// all are misses, or there are more than 500, with an error.
func semanticScholarBatch(rw http.ResponseWriter, r *http.Request, find finder) {
	var asked struct{ IDs []string }
	err := json.NewDecoder(http.MaxBytesReader(rw, r.Body, 1<<20)).Decode(&asked)
	if err != nil || r.Method != http.MethodPost || len(asked.IDs) > 500 {
		replyJSON(rw, http.StatusBadRequest, object{"error": "Bad request"})
		return
	}
	records, found := make([]any, len(asked.IDs)), false
	for i, id := range asked.IDs {
		if record, ok := find("semanticscholar", semanticScholarID(id)); ok {
			records[i], found = record, true
		}
	}
	if !found {
		replyJSON(rw, http.StatusBadRequest, object{"error": "No valid paper ids given"})
		return
	}
	replyJSON(rw, http.StatusOK, records)
}

// semanticScholarID maps DOI:, ARXIV:, PMID: and PMCID: to our prefixes.
func semanticScholarID(id string) string {
	kind, value, _ := strings.Cut(id, ":")
	switch kind = strings.ToLower(kind); kind {
	case "pmcid":
		return "pmcid:PMC" + strings.TrimPrefix(strings.ToUpper(value), "PMC")
	default:
		return kind + ":" + strings.ToLower(value)
	}
}

// arXivRecord is what arXiv's Atom feed says of a work.
type arXivRecord struct {
	ID, Title, DOI string
}

type atomFeed struct {
	XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	Title   string      `xml:"title"`
	Total   int         `xml:"http://a9.com/-/spec/opensearch/1.1/ totalResults"`
	Entries []atomEntry `xml:"entry"`
}

type atomEntry struct {
	ID      string     `xml:"id"`
	Title   string     `xml:"title"`
	Summary string     `xml:"summary"`
	DOI     string     `xml:"http://arxiv.org/schemas/atom doi,omitempty"`
	Links   []atomLink `xml:"link"`
}

type atomLink struct {
	Title string `xml:"title,attr,omitempty"`
	Href  string `xml:"href,attr"`
	Rel   string `xml:"rel,attr"`
	Type  string `xml:"type,attr"`
}

// arXivQuery answers /api/query?id_list=a,b.
func arXivQuery(find finder) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/query" {
			http.NotFound(rw, r)
			return
		}
		feed := atomFeed{Title: "ArXiv Query"}
		for id := range strings.SplitSeq(r.URL.Query().Get("id_list"), ",") {
			record, ok := find("arxiv", "arxiv:"+arXivBase(id))
			if found, isArXiv := record.(arXivRecord); ok && isArXiv {
				feed.Entries = append(feed.Entries, arXivEntry(found))
			}
		}
		feed.Total = len(feed.Entries)
		body, err := xml.Marshal(feed)
		if err != nil {
			http.Error(rw, err.Error(), http.StatusInternalServerError)
			return
		}
		reply(rw, http.StatusOK, "application/atom+xml; charset=utf-8", append([]byte(xml.Header), body...))
	})
}

func arXivEntry(record arXivRecord) atomEntry {
	return atomEntry{
		ID: "http://arxiv.org/abs/" + record.ID + "v1", Title: record.Title, Summary: "Abstract.", DOI: record.DOI,
		Links: []atomLink{
			{Href: "https://arxiv.org/abs/" + record.ID + "v1", Rel: "alternate", Type: "text/html"},
			{Title: "pdf", Href: "https://arxiv.org/pdf/" + record.ID + "v1", Rel: "related", Type: "application/pdf"},
		},
	}
}

// arXivBase is an arXiv identifier without its version, in lower case.
func arXivBase(id string) string {
	id = strings.ToLower(strings.TrimSuffix(id, ".pdf"))
	at := strings.LastIndexByte(id, 'v')
	if at > 0 && at < len(id)-1 && strings.Trim(id[at+1:], "0123456789") == "" {
		return id[:at]
	}
	return id
}

// arXivFiles answers arxiv.org's /pdf/{id}, with and without version; /pdf/{id}.pdf
// redirects. files gives the bytes of an identifier without version.
func arXivFiles(files func(id string) ([]byte, bool)) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		id, ok := strings.CutPrefix(r.URL.Path, "/pdf/")
		if !ok {
			http.NotFound(rw, r)
			return
		}
		body, ok := files(arXivBase(id))
		if !ok {
			Page(http.StatusNotFound, "No paper", "<h1>No paper '"+arXivBase(id)+"'</h1>").ServeHTTP(rw, r)
			return
		}
		if bare, suffixed := strings.CutSuffix(r.URL.Path, ".pdf"); suffixed {
			Redirect(http.StatusMovedPermanently, bare).ServeHTTP(rw, r)
			return
		}
		File("application/pdf", body).ServeHTTP(rw, r)
	})
}

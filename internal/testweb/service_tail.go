package testweb

import (
	"net/http"
	"strings"
)

// directory answers DOAJ's /api/v4/search/articles/{query} for queries by DOI.
func directory(find finder) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		query, ok := strings.CutPrefix(r.URL.Path, "/api/v4/search/articles/")
		if !ok {
			http.NotFound(rw, r)
			return
		}
		found := appendFound([]any{}, find, "doaj", queriedDOI(query))
		replyJSON(rw, http.StatusOK, object{"total": len(found), "page": 1, "pageSize": 10, "query": query, "results": found})
	})
}

// core answers /v3/search/works/?q=doi:"{doi}". Without the slash it redirects, as
// the service does.
func core(find finder) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v3/search/works":
			Redirect(http.StatusMovedPermanently, "/v3/search/works/?"+r.URL.RawQuery).ServeHTTP(rw, r)
		case "/v3/search/works/":
			found := appendFound([]any{}, find, "core", queriedDOI(r.URL.Query().Get("q")))
			replyJSON(rw, http.StatusOK, object{"totalHits": len(found), "limit": 10, "offset": 0, "results": found})
		default:
			http.NotFound(rw, r)
		}
	})
}

// openAIRE answers /graph/v3/research-products?pid={doi}.
func openAIRE(find finder) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/graph/v3/research-products" {
			http.NotFound(rw, r)
			return
		}
		found := appendFound([]any{}, find, "openaire", "doi:"+strings.ToLower(r.URL.Query().Get("pid")))
		replyJSON(rw, http.StatusOK, object{"header": object{"numFound": len(found), "pageSize": 10}, "results": found})
	})
}

// queriedDOI is the DOI, with prefix, of a query for one field: doi:10.5555/x or
// doi:"10.5555/x".
func queriedDOI(query string) string {
	doi := strings.Trim(strings.TrimPrefix(query, "doi:"), `"`)
	return "doi:" + strings.ToLower(strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(doi))
}

// captureTime is when the archive of the box has made its captures.
const captureTime = "20200102030405"

// archive answers the index of captures of the Wayback Machine, and the captures,
// of the files given by their URL.
func archive(files map[string][]byte) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if original, ok := strings.CutPrefix(r.URL.RequestURI(), "/web/"+captureTime+"id_/"); ok && files[original] != nil {
			File("application/pdf", files[original]).ServeHTTP(rw, r)
			return
		}
		if r.URL.Path != "/cdx/search/cdx" {
			http.NotFound(rw, r)
			return
		}
		rows := []any{}
		if asked := r.URL.Query().Get("url"); files[asked] != nil {
			rows = []any{[]any{"timestamp", "original", "digest"}, []any{captureTime, asked, "SUM"}}
		}
		replyJSON(rw, http.StatusOK, rows)
	})
}

func directoryRecord(work Work) object {
	links := []any{}
	for _, c := range work.copiesAt("doaj") {
		links = append(links, object{"type": "fulltext", "content_type": "PDF", "url": c.URL})
	}
	return object{"bibjson": object{
		"title": work.Title, "identifier": []any{object{"type": "doi", "id": work.DOI}}, "link": links,
		"journal": object{"title": work.Journal, "license": []any{object{"type": "CC BY", "title": "CC BY"}}},
	}}
}

func coreRecord(work Work) object {
	record := object{"doi": work.DOI, "title": work.Title, "downloadUrl": "", "sourceFulltextUrls": []any{}, "identifiers": []any{}}
	for i, c := range work.copiesAt("core") {
		if i == 0 {
			record["downloadUrl"] = c.URL
		}
	}
	return record
}

func openAIRERecord(work Work) object {
	instances := []any{}
	for _, c := range work.copiesAt("openaire") {
		instances = append(instances, object{
			"type": "Article", "urls": []any{firstOf(c.Page, c.URL)}, "license": orNull(c.License),
			"accessRight": object{"code": "c_abf2", "label": "OPEN"},
		})
	}
	return object{
		"mainTitle": work.Title, "pids": []any{object{"scheme": "doi", "value": work.DOI}}, "instances": instances,
	}
}

// captures are the files that the archive has kept.
func (lib *library) captures() map[string][]byte {
	files := map[string][]byte{}
	for _, work := range lib.works {
		for _, c := range work.copiesAt("wayback") {
			files[c.URL] = work.File(c.URL)
		}
	}
	return files
}

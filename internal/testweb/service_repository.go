package testweb

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// zenodo answers /api/records/{id} and /api/records?q=conceptrecid:{id}. The
// number of a concept is no record, as at the service
// (https://github.com/zenodo/zenodo/issues/2499).
func zenodo(find finder) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		id, single := strings.CutPrefix(r.URL.Path, "/api/records/")
		if single {
			record, ok := find("zenodo", "zenodo:"+id)
			if !ok {
				replyJSON(rw, http.StatusNotFound, object{"status": 404, "message": "The persistent identifier does not exist."})
				return
			}
			replyJSON(rw, http.StatusOK, record)
			return
		}
		concept, ok := strings.CutPrefix(r.URL.Query().Get("q"), "conceptrecid:")
		if r.URL.Path != "/api/records" || !ok {
			http.NotFound(rw, r)
			return
		}
		found := appendFound([]any{}, find, "zenodo", "concept:"+concept)
		replyJSON(rw, http.StatusOK, object{"hits": object{"hits": found, "total": len(found)}, "aggregations": object{}, "links": object{}})
	})
}

// figshare answers /v2/articles/{id} and /v2/articles/{id}/versions/{n}, and
// leads from /v2/file/download/{id} to where the file is.
func figshare(find finder) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if file, ok := strings.CutPrefix(r.URL.Path, "/v2/file/download/"); ok {
			Redirect(http.StatusFound, "https://ndownloader.figshare.com/files/"+file).ServeHTTP(rw, r)
			return
		}
		id := strings.TrimPrefix(r.URL.Path, "/v2/articles/")
		record, ok := find("figshare", "doi:10.6084/m9.figshare."+strings.Replace(id, "/versions/", ".v", 1))
		if !ok {
			replyJSON(rw, http.StatusNotFound, object{"message": "Entity not found: articles", "code": "EntityNotFound"})
			return
		}
		replyJSON(rw, http.StatusOK, record)
	})
}

// osf answers /v2/preprints/{guid}/ and /v2/files/{id}/.
func osf(find finder) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		id := strings.NewReplacer("/v2/preprints/", "guid:", "/v2/files/", "file:").Replace(r.URL.Path)
		record, ok := find("osf", strings.TrimSuffix(id, "/"))
		if !ok {
			replyJSON(rw, http.StatusNotFound, object{"errors": []any{object{"detail": "Not found."}}, "meta": object{"version": "2.0"}})
			return
		}
		replyJSON(rw, http.StatusOK, object{"data": record, "meta": object{"version": "2.0"}})
	})
}

// bioRxiv answers /details/{server}/{doi}/na/json for the server that has the
// preprint.
func bioRxiv(find finder) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		found := []any{}
		server, doi, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/details/"), "/")
		if doi, single := strings.CutSuffix(doi, "/na/json"); ok && single {
			found = appendFound(found, find, "biorxiv", server+":"+strings.ToLower(doi))
		}
		if len(found) == 0 {
			replyJSON(rw, http.StatusOK, object{"messages": []any{object{"status": "no posts found"}}, "collection": found})
			return
		}
		replyJSON(rw, http.StatusOK, object{"messages": []any{object{"status": "ok", "count": len(found)}}, "collection": found})
	})
}

// quotedTerm finds the phrases of a Lucene query.
var quotedTerm = regexp.MustCompile(`"((?:[^"\\]|\\.)*)"`)

// queriedDOIs are the phrases of a query, once each and in lower case.
func queriedDOIs(query string) []string {
	var dois []string
	for _, found := range quotedTerm.FindAllStringSubmatch(query, -1) {
		doi := strings.ToLower(strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(found[1]))
		if !slices.Contains(dois, doi) {
			dois = append(dois, doi)
		}
	}
	return dois
}

// hal answers /search/?q= for the DOIs that are quoted in the query.
func hal(find finder) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/search/" {
			http.NotFound(rw, r)
			return
		}
		found := []any{}
		for _, doi := range queriedDOIs(r.URL.Query().Get("q")) {
			found = appendFound(found, find, "hal", "doi:"+doi)
		}
		page := found[:min(rowsOf(r.URL.Query().Get("rows"), 30), len(found))]
		replyJSON(rw, http.StatusOK, object{"response": object{"numFound": len(found), "start": 0, "docs": page}})
	})
}

// dataCite answers /dois/{doi} and /dois?query= for the DOIs that are quoted in
// the query.
func dataCite(find finder) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		doi, single := strings.CutPrefix(r.URL.Path, "/dois/")
		if !single {
			found := []any{}
			for _, doi := range queriedDOIs(r.URL.Query().Get("query")) {
				found = appendFound(found, find, "datacite", "doi:"+doi)
			}
			page := found[:min(rowsOf(r.URL.Query().Get("page[size]"), 25), len(found))]
			replyJSON(rw, http.StatusOK, object{"data": page, "meta": object{"total": len(found), "totalPages": 1, "page": 1}})
			return
		}
		record, ok := find("datacite", "doi:"+strings.ToLower(doi))
		if !ok {
			replyJSON(rw, http.StatusNotFound, object{"errors": []any{
				object{"status": "404", "title": "The resource you are looking for doesn't exist."},
			}})
			return
		}
		replyJSON(rw, http.StatusOK, object{"data": record})
	})
}

// rowsOf reads the size of a page; what is no number leaves the service's own.
func rowsOf(text string, own int) int {
	n, err := strconv.ParseUint(text, 10, 10)
	if err != nil {
		return own
	}
	return int(n)
}

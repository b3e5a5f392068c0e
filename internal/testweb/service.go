package testweb

import (
	"net/http"
	"regexp"
	"strings"
)

// finder looks a work up in the records of a service, which it names as in
// serviceHosts. id has a prefix: doi:10.5555/x, pmcid:PMC1, pmid:1,
// openalex:W1, arxiv:2101.00001, the DOI in lower case; of repositories also
// zenodo:1 and concept:1, guid:abcde and file:0123456789abcdef01234567 (OSF), and
// biorxiv: or medrxiv: before a DOI.
type finder func(service, id string) (record any, ok bool)

// services returns the metadata services at their real hosts, in the shapes
// they answer with. Those that find has nothing for answer their own miss.
func services(find finder, placeholders bool) map[string]http.Handler {
	return map[string]http.Handler{
		"api.unpaywall.org":       unpaywall(find, placeholders),
		"api.crossref.org":        crossref(find),
		"api.openalex.org":        openAlex(find),
		"www.ebi.ac.uk":           europePMC(find),
		"api.semanticscholar.org": semanticScholar(find),
		"api.datacite.org":        dataCite(find),
		"export.arxiv.org":        arXivQuery(find),

		"zenodo.org":               zenodo(find),
		"api.figshare.com":         figshare(find),
		"api.osf.io":               osf(find),
		"api.archives-ouvertes.fr": hal(find),
		"api.biorxiv.org":          bioRxiv(find),

		"pmc.ncbi.nlm.nih.gov": idConverter(find),
		"doaj.org":             directory(find),
		"api.core.ac.uk":       core(find),
		"api.openaire.eu":      openAIRE(find),
		"web.archive.org":      archive(nil),
		"archive.org":          miss(object{"archived_snapshots": object{}}),
	}
}

// miss is the answer of a service that knows nothing and says so with 200.
func miss(v any) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { replyJSON(rw, http.StatusOK, v) })
}

// unpaywall answers /v2/{doi}?email=. Its 422 is that of the service for an
// address it does not take, unless placeholders are allowed.
func unpaywall(find finder, placeholders bool) http.Handler {
	fail := func(rw http.ResponseWriter, status int, message string) {
		replyJSON(rw, status, object{"HTTP_status_code": status, "error": true, "message": message})
	}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		email := r.URL.Query().Get("email")
		doi, ok := strings.CutPrefix(r.URL.Path, "/v2/")
		switch {
		case !ok:
			fail(rw, http.StatusNotFound, "Not found")
			return
		case email == "" || isPlaceholder(email) && !placeholders:
			fail(rw, http.StatusUnprocessableEntity,
				"Please use your own email address in API calls. See http://unpaywall.org/products/api")
			return
		}
		if record, ok := find("unpaywall", "doi:"+strings.ToLower(doi)); ok {
			replyJSON(rw, http.StatusOK, record)
			return
		}
		fail(rw, http.StatusNotFound, "'"+doi+"' isn't in Unpaywall. See https://support.unpaywall.org/a/solutions/articles/44001900286")
	})
}

func isPlaceholder(email string) bool {
	_, domain, ok := strings.Cut(email, "@")
	return !ok || strings.HasPrefix(strings.ToLower(domain), "example.")
}

// crossref answers /works/{doi} and /works?filter=doi:a,doi:b.
func crossref(find finder) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("X-Rate-Limit-Limit", "50")
		rw.Header().Set("X-Rate-Limit-Interval", "1s")
		doi, single := strings.CutPrefix(r.URL.Path, "/works/")
		if single {
			record, ok := find("crossref", "doi:"+strings.ToLower(doi))
			if !ok {
				reply(rw, http.StatusNotFound, "text/plain", []byte("Resource not found."))
				return
			}
			replyJSON(rw, http.StatusOK, object{
				"status": "ok", "message-type": "work", "message-version": "1.0.0", "message": record,
			})
			return
		}
		crossrefList(rw, r.URL.Query(), find)
	})
}

// openAlex answers /works/{id} and /works?filter=doi:a|b.
func openAlex(find finder) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		id, single := strings.CutPrefix(r.URL.Path, "/works/")
		if single {
			record, ok := find("openalex", openAlexID(id))
			if !ok {
				Page(http.StatusNotFound, "404 Not Found", "<h1>Not Found</h1>").ServeHTTP(rw, r)
				return
			}
			replyJSON(rw, http.StatusOK, record)
			return
		}
		openAlexList(rw, r, find)
	})
}

// openAlexID reads the forms in which OpenAlex takes an identifier: bare W
// number, URL, or either behind a prefix.
func openAlexID(id string) string {
	id = strings.ToLower(id)
	for _, prefix := range []string{"https://doi.org/", "doi:https://doi.org/", "doi:doi:"} {
		if doi, ok := strings.CutPrefix(id, prefix); ok {
			return "doi:" + doi
		}
	}
	id = strings.TrimPrefix(strings.TrimPrefix(id, "openalex:"), "https://openalex.org/")
	switch {
	case strings.HasPrefix(id, "w"):
		return "openalex:" + strings.ToUpper(id)
	case strings.HasPrefix(id, "pmcid:"):
		number := strings.TrimPrefix(strings.TrimPrefix(id, "pmcid:"), "pmc")
		return "pmcid:PMC" + number
	}
	return id
}

// europePMC answers /europepmc/webservices/rest/search for queries by
// identifier, any number of them joined with OR.
func europePMC(find finder) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/search") {
			http.NotFound(rw, r)
			return
		}
		query := r.URL.Query().Get("query")
		found := []any{}
		for _, id := range europePMCIDs(query) {
			found = appendFound(found, find, "europepmc", id)
		}
		replyJSON(rw, http.StatusOK, object{
			"version": "6.9", "hitCount": len(found),
			"request":    object{"queryString": query, "resultType": "core", "cursorMark": "*", "pageSize": 25},
			"resultList": object{"result": found},
		})
	})
}

var europePMCTerm = regexp.MustCompile(`(?i)\b(DOI|PMCID|EXT_ID|PMID):(?:"([^"]+)"|([^\s()"]+))`)

func europePMCIDs(query string) []string {
	var ids []string
	for _, term := range europePMCTerm.FindAllStringSubmatch(query, -1) {
		value := term[2] + term[3]
		switch field := strings.ToUpper(term[1]); field {
		case "DOI":
			ids = append(ids, "doi:"+strings.ToLower(value))
		case "PMCID":
			ids = append(ids, "pmcid:"+strings.ToUpper(value))
		default:
			ids = append(ids, "pmid:"+value)
		}
	}
	return ids
}

func appendFound(found []any, find finder, service, id string) []any {
	if record, ok := find(service, id); ok {
		return append(found, record)
	}
	return found
}

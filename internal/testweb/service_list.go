package testweb

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// crossrefList answers the works that any of the DOI filters names: 20 of them,
// or as many as rows says, up to 1000.
func crossrefList(rw http.ResponseWriter, query url.Values, find finder) {
	rows := 20
	if text := query.Get("rows"); text != "" {
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil || n > 1000 {
			replyJSON(rw, http.StatusBadRequest, object{"status": "failed", "message-type": "validation-failure", "message": []any{
				object{"type": "integer-not-valid", "value": text, "message": "Integer specified as " + text + " but must be a positive integer less than or equal to 1000"},
			}})
			return
		}
		rows = int(n)
	}
	found := []any{}
	for condition := range strings.SplitSeq(query.Get("filter"), ",") {
		doi, ok := strings.CutPrefix(condition, "doi:")
		if !ok {
			replyJSON(rw, http.StatusBadRequest, object{"status": "failed", "message-type": "validation-failure", "message": []any{
				object{"type": "filter-not-available", "value": condition, "message": "Filter " + condition + " specified but there is no such filter for this route."},
			}})
			return
		}
		found = appendFound(found, find, "crossref", "doi:"+strings.ToLower(doi))
	}
	replyJSON(rw, http.StatusOK, object{
		"status": "ok", "message-type": "work-list", "message-version": "1.0.0",
		"message": object{"total-results": len(found), "items-per-page": rows, "items": found[:min(rows, len(found))]},
	})
}

// Limits of OpenAlex on lists.
const (
	openAlexValues = 50   // in one filter
	openAlexURL    = 4094 // bytes
)

// openAlexList answers the works that the filters name, 25 of them or as many as
// per_page says.
func openAlexList(rw http.ResponseWriter, r *http.Request, find finder) {
	query := r.URL.Query()
	perPage, err := strconv.ParseUint(firstOf(firstOf(query.Get("per_page"), query.Get("per-page")), "25"), 10, 8)
	if err != nil || perPage < 1 || perPage > 200 {
		openAlexRefusal(rw, http.StatusBadRequest, "per_page parameter must be between 1 and 200")
		return
	}
	if len(r.RequestURI) > openAlexURL {
		openAlexRefusal(rw, http.StatusRequestURITooLong, "The URL is too long.")
		return
	}
	found := []any{}
	for condition := range strings.SplitSeq(query.Get("filter"), ",") {
		field, values, _ := strings.Cut(condition, ":")
		field = strings.TrimPrefix(field, "ids.")
		if strings.Count(values, "|") >= openAlexValues {
			openAlexRefusal(rw, http.StatusBadRequest, "Maximum number of values exceeded for "+field+". Decrease values to 50 or below")
			return
		}
		if !slices.Contains([]string{"doi", "openalex", "pmid", "pmcid"}, field) {
			openAlexRefusal(rw, http.StatusBadRequest, field+" is not a valid field.")
			return
		}
		for value := range strings.SplitSeq(values, "|") {
			found = appendFound(found, find, "openalex", openAlexID(field+":"+value))
		}
	}
	replyJSON(rw, http.StatusOK, object{
		"meta":    object{"count": len(found), "page": 1, "per_page": perPage},
		"results": found[:min(int(perPage), len(found))], "group_by": []any{},
	})
}

func openAlexRefusal(rw http.ResponseWriter, status int, message string) {
	replyJSON(rw, status, object{"error": "Invalid query parameters error.", "message": message})
}

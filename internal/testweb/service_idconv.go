package testweb

import (
	"net/http"
	"strings"
)

// idConverter answers PMC's id converter,
// /tools/idconv/api/v1/articles/?ids=a,b&idtype=doi: up to 200 identifiers of one
// kind, which is pmid if nothing is said.
func idConverter(find finder) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		ids := strings.Split(query.Get("ids"), ",")
		kind := firstOf(query.Get("idtype"), "pmid")
		if len(ids) > 200 {
			idConverterRefusal(rw, "too_many_ids", "At most 200 IDs are allowed.")
			return
		}
		records := []any{}
		for _, id := range ids {
			at := converterID(id)
			if !strings.HasPrefix(at, kind+":") {
				idConverterRefusal(rw, "invalid_"+kind+"s", "All values of query param `ids` must be "+kind+"s.")
				return
			}
			record, ok := find("idconv", at)
			if !ok {
				record = object{"requested-id": id, "status": "error", "errmsg": "Identifier not found in PMC"}
			}
			records = append(records, record)
		}
		replyJSON(rw, http.StatusOK, object{"status": "ok", "records": records})
	})
}

func idConverterRefusal(rw http.ResponseWriter, code, message string) {
	replyJSON(rw, http.StatusBadRequest, object{
		"status": "error", "http_status": "400", "http_status_reason": "Bad Request",
		"errors": []any{object{"message": message, "code": code}},
	})
}

func converterID(id string) string {
	switch {
	case strings.HasPrefix(id, "10."):
		return "doi:" + strings.ToLower(id)
	case strings.HasPrefix(strings.ToUpper(id), "PMC"):
		return "pmcid:" + strings.ToUpper(id)
	case strings.Trim(id, "0123456789") == "":
		return "pmid:" + id
	}
	return id
}

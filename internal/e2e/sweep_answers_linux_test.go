package e2e_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/quire-dev/quire/internal/testweb"
)

// answers are the cases of section E: what Unpaywall says of a work, {doi}. Another
// source knows an open copy of each, which must be got whatever comes before.
func answers() map[string]http.Handler {
	const location = `{"doi":"{doi}","is_oa":true,"best_oa_location":null,"oa_locations":[{"url_for_pdf":%q}]}`
	at := func(url string) http.Handler { return sayJSON(fmt.Sprintf(location, url)) }
	return map[string]http.Handler{
		"123 wrong types":               sayJSON(`{"doi":["{doi}"],"oa_locations":{"a":1},"best_oa_location":7,"title":[1],"is_oa":"yes"}`),
		"124 nulls":                     sayJSON(`{"doi":null,"oa_locations":null,"best_oa_location":null,"title":null}`),
		"124 null":                      sayJSON(`null`),
		"125 a million elements":        sayJSON(`{"doi":"{doi}","oa_locations":[` + strings.Repeat(`{},`, 1_000_000) + `{}]}`),
		"125 a title of 20 MB":          sayJSON(`{"doi":"{doi}","title":"` + strings.Repeat("t", 20<<20) + `"}`),
		"126 nested 200,000 deep":       sayJSON(strings.Repeat(`{"a":[`, 200_000)),
		"127 private URL":               at("http://10.0.0.1/a.pdf"),
		"127 metadata URL":              at("http://169.254.169.254/latest/meta-data/"),
		"127 file URL":                  at("file:///etc/passwd"),
		"127 no URL":                    at("::::"),
		"127 URL of 100 kB":             at("https://good.example.org/" + strings.Repeat("x", 100_000)),
		"127 private name":              at("http://inside.test-private.org/a.pdf"),
		"129 truncated":                 sayJSON(`{"doi":"{doi}","oa_locations":[{"url_for`),
		"129 HTML":                      testweb.Page(200, "Maintenance", "Back soon."),
		"129 empty":                     sayJSON(""),
		"129 XSSI prefix":               sayJSON(")]}'\n" + fmt.Sprintf(location, "http://10.0.0.1/a.pdf")),
		"129 a bare string":             sayJSON(`"{doi}"`),
		"130 byte order mark":           sayJSON("\ufeff" + fmt.Sprintf(location, "http://10.0.0.1/a.pdf")),
		"130 bad UTF-8":                 sayJSON("{\"doi\":\"{doi}\",\"title\":\"\xff\xfe\",\"oa_locations\":[]}"),
		"130 duplicate keys":            sayJSON(`{"doi":"{doi}","oa_locations":[{"url_for_pdf":"http://10.0.0.1/a.pdf","url_for_pdf":"http://127.0.0.1/b.pdf"}]}`),
		"130 1e400":                     sayJSON(`{"doi":"{doi}","year":1e400,"oa_locations":[]}`),
		"131 429, then good":            testweb.First(1, testweb.Fail(429, "Retry-After", "1"))(sayJSON(`{"doi":"{doi}","oa_locations":[]}`)),
		"131 drip":                      http.HandlerFunc(drip),
		"131 bomb":                      http.HandlerFunc(bomb),
		"131 redirect":                  testweb.Redirect(302, "http://10.0.0.1/v2/x"),
		"132 injection":                 sayJSON(`{"doi":"{doi}","title":"'; DROP TABLE jobs; --\u001b[31m<script>alert(1)</script>","oa_locations":[]}`),
		"133 another work":              sayJSON(`{"doi":"10.5555/other","is_oa":true,"oa_locations":[{"url_for_pdf":"https://wrong.example.org/a.pdf"}]}`),
		"135 the same URL":              sayJSON(`{"doi":"{doi}","is_oa":true,"oa_locations":[{"url_for_pdf":"https://good.example.org/{doi}"},{"url_for_pdf":"https://good.example.org/{doi}"}]}`),
		"134 a DOI that needs escaping": sayJSON(`{"doi":"{doi}","oa_locations":[]}`),
	}
}

// sayJSON answers with a text in which {doi} is the DOI that was asked for.
func sayJSON(text string) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(rw, strings.ReplaceAll(text, "{doi}", askedDOI(r)))
	})
}

func askedDOI(r *http.Request) string { return strings.TrimPrefix(r.URL.Path, "/v2/") }

// drip sends an answer so slowly that it never ends in time.
func drip(rw http.ResponseWriter, r *http.Request) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		if _, err := io.WriteString(rw, " "); err != nil || r.Context().Err() != nil {
			return
		}
		_ = http.NewResponseController(rw).Flush()
	}
}

// bomb sends 256 MB of spaces in 256 kB.
func bomb(rw http.ResponseWriter, _ *http.Request) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	for range 256 {
		_, _ = z.Write(bytes.Repeat([]byte(" "), 1<<20))
	}
	_ = z.Close()
	rw.Header().Set("Content-Encoding", "gzip")
	_, _ = rw.Write(packed.Bytes())
}

package resolver_test

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/resolver"
	"github.com/quire-dev/quire/paper"
)

// jsonSources are those that answer in JSON, each with an artifact and the place
// where an answer about doi has its URL.
var jsonSources = map[string]struct {
	asked  paper.Artifact
	answer string // with %[1]s for the DOI and %[2]s for the URL, both JSON values
}{
	"unpaywall": {byDOI("10.5555/a"), `{"doi":%[1]s,"is_oa":true,"oa_locations":[{"url_for_pdf":%[2]s}]}`},
	"crossref":  {byDOI("10.5555/a"), `{"message":{"DOI":%[1]s,"link":[{"URL":%[2]s,"content-type":"application/pdf"}]}}`},
	"openalex":  {byDOI("10.5555/a"), `{"id":"https://openalex.org/W1","doi":%[1]s,"locations":[{"is_oa":true,"pdf_url":%[2]s}]}`},
	"semanticscholar": {
		byDOI("10.5555/a"), `{"externalIds":{"DOI":%[1]s},"isOpenAccess":true,"openAccessPdf":{"url":%[2]s,"status":"GREEN"}}`,
	},
	"europepmc": {byDOI("10.5555/a"), `{"resultList":{"result":[{"doi":%[1]s,"fullTextUrlList":{"fullTextUrl":[{"availabilityCode":"OA","documentStyle":"pdf","url":%[2]s}]}}]}}`},
	"doaj":      {byDOI("10.5555/a"), `{"total":1,"results":[{"bibjson":{"identifier":[{"type":"doi","id":%[1]s}],"link":[{"type":"fulltext","content_type":"PDF","url":%[2]s}]}}]}`},
	"openaire": {
		byDOI("10.5555/a"),
		`{"results":[{"pids":[{"scheme":"doi","value":%[1]s}],"instances":[{"accessRight":{"code":"c_abf2","label":"OPEN"},"urls":[%[2]s]}]}]}`,
	},
	"core": {byDOI("10.5555/a"), `{"totalHits":1,"results":[{"doi":%[1]s,"downloadUrl":%[2]s,"sourceFulltextUrls":[null,%[2]s]}]}`},
	"pmc": {
		paper.Artifact{IDs: paper.IDs{PMCID: "PMC1", DOI: "10.5555/a"}, Cursor: "PMC1.1"},
		`{"pmcid":"PMC1","doi":%[1]s,"pdf_url":%[2]s}`,
	},
	"zenodo": {
		byDOI("10.5281/zenodo.7"),
		`{"doi":%[1]s,"metadata":{"access_right":"open"},"files":[{"key":"a.csv","links":{"self":%[2]s}},{"key":"a.pdf","links":{"self":%[2]s}}]}`,
	},
	"figshare": {byDOI("10.6084/m9.figshare.7"), `{"doi":%[1]s,"files":[{"name":"a.PDF","download_url":%[2]s}]}`},
	"hal":      {byDOI("10.5555/a"), `{"response":{"numFound":1,"docs":[{"doiId_s":%[1]s,"openAccess_bool":true,"fileMain_s":%[2]s}]}}`},
	"biorxiv":  {byDOI("10.1101/000007"), `{"collection":[{"doi":%[1]s,"jatsxml":%[2]s}]}`},
	"datacite": {byDOI("10.5555/a"), `{"data":{"attributes":{"doi":%[1]s,"contentUrl":[%[2]s]}}}`},
}

// files are URLs that a source takes where not any is good.
var files = map[string]string{
	"pmc":      "s3://pmc-oa-opendata/PMC1.1/PMC1.1.pdf",
	"figshare": "https://ndownloader.figshare.com/files/7",
}

func TestSources_GoodAnswer(t *testing.T) {
	for name, s := range jsonSources {
		file := cmp.Or(files[name], "https://repo.org/a.pdf")
		doi := s.asked.IDs.DOI
		answer, err := resolve(t, name, s.asked, ok(fmt.Sprintf(s.answer, quoted(strings.ToUpper(doi)), quoted(file))))
		if err != nil || len(answer.Candidates) != 1 || answer.Candidates[0].Source != name || answer.IDs.DOI != doi {
			t.Errorf("%s: %+v, %v", name, answer, err)
		}
	}
}

// quoted is a JSON string of plain text.
func quoted(s string) string { return `"` + s + `"` }

// TestSources_BadFields: a field that is no good is left out, without an error.
func TestSources_BadFields(t *testing.T) {
	tests := map[string]struct{ doi, url string }{
		"number for URL":      {`"10.5555/a"`, `5`},
		"object for URL":      {`"10.5555/a"`, `{"a":1}`},
		"array for URL":       {`"10.5555/a"`, `[]`},
		"null for URL":        {`"10.5555/a"`, `null`},
		"huge number for URL": {`"10.5555/a"`, `1e400`},
		"no URL":              {`"10.5555/a"`, `"see the library"`},
		"relative URL":        {`"10.5555/a"`, `"//host/x.pdf"`},
		"file URL":            {`"10.5555/a"`, `"file:///etc/passwd"`},
		"javascript URL":      {`"10.5555/a"`, `"javascript:alert(1)"`},
		"data URL":            {`"10.5555/a"`, `"data:application/pdf;base64,AAAA"`},
		"control in URL":      {`"10.5555/a"`, `"https://host.org/x\r\ny.pdf"`},
		"bad UTF-8 in URL":    {`"10.5555/a"`, "\"https://host.org/\xff.pdf\""},
		"URL of 100 kB":       {`"10.5555/a"`, `"https://host.org/` + strings.Repeat("x", 100_000) + `.pdf"`},
		"another DOI":         {`"10.5555/other"`, `"https://host.org/x.pdf"`},
		"no DOI at all":       {`"urgent"`, `"https://host.org/x.pdf"`},
		"number for DOI":      {`5`, `"https://host.org/x.pdf"`},
		"null for DOI":        {`null`, `"https://host.org/x.pdf"`},
		"object for DOI":      {`{}`, `"https://host.org/x.pdf"`},
	}
	for name, tt := range tests {
		for source, s := range jsonSources {
			doi := strings.Replace(tt.doi, "10.5555/a", s.asked.IDs.DOI, 1)
			answer, err := resolve(t, source, s.asked, ok(fmt.Sprintf(s.answer, doi, tt.url)))
			if err != nil || len(answer.Candidates) > 0 {
				t.Errorf("%s: %s: %+v, %v", source, name, answer.Candidates, err)
			}
			if strings.HasPrefix(name, "another") && !strings.HasPrefix(answer.Note, "answered for another") {
				t.Errorf("%s: %s: note %q", source, name, answer.Note)
			}
		}
	}
}

func TestSources_UserInURLIsLeftOut(t *testing.T) {
	body := fmt.Sprintf(jsonSources["crossref"].answer, `"10.5555/a"`, `"https://me:pw@host.org/x.pdf"`)
	answer, err := resolve(t, "crossref", byDOI("10.5555/a"), ok(body))
	if err != nil || len(answer.Candidates) != 1 || answer.Candidates[0].URL != "https://host.org/x.pdf" {
		t.Errorf("%+v, %v", answer, err)
	}
}

// TestSources_BadBodies: what is no answer at all is a transient failure.
func TestSources_BadBodies(t *testing.T) {
	bodies := map[string]string{
		"empty":      "",
		"spaces":     " \n ",
		"HTML":       "<!doctype html><title>Down for maintenance</title>",
		"XSSI":       ")]}'\n{\"doi\":\"10.5555/a\"}",
		"string":     `"10.5555/a"`,
		"null":       "null",
		"array":      "[]",
		"truncated":  `{"doi":"10.5555/a","oa_locations":[{"url_for_pdf":"https://x.org/`,
		"deep":       `{"a":` + strings.Repeat("[", 200_000),
		"deep whole": `{"a":` + strings.Repeat("[", 200_000) + strings.Repeat("]", 200_000) + "}",
		"two":        `{"doi":"10.5555/a"}{"doi":"10.5555/a"}`,
	}
	for name, body := range bodies {
		for source, s := range jsonSources {
			_, err := resolve(t, source, s.asked, ok(body))
			if classOf(t, err) != paper.Transient {
				t.Errorf("%s: %s: %v", source, name, err)
			}
			if err != nil && (len(err.Error()) > 400 || strings.ContainsAny(err.Error(), "\n\x1b")) {
				t.Errorf("%s: %s: message is not fit for a log: %q", source, name, err)
			}
		}
		if _, err := resolve(t, "pmc", byPMCID("PMC1"), ok(body)); classOf(t, err) != paper.Transient {
			t.Errorf("pmc listing: %s: %v", name, err)
		}
	}
}

func TestSources_BOMIsAccepted(t *testing.T) {
	answer, err := resolve(t, "unpaywall", byDOI("10.5555/a"), ok("\ufeff"+`{"doi":"10.5555/a","is_oa":false}`))
	if err != nil || answer.Note != "is_oa false" {
		t.Errorf("%+v, %v", answer, err)
	}
}

func TestSources_HugeAnswer(t *testing.T) {
	locations := strings.Repeat(`{},`, 1_000_000) + `{}`
	title := strings.Repeat("long ", 1_000_000)
	answer, err := resolve(t, "unpaywall", byDOI("10.5555/a"),
		ok(`{"doi":"10.5555/a","title":"`+title+`","oa_locations":[`+locations+`]}`))
	if err != nil || len(answer.Candidates) > 0 {
		t.Errorf("%d candidates, %v", len(answer.Candidates), err)
	}
	checkAnswer(t, answer)
}

func TestSources_Status(t *testing.T) {
	soon := http.Header{"Retry-After": {"7"}}
	long := http.Header{"Retry-After": {"99999999999999999999"}}
	date := http.Header{
		"Date":        {"Thu, 01 Jan 1970 00:00:00 GMT"},
		"Retry-After": {"Thu, 01 Jan 1970 00:02:00 GMT"},
	}
	tests := []struct {
		name   string
		source string
		reply  paper.Reply
		class  paper.Class
		after  time.Duration
	}{
		{"unknown", "unpaywall", paper.Reply{Status: 404}, "", 0},
		{"unknown", "crossref", paper.Reply{Status: 404, Body: []byte("Resource not found.")}, "", 0},
		{"bad request", "crossref", paper.Reply{Status: 400}, "", 0},
		{"too fast", "crossref", paper.Reply{Status: 429, Header: soon}, paper.Throttled, 7 * time.Second},
		{"too fast, no word", "crossref", paper.Reply{Status: 429}, paper.Throttled, 0},
		{"too fast, by a clock of 1970", "crossref", paper.Reply{Status: 429, Header: date}, paper.Throttled, 2 * time.Minute},
		{"too fast, for ever", "crossref", paper.Reply{Status: 429, Header: long}, paper.Throttled, 30 * 24 * time.Hour},
		{"too fast, nonsense", "crossref", paper.Reply{Status: 429, Header: http.Header{"Retry-After": {"-5"}}}, paper.Throttled, 0},
		{"busy", "europepmc", paper.Reply{Status: 503, Header: soon}, paper.Throttled, 7 * time.Second},
		{"down", "europepmc", paper.Reply{Status: 503}, paper.Transient, 0},
		{"down", "europepmc", paper.Reply{Status: 502}, paper.Transient, 0},
		{"moved", "crossref", paper.Reply{Status: 301}, paper.Transient, 0},
		{"blocked", "crossref", paper.Reply{Status: 403}, paper.Config, 0},
		{"refused", "europepmc", paper.Reply{Status: 403}, paper.Forbidden, 0},
		{"bad key", "openalex", paper.Reply{Status: 401}, paper.Config, 0},
		{"bad key", "openalex", paper.Reply{Status: 403, Body: []byte(`{"error":"Invalid key"}`)}, paper.Config, 0},
		{"too fast by 403", "openalex", paper.Reply{Status: 403, Body: []byte(`{"error":"rate limit"}`)}, paper.Throttled, 0},
		{"too fast", "openalex", paper.Reply{Status: 429, Header: soon}, paper.Throttled, 7 * time.Second},
		{"budget spent", "openalex", paper.Reply{Status: 429, Header: http.Header{
			"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"3600"},
		}}, paper.BudgetExhausted, time.Hour},
		{"budget too small", "openalex", paper.Reply{Status: 429, Header: http.Header{
			"X-Ratelimit-Remaining": {"5"}, "X-Ratelimit-Credits-Required": {"10"}, "X-Ratelimit-Reset": {"60"},
		}}, paper.BudgetExhausted, time.Minute},
		{"budget left", "openalex", paper.Reply{Status: 429, Header: http.Header{
			"X-Ratelimit-Remaining": {"900"}, "X-Ratelimit-Reset": {"3600"}, "Retry-After": {"1"},
		}}, paper.Throttled, time.Second},
		{"made-up address", "unpaywall", paper.Reply{
			Status: 422, Body: []byte(`{"message":"Please use your own email address in API calls."}`),
		}, paper.Config, 0},
		{"rate as 422", "unpaywall", paper.Reply{
			Status: 422, Header: soon, Body: []byte(`{"message":"Too many requests from this email"}`),
		}, paper.Throttled, 7 * time.Second},
		{"too fast", "semanticscholar", paper.Reply{Status: 429, Header: soon}, paper.Throttled, 7 * time.Second},
		{"refused", "semanticscholar", paper.Reply{Status: 403, Body: []byte(`{"message":"Forbidden"}`)}, paper.Forbidden, 0},
		{"unknown", "semanticscholar", paper.Reply{Status: 404, Body: []byte(`{"error":"Paper with id DOI:10.5555/a not found"}`)}, "", 0},
		{"bad identifier", "idconv", paper.Reply{Status: 400, Body: []byte(`{"status":"error"}`)}, "", 0},
		{"too fast", "idconv", paper.Reply{Status: 429}, paper.Throttled, 0},
		{"unknown", "hal", ok(`{"response":{"numFound":0,"start":0,"docs":[]}}`), "", 0},
		{"bad query", "hal", ok(`{"error":{"msg":"undefined field doiId_id","code":400}}`), paper.Transient, 0},
		{"refused", "hal", paper.Reply{Status: 403}, paper.Forbidden, 0},
		{"unknown", "figshare", paper.Reply{Status: 404, Body: []byte(`{"message":"Entity not found: articles","code":"EntityNotFound"}`)}, "", 0},
		{"challenge", "figshare", paper.Reply{Status: 202}, paper.Transient, 0},
		{"deleted", "zenodo", paper.Reply{Status: 410, Body: []byte(`{"status":410,"message":"The record has been deleted."}`)}, "", 0},
		{"restricted", "zenodo", paper.Reply{Status: 403, Body: []byte(`{"status":403,"message":"Permission denied."}`)}, "", 0},
		{"refused", "zenodo", paper.Reply{Status: 403, Body: []byte(`<title>unusual traffic`)}, paper.Forbidden, 0},
		{"too fast", "zenodo", paper.Reply{Status: 429, Header: soon}, paper.Throttled, 7 * time.Second},
		{"moved to nowhere", "zenodo", paper.Reply{Status: 302, Header: http.Header{"Location": {"https://zenodo.org/login"}}}, paper.Transient, 0},
		{"too fast", "biorxiv", paper.Reply{Status: 429}, paper.Throttled, 0},
		{"no answer", "biorxiv", ok(`{"messages":[{"status":"error"}]}`), paper.Transient, 0},
		{"unknown", "datacite", paper.Reply{Status: 404, Body: []byte(`{"errors":[{"status":"404","title":"The resource you are looking for doesn't exist."}]}`)}, "", 0},
		{"down", "datacite", paper.Reply{Status: 504}, paper.Transient, 0},
		{"too fast", "core", paper.Reply{Status: 429, Header: soon}, paper.Throttled, 7 * time.Second},
		{"too fast, in its own header", "core", paper.Reply{Status: 429, Header: http.Header{"X-Ratelimit-Retry-After": {"30"}}}, paper.Throttled, 30 * time.Second},
		{"too fast, since long", "core", paper.Reply{
			Status: 429, Header: http.Header{"X-Ratelimit-Retry-After": {"2001-02-03T04:05:06+0000"}},
		}, paper.Throttled, 0},
		{"without the slash", "core", paper.Reply{Status: 301, Header: http.Header{"Location": {"https://elsewhere.example/"}}}, paper.Transient, 0},
		{"refused", "core", paper.Reply{Status: 401}, paper.Forbidden, 0},
		{"too fast", "doaj", paper.Reply{Status: 429, Header: soon}, paper.Throttled, 7 * time.Second},
		{"bad query", "doaj", paper.Reply{Status: 400, Body: []byte(`{"status":"bad_request"}`)}, "", 0},
		{"too fast", "openaire", paper.Reply{Status: 429, Header: soon}, paper.Throttled, 7 * time.Second},
		{"too fast by 403", "openaire", paper.Reply{Status: 403, Body: []byte(`{"error":"rate limit exceeded","description":""}`)}, paper.Throttled, 0},
		{"refused", "openaire", paper.Reply{Status: 403, Body: []byte(`{"error":"access denied"}`)}, paper.Forbidden, 0},
		{"422 for no reason", "unpaywall", paper.Reply{Status: 422}, paper.Transient, 0},
	}
	for _, tt := range tests {
		t.Run(tt.source+" "+tt.name, func(t *testing.T) {
			asked := byDOI("10.5555/a")
			if s, found := jsonSources[tt.source]; found {
				asked = s.asked
			}
			answer, err := resolve(t, tt.source, asked, tt.reply)
			if got := classOf(t, err); got != tt.class {
				t.Fatalf("class %q, want %q (%v)", got, tt.class, err)
			}
			if err == nil {
				if answer.Note == "" || len(answer.Candidates) > 0 {
					t.Errorf("a miss: %+v", answer)
				}
				return
			}
			if f, _ := errors.AsType[*paper.Failure](err); f.RetryAfter != tt.after || f.Status != tt.reply.Status {
				t.Errorf("retry after %v, status %d", f.RetryAfter, f.Status)
			}
		})
	}
}

func TestSources_GetterFails(t *testing.T) {
	cause := errors.New("connection reset")
	throttled := &paper.Failure{Class: paper.Throttled, RetryAfter: time.Minute, Status: 429, Err: cause}
	for name, s := range jsonSources {
		_, err := newSource(t, name, &web{err: throttled}).Resolve(t.Context(), []paper.Artifact{s.asked})
		f, _ := errors.AsType[*paper.Failure](err)
		if f == nil || f.Class != paper.Throttled || f.RetryAfter != time.Minute || f.Status != 429 || !errors.Is(err, cause) {
			t.Errorf("%s: %#v", name, err)
		}
		_, err = newSource(t, name, &web{err: cause}).Resolve(t.Context(), []paper.Artifact{s.asked})
		if classOf(t, err) != paper.Transient {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOpenAlex_KeyIsNotShown(t *testing.T) {
	get := &web{err: errors.New("get https://api.openalex.org/works/W1?api_key=s3cret: reset")}
	r, err := resolver.New("openalex", resolver.Config{APIKey: "s3cret"}, get)
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Resolve(t.Context(), []paper.Artifact{byDOI("10.5555/a")})
	if !strings.HasSuffix(get.asked[0], "?api_key=s3cret") || !errors.Is(err, get.err) || strings.Contains(fmt.Sprint(err), "s3cret") {
		t.Errorf("asked %s, error %v", get.asked, err)
	}
}

// phrases finds what is quoted in a query.
var phrases = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// TestSources_DOIEscaping: whatever stands in a DOI reaches the service.
func TestSources_DOIEscaping(t *testing.T) {
	dois := []string{
		"10.5555/(sici)1099-1409(199908/10)3:6/7<672::aid-jpp192>3.0.co;2-8", "10.5555/a#b?c&d=e", "10.5555/100%25",
		"10.5555/a//b", "10.5555/../x", "10.5555/a b", `10.5555/"q"`, "10.5555/ü", "10.5555/a+b",
	}
	for _, doi := range dois {
		for _, name := range []string{
			"unpaywall", "crossref", "openalex", "europepmc", "semanticscholar", "hal", "datacite", "doaj", "openaire", "core",
		} {
			get := &web{replies: map[string]paper.Reply{"*": {Status: 404}}}
			if _, err := newSource(t, name, get).Resolve(t.Context(), []paper.Artifact{byDOI(doi)}); err != nil {
				t.Fatal(err)
			}
			u, err := url.Parse(get.asked[0])
			if err != nil {
				t.Errorf("%s: %s: %v", name, doi, err)
				continue
			}
			got := u.Path
			if name != "doaj" && u.RawQuery != "" && strings.Contains("europepmc openaire core hal datacite", name) {
				got = u.Query().Get("query") + u.Query().Get("pid") + u.Query().Get("q")
			}
			if phrase := phrases.FindString(got); phrase != "" && strings.Contains("europepmc core hal doaj", name) {
				got = strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(strings.TrimSuffix(strings.TrimPrefix(phrase, `"`), `"`))
			}
			if !strings.HasSuffix(got, doi) || u.Fragment != "" {
				t.Errorf("%s: %s became %s", name, doi, get.asked[0])
			}
		}
		answer, err := newSource(t, "landing", nil).Resolve(t.Context(), []paper.Artifact{byDOI(doi)})
		if err != nil {
			t.Fatal(err)
		}
		if u, err := url.Parse(answer[0].Candidates[0].URL); err != nil || u.Path != "/"+doi {
			t.Errorf("landing: %s became %s", doi, answer[0].Candidates[0].URL)
		}
	}
}

func TestSources_OneRequestPerCall(t *testing.T) {
	for name, s := range jsonSources {
		get := &web{replies: map[string]paper.Reply{"*": {Status: 404}}}
		as := []paper.Artifact{{IDs: paper.IDs{URL: "https://x.org/"}}, s.asked, s.asked}
		answers, err := newSource(t, name, get).Resolve(t.Context(), as)
		if err != nil {
			t.Fatal(err)
		}
		var again []int
		for _, a := range answers {
			again = append(again, a.Again)
		}
		if diff := gocmp.Diff([]int{0, 0, newSource(t, name, get).Batch()}, again); diff != "" || len(get.asked) != 1 {
			t.Errorf("%s: %d requests, again %s", name, len(get.asked), diff)
		}
	}
}

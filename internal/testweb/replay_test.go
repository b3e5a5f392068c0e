package testweb_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/quire-dev/quire/internal/corpus"
	"github.com/quire-dev/quire/internal/testweb"
)

type corpusWork struct{ DOI, ArXiv, PMCID, PMID, OpenAlex string }

func TestReplay(t *testing.T) {
	replay, err := testweb.OpenReplay(corpus.Path(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]func(*testing.T, *testweb.Replay, *http.Client){
		"answers all works":     replayAnswersAllWorks,
		"recordings":            replayRecordings,
		"pages":                 replayPages,
		"DOI proxy":             replayDOIProxy,
		"batches":               replayBatches,
		"repositories":          replayRepositories,
		"long tail":             replayLongTail,
		"robots.txt as desired": replayRobots,
	} {
		t.Run(name, func(t *testing.T) {
			web, client := start(t)
			web.Fallback(replay)
			test(t, replay, client)
			for host, account := range web.Accounts() {
				if n := account.Statuses[http.StatusInternalServerError]; n > 0 && !recorded500(host) {
					t.Errorf("%s failed %d times", host, n)
				}
			}
		})
	}
}

// recorded500 names hosts of whose failures there are recordings.
func recorded500(host string) bool {
	return host == "api.crossref.org" || host == "zenodo.org" || host == "api.rogue-scholar.org"
}

// Every work of the corpus gets from every service either a record or the
// service's own miss, and every PDF that its Unpaywall answer promises. Most are
// asked without sockets, which cost too much under the race detector.
func replayAnswersAllWorks(t *testing.T, replay *testweb.Replay, client *http.Client) {
	direct := &http.Client{Transport: handlerTransport{replay}, CheckRedirect: client.CheckRedirect}
	files := 0
	works := corpus.JSONL[corpusWork](t, "works.jsonl")
	for i, work := range works {
		via := direct
		if i%20 == 0 {
			via = client
		}
		askServices(t, via, work)
		for _, fileURL := range replay.WantPDF(work.DOI) {
			checkPromise(t, via, replay, fileURL)
			files++
		}
	}
	t.Logf("%d works, %d PDFs promised and kept", len(works), files)
	if len(works) != 1890 || files < 1500 {
		t.Errorf("%d works with %d PDFs", len(works), files)
	}
}

// handlerTransport answers requests with a handler.
type handlerTransport struct{ http.Handler }

func (h handlerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	asked := httptest.NewRequest(r.Method, r.URL.String(), nil)
	asked.Header = r.Header
	h.ServeHTTP(rec, asked)
	return rec.Result(), nil
}

func askServices(t *testing.T, client *http.Client, work corpusWork) {
	if work.DOI != "" {
		doi := url.PathEscape(work.DOI)
		for at, miss := range map[string]string{
			"https://api.unpaywall.org/v2/" + doi + "?email=you@example.org": "HTTP_status_code",
			"https://api.crossref.org/works/" + doi + "?mailto=x":            "Resource not found.",
			"https://api.openalex.org/works/doi:" + doi:                      "Not Found",
			"https://doi.org/" + doi:                                         "never",
		} {
			g := get(t, client, at)
			found := g.status == 302 || g.status == 200 && (json.Valid(g.body) ||
				bytes.HasPrefix(g.body, []byte("%PDF"))) // Unpaywall says of some DOIs that they are the file
			if !found && (g.status != 404 || !bytes.Contains(g.body, []byte(miss))) {
				t.Errorf("%s: status %d, error %v: %.100q", at, g.status, g.err, g.body)
			}
		}
	}
	for prefix, id := range map[string]string{"DOI:": work.DOI, "PMCID:": work.PMCID, "EXT_ID:": work.PMID} {
		if id == "" {
			continue
		}
		got := getJSON[struct{ HitCount *int }](t, client,
			"https://www.ebi.ac.uk/europepmc/webservices/rest/search?format=json&query="+url.QueryEscape(prefix+`"`+id+`"`), 200)
		if got.HitCount == nil {
			t.Errorf("%s%s: no hitCount", prefix, id)
		}
	}
	if work.ArXiv != "" {
		if g := get(t, client, "https://arxiv.org/pdf/"+work.ArXiv); !bytes.HasPrefix(g.body, []byte("%PDF")) {
			t.Errorf("arXiv %s: status %d", work.ArXiv, g.status)
		}
	}
	if work.OpenAlex != "" {
		if g := get(t, client, "https://api.openalex.org/works/"+work.OpenAlex); g.status != 200 && g.status != 404 {
			t.Errorf("OpenAlex %s: status %d", work.OpenAlex, g.status)
		}
	}
}

func checkPromise(t *testing.T, client *http.Client, replay *testweb.Replay, fileURL string) {
	g := get(t, client, fileURL)
	sum := sha256.Sum256(g.body)
	if g.err != nil || g.status != 200 || g.header.Get("Content-Type") != "application/pdf" || hex.EncodeToString(sum[:]) != replay.SHA256(fileURL) {
		t.Errorf("%s: status %d, type %q, %d bytes, error %v", fileURL, g.status, g.header.Get("Content-Type"), len(g.body), g.err)
	}
}

// A recorded request gets the recorded bytes back.
func replayRecordings(t *testing.T, _ *testweb.Replay, client *http.Client) {
	type row struct {
		Service, Method, URL string
		Request              struct{ Accept string } `json:"request_headers"`
		Status               int
		BodyFile             string `json:"body_file"`
		Note                 string
	}
	same, all := 0, 0
	for _, r := range corpus.JSONL[row](t, "recordings.jsonl") {
		if r.Method != http.MethodGet || strings.HasPrefix(r.Note, "single result") {
			continue
		}
		all++
		body, err := os.ReadFile(corpus.Path(t, r.BodyFile))
		if err != nil {
			t.Fatal(err)
		}
		g := get(t, client, r.URL, "Accept", r.Request.Accept)
		if g.err == nil && g.status == r.Status && bytes.Equal(g.body, body) {
			same++
		}
	}
	t.Logf("%d of %d recorded requests get the recorded bytes", same, all)
	if same < all*95/100 {
		t.Errorf("only %d of %d recorded requests get the recorded bytes", same, all)
	}
}

func replayPages(t *testing.T, replay *testweb.Replay, client *http.Client) {
	type row struct {
		File, URL, DOI string
		Status         int
		Expected       struct {
			PDF string `json:"pdf_url"`
		}
	}
	for _, r := range corpus.JSONL[row](t, "html/index.jsonl") {
		g := get(t, client, r.URL)
		body := corpus.Read(t, r.File)
		recorded := strings.HasPrefix(r.URL, "https://web.archive.org/") // also among the recordings, unedited
		if g.status != r.Status && !recorded || !bytes.Equal(g.body, body) && !recorded {
			t.Errorf("%s: status %d, %d bytes, error %v", r.URL, g.status, len(g.body), g.err)
		}
		if r.Expected.PDF != "none" {
			checkPromise(t, client, replay, r.Expected.PDF)
		}
		if r.DOI != "" {
			if g := get(t, client, "https://doi.org/"+url.PathEscape(r.DOI)); g.status != 302 || g.header.Get("Location") == "" {
				t.Errorf("doi.org/%s: status %d", r.DOI, g.status)
			}
		}
	}
}

func replayDOIProxy(t *testing.T, _ *testweb.Replay, client *http.Client) {
	if g := get(t, client, "https://doi.org/10.5555/no-such-work"); g.status != 404 {
		t.Errorf("unknown DOI: status %d", g.status)
	}
	known := get(t, client, "https://doi.org/10.1017/ccol0521792614.005")
	page := get(t, client, known.header.Get("Location"))
	if page.status != 200 || bytes.Contains(page.body, []byte("citation_pdf_url")) {
		t.Errorf("known DOI: %s: status %d", known.header.Get("Location"), page.status)
	}
	csl := get(t, client, "https://doi.org/10.1002/leap.1228", "Accept", "application/vnd.citationstyles.csl+json")
	if !strings.HasPrefix(csl.header.Get("Location"), "https://api.crossref.org/") {
		t.Errorf("content negotiation leads to %q", csl.header.Get("Location"))
	}
	if g := get(t, client, "https://doi.org/10.1002/leap.1228"); strings.HasPrefix(g.header.Get("Location"), "https://api.crossref.org/") {
		t.Error("content negotiation without being asked")
	}
}

func replayBatches(t *testing.T, _ *testweb.Replay, client *http.Client) {
	list := getJSON[struct{ Results []struct{ DOI string } }](t, client,
		"https://api.openalex.org/works?filter=doi:10.1002/ldr.687|10.5555/none&per_page=50", 200)
	if len(list.Results) != 1 || list.Results[0].DOI != "https://doi.org/10.1002/ldr.687" {
		t.Errorf("OpenAlex list: %+v", list)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://api.semanticscholar.org/graph/v1/paper/batch?fields=title",
		strings.NewReader(`{"ids":["DOI:10.1001/jama.269.24.3140","DOI:10.5555/none"]}`))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var papers []*struct{ PaperID string }
	if err := json.NewDecoder(resp.Body).Decode(&papers); err != nil || len(papers) != 2 || papers[0] == nil || papers[1] != nil {
		t.Errorf("Semantic Scholar batch: %v, %v", papers, err)
	}
}

// The long tail answers from its bulk records and from the recorded lists.
func replayLongTail(t *testing.T, _ *testweb.Replay, client *http.Client) {
	for at, want := range map[string]int{
		"https://doaj.org/api/v4/search/articles/doi:10.1002%2FECS2.2744":                         1, // bulk
		"https://doaj.org/api/v4/search/articles/doi:%2210.1371%2Fjournal.pone.0227130%22":        1, // a recorded list
		"https://doaj.org/api/v4/search/articles/doi:10.5555%2Fnone":                              0,
		"https://api.openaire.eu/graph/v3/research-products?pid=10.1089%2Fcrispr.2020.0030":       1,
		"https://api.core.ac.uk/v3/search/works/?q=doi:%2210.1089%2Fcrispr.2020.0030%22&limit=10": 0,
	} {
		got := getJSON[struct{ Results []json.RawMessage }](t, client, at, 200)
		if len(got.Results) != want || got.Results == nil {
			t.Errorf("%s: %d results, want %d", at, len(got.Results), want)
		}
	}
	if g := get(t, client, "https://api.core.ac.uk/v3/search/works?q=x"); g.status != 301 {
		t.Errorf("CORE without the slash: status %d", g.status)
	}
	if rows := getJSON[[]any](t, client, "https://web.archive.org/cdx/search/cdx?url=https://old.example/a.pdf&output=json", 200); len(rows) != 0 {
		t.Errorf("captures of nothing: %v", rows)
	}
}

func replayRobots(t *testing.T, replay *testweb.Replay, client *http.Client) {
	if g := get(t, client, "https://arxiv.org/robots.txt"); g.status != 404 {
		t.Errorf("robots.txt by default: status %d", g.status)
	}
	replay.Robots = true
	defer func() { replay.Robots = false }()
	if g := get(t, client, "https://arxiv.org/robots.txt"); !bytes.Equal(g.body, corpus.Read(t, "robots", "arxiv.org.txt")) {
		t.Errorf("robots.txt when wanted: status %d", g.status)
	}
}

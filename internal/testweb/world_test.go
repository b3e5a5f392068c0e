package testweb_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/testweb"
)

const mail = "?email=librarian@northfield.edu"

// smallWorld has one work that every service knows, one that is nowhere open
// and one DOI that does not exist.
func smallWorld() testweb.World {
	return testweb.World{Works: []testweb.Work{
		{
			DOI: "10.5555/a(1)", ArXiv: "2401.99001", PMCID: "PMC9990001", PMID: "99900001",
			Title: "A title", Journal: "J", Publisher: "P", Year: 2020,
			Landing: "https://www.pub.example/a",
			Copies: []testweb.Copy{
				{URL: "https://www.pub.example/a.pdf", Page: "https://www.pub.example/a", Publisher: true, Version: "publishedVersion", License: "cc-by"},
				{URL: "https://repo.example/a.pdf?x=1", Version: "acceptedVersion", Services: []string{"openalex"}},
			},
		},
		{DOI: "10.5555/closed", Title: "Closed", Landing: "https://www.pub.example/closed"},
		{DOI: "10.5555/unknown", Unknown: true},
	}}
}

func TestWorld_Unpaywall(t *testing.T) {
	web, client := start(t)
	web.Serve(smallWorld())
	type location struct {
		PDF     string `json:"url_for_pdf"`
		Host    string `json:"host_type"`
		Version string
		License string
	}
	type answer struct {
		DOI       string
		IsOA      bool       `json:"is_oa"`
		Best      *location  `json:"best_oa_location"`
		Locations []location `json:"oa_locations"`
	}
	copyOf := location{"https://www.pub.example/a.pdf", "publisher", "publishedVersion", "cc-by"}
	for _, doi := range []string{"10.5555%2FA%281%29", "10.5555/a(1)"} {
		got := getJSON[answer](t, client, "https://api.unpaywall.org/v2/"+doi+mail, http.StatusOK)
		if diff := cmp.Diff(answer{"10.5555/a(1)", true, &copyOf, []location{copyOf}}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", doi, diff)
		}
	}
	if got := getJSON[answer](t, client, "https://api.unpaywall.org/v2/10.5555/closed"+mail, http.StatusOK); got.IsOA || len(got.Locations) > 0 {
		t.Errorf("closed work: %+v", got)
	}
}

// A service can be given manners like any other site, and stays that service.
func TestWorld_serviceBehaves(t *testing.T) {
	web, client := start(t)
	world := smallWorld()
	world.Sites = map[string]testweb.Site{"api.crossref.org": {Behaviours: []testweb.Behaviour{
		testweb.After(1, testweb.Announce("X-Rate-Limit-Limit", "3")),
	}}}
	web.Serve(world)
	for i, want := range []string{"50", "3", "3"} {
		g := get(t, client, "https://api.crossref.org/works/10.5555%2Fclosed")
		if got := g.header.Get("X-Rate-Limit-Limit"); g.status != http.StatusOK || got != want {
			t.Errorf("answer %d: status %d, limit %q, want 200, %q", i+1, g.status, got, want)
		}
	}
}

func TestWorld_UnpaywallErrors(t *testing.T) {
	world := smallWorld()
	for name, tt := range map[string]struct {
		placeholders bool
		path         string
		want         int
	}{
		"unknown DOI":         {false, "10.5555/unknown" + mail, 404},
		"no address":          {false, "10.5555/closed", 422},
		"no address at all":   {false, "10.5555/closed?email=x", 422},
		"placeholder":         {false, "10.5555/closed?email=you@example.org", 422},
		"placeholder allowed": {true, "10.5555/closed?email=you@example.org", 200},
		"none is never right": {true, "10.5555/closed", 422},
	} {
		t.Run(name, func(t *testing.T) {
			web, client := start(t)
			world.Placeholders = tt.placeholders
			web.Serve(world)
			got := getJSON[struct {
				Status int `json:"HTTP_status_code"`
			}](t, client, "https://api.unpaywall.org/v2/"+tt.path, tt.want)
			if tt.want != 200 && got.Status != tt.want {
				t.Errorf("the answer's own status is %d, want %d", got.Status, tt.want)
			}
		})
	}
}

func TestWorld_Crossref(t *testing.T) {
	web, client := start(t)
	web.Serve(smallWorld())
	type message struct {
		DOI  string
		Link []struct {
			URL  string
			Type string `json:"content-type"`
		}
	}
	single := getJSON[struct{ Message message }](t, client, "https://api.crossref.org/works/10.5555%2Fa(1)?mailto=x", 200).Message
	if single.DOI != "10.5555/a(1)" || len(single.Link) != 1 || single.Link[0].Type != "application/pdf" {
		t.Errorf("single: %+v", single)
	}
	list := getJSON[struct {
		Message struct{ Items []message }
	}](t, client, "https://api.crossref.org/works?filter=doi:10.5555/a(1),doi:10.5555/unknown,doi:10.5555/closed&rows=3", 200).Message
	if len(list.Items) != 2 {
		t.Errorf("list has %d works, want 2", len(list.Items))
	}
	if g := get(t, client, "https://api.crossref.org/works/10.5555/unknown"); g.status != 404 || string(g.body) != "Resource not found." {
		t.Errorf("miss: %d %q", g.status, g.body)
	}
}

func TestWorld_OpenAlex(t *testing.T) {
	web, client := start(t)
	web.Serve(smallWorld())
	type record struct {
		ID, DOI   string
		Locations []struct {
			PDF string `json:"pdf_url"`
		}
	}
	byDOI := getJSON[record](t, client, "https://api.openalex.org/works/doi:10.5555/A(1)", 200)
	if byDOI.DOI != "https://doi.org/10.5555/a(1)" || len(byDOI.Locations) != 2 {
		t.Fatalf("got %+v", byDOI)
	}
	number := strings.TrimPrefix(byDOI.ID, "https://openalex.org/")
	for _, form := range []string{"https://doi.org/10.5555%2Fa(1)", number, "pmcid:9990001", "pmid:99900001"} {
		if diff := cmp.Diff(byDOI, getJSON[record](t, client, "https://api.openalex.org/works/"+form, 200)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", form, diff)
		}
	}
	list := getJSON[struct {
		Meta    struct{ Count int }
		Results []record
	}](t, client, "https://api.openalex.org/works?filter=doi:10.5555/a(1)|https://doi.org/10.5555/closed|10.5555/unknown&per_page=100", 200)
	if list.Meta.Count != 2 || len(list.Results) != 2 {
		t.Errorf("list: %+v", list)
	}
	if g := get(t, client, "https://api.openalex.org/works/doi:10.5555/unknown"); g.status != 404 {
		t.Errorf("miss: %d", g.status)
	}
}

func TestWorld_EuropePMC(t *testing.T) {
	web, client := start(t)
	web.Serve(smallWorld())
	type answer struct {
		HitCount   int
		ResultList struct {
			Result []struct {
				PMCID    string
				FullText struct {
					URLs []struct{ DocumentStyle, URL string } `json:"fullTextUrl"`
				} `json:"fullTextUrlList"`
			}
		}
	}
	const search = "https://www.ebi.ac.uk/europepmc/webservices/rest/search?resultType=core&format=json&query="
	for _, query := range []string{`DOI:%2210.5555/a(1)%22`, `PMCID:PMC9990001`, `EXT_ID:99900001%20AND%20SRC:MED`, `(DOI:%2210.5555/closed%22%20OR%20DOI:%2210.5555/A(1)%22)`} {
		got := getJSON[answer](t, client, search+query, 200)
		if got.HitCount != 1 || got.ResultList.Result[0].PMCID != "PMC9990001" {
			t.Fatalf("%s: %+v", query, got)
		}
		file := get(t, client, got.ResultList.Result[0].FullText.URLs[0].URL)
		if !bytes.HasPrefix(file.body, []byte("%PDF")) {
			t.Errorf("%s: full text: status %d", query, file.status)
		}
	}
	if got := getJSON[answer](t, client, search+`DOI:%2210.5555/closed%22`, 200); got.HitCount != 0 {
		t.Errorf("miss: %+v", got)
	}
}

func TestWorld_PMCBucket(t *testing.T) {
	web, client := start(t)
	world := smallWorld()
	web.Serve(world)
	const bucket = "https://pmc-oa-opendata.s3.amazonaws.com/"
	list := func(query string) (prefixes []string, keys int) {
		var listing struct {
			CommonPrefixes []struct{ Prefix string }
			Contents       []struct{ Key string }
		}
		g := get(t, client, bucket+"?list-type=2&"+query)
		if err := xml.Unmarshal(g.body, &listing); err != nil {
			t.Fatal(err)
		}
		for _, p := range listing.CommonPrefixes {
			prefixes = append(prefixes, p.Prefix)
		}
		return prefixes, len(listing.Contents)
	}
	if prefixes, keys := list("prefix=PMC9990001.&delimiter=/"); !slices.Equal(prefixes, []string{"PMC9990001.1/"}) || keys != 0 {
		t.Errorf("versions: %v and %d keys", prefixes, keys)
	}
	if prefixes, keys := list("prefix=PMC999000.&delimiter=/"); len(prefixes)+keys != 0 {
		t.Errorf("another work's versions: %v and %d keys", prefixes, keys)
	}
	if prefixes, keys := list("prefix="); len(prefixes) != 0 || keys != 2 {
		t.Errorf("all: %v and %d keys", prefixes, keys)
	}
	meta := getJSON[struct {
		PMCID   string
		PDF     string `json:"pdf_url"`
		License string `json:"license_code"`
	}](t, client, bucket+"metadata/PMC9990001.1.json", 200)
	key, ok := strings.CutPrefix(meta.PDF, "s3://pmc-oa-opendata/")
	key, _, _ = strings.Cut(key, "?md5=")
	if !ok || meta.PMCID != "PMC9990001" || meta.License != "CC BY" {
		t.Fatalf("metadata: %+v", meta)
	}
	if sum := sha256.Sum256(get(t, client, bucket+key).body); !slices.Contains(world.Works[0].Files(), hex.EncodeToString(sum[:])) {
		t.Error("the object is none of the work's files")
	}
	if g := get(t, client, bucket+"PMC1.1/PMC1.1.pdf"); g.status != 404 || !bytes.Contains(g.body, []byte("NoSuchKey")) {
		t.Errorf("missing object: %d %s", g.status, g.body)
	}
}

func TestWorld_ArXivAndDOI(t *testing.T) {
	web, client := start(t)
	web.Serve(smallWorld())
	pdf := get(t, client, "https://arxiv.org/pdf/2401.99001")
	if !bytes.HasPrefix(pdf.body, []byte("%PDF")) {
		t.Errorf("arXiv file: status %d", pdf.status)
	}
	if g := get(t, client, "https://arxiv.org/pdf/2401.99001v2"); !bytes.Equal(g.body, pdf.body) {
		t.Errorf("arXiv file with version: status %d", g.status)
	}
	if g := get(t, client, "https://arxiv.org/pdf/2401.99001v1.pdf"); g.status != 301 || g.header.Get("Location") != "/pdf/2401.99001v1" {
		t.Errorf("arXiv file with suffix: status %d", g.status)
	}
	var feed struct {
		Entries []struct {
			Title string `xml:"title"`
			DOI   string `xml:"http://arxiv.org/schemas/atom doi"`
		} `xml:"entry"`
	}
	if err := xml.Unmarshal(get(t, client, "https://export.arxiv.org/api/query?id_list=2401.99001v1,1234.56789").body, &feed); err != nil {
		t.Fatal(err)
	}
	if len(feed.Entries) != 1 || feed.Entries[0].Title != "A title" || feed.Entries[0].DOI != "10.5555/a(1)" {
		t.Errorf("feed: %+v", feed)
	}

	tests := map[string]struct {
		status   int
		location string
	}{
		"https://doi.org/10.5555/A(1)":                    {302, "https://www.pub.example/a"},
		"https://doi.org/10.5555%2Fclosed":                {302, "https://www.pub.example/closed"},
		"https://doi.org/10.5555/unknown":                 {404, ""},
		"https://doi.org/api/handles/10.5555/unknown":     {404, ""},
		"https://doi.org/api/handles/10.5555/closed":      {200, ""},
		"https://arxiv.org/pdf/1234.56789":                {404, ""},
		"https://doaj.org/api/v4/search/articles/doi:x":   {200, ""},
		"https://api.semanticscholar.org/graph/v1/paper/": {404, ""},
	}
	for url, want := range tests {
		if g := get(t, client, url); g.status != want.status || g.header.Get("Location") != want.location {
			t.Errorf("%s: status %d to %q, want %+v", url, g.status, g.header.Get("Location"), want)
		}
	}
}

// Lists are bounded as those of the real services are.
func TestWorld_Lists(t *testing.T) {
	web, client := start(t)
	web.Serve(smallWorld())
	dois := func(n int, between string) string {
		return strings.Join(slices.Repeat([]string{"10.5555/closed"}, n), between)
	}
	const (
		crossref = "https://api.crossref.org/works?filter="
		openAlex = "https://api.openalex.org/works?filter="
		idconv   = "https://pmc.ncbi.nlm.nih.gov/tools/idconv/api/v1/articles/?ids="
	)
	tests := map[string]struct {
		url    string
		status int
		holds  string
	}{
		"crossref, 20 rows if not told": {crossref + "doi:" + dois(30, ",doi:"), 200, `"total-results":30`},
		"crossref, too many rows":       {crossref + "doi:10.5555/closed&rows=1001", 400, "validation-failure"},
		"crossref, a comma in a DOI":    {crossref + "doi:10.5555/a,b", 400, "filter-not-available"},
		"openalex, 50 values":           {openAlex + "doi:" + dois(50, "|") + "&per_page=100", 200, `"count":50`},
		"openalex, 51 values":           {openAlex + "doi:" + dois(51, "|"), 400, "Maximum number of values exceeded"},
		"openalex, a long URL":          {openAlex + "doi:10.5555/" + strings.Repeat("x", 4100), 414, "too long"},
		"openalex, a comma in a DOI":    {openAlex + "doi:10.5555/a,b", 400, "not a valid field"},
		"openalex, by PMCID":            {openAlex + "pmcid:9990001|7", 200, `"count":1`},
		"openalex, per_page":            {openAlex + "doi:10.5555/closed&per_page=0", 400, "per_page"},
		"idconv, DOIs":                  {idconv + "10.5555/A(1),10.5555/closed&idtype=doi", 200, "PMC9990001"},
		"idconv, PMIDs":                 {idconv + "99900001", 200, "PMC9990001"},
		"idconv, mixed":                 {idconv + "10.5555/a,99900001&idtype=doi", 400, "invalid_dois"},
		"idconv, 201":                   {idconv + dois(201, ",") + "&idtype=doi", 400, "too_many_ids"},
	}
	for name, tt := range tests {
		if g := get(t, client, tt.url); g.status != tt.status || !strings.Contains(string(g.body), tt.holds) {
			t.Errorf("%s: %d %.200s", name, g.status, g.body)
		}
	}
}

func TestWorld_SemanticScholar(t *testing.T) {
	web, client := start(t)
	world := smallWorld()
	world.Sites = map[string]testweb.Site{"api.semanticscholar.org": {Behaviours: []testweb.Behaviour{testweb.Poison("10.5555/poison")}}}
	web.Serve(world)
	const batch = "https://api.semanticscholar.org/graph/v1/paper/batch?fields=title"
	ids := func(n int, id string) string {
		return `{"ids":["` + strings.Join(slices.Repeat([]string{id}, n), `","`) + `"]}`
	}
	for name, tt := range map[string]struct {
		body   string
		status int
		holds  string
	}{
		"known and unknown": {`{"ids":["DOI:10.5555/A(1)","PMID:1","ARXIV:2401.99001"]}`, 200, `},null,{`},
		"none known":        {ids(2, "PMID:1"), 400, "No valid paper ids given"},
		"500":               {ids(500, "PMCID:9990001"), 200, "A title"},
		"501":               {ids(501, "PMCID:9990001"), 400, "Bad request"},
		"poison":            {`{"ids":["DOI:10.5555/a(1)","DOI:10.5555/poison"]}`, 400, "Bad request"},
		"no JSON":           {"ids", 400, "Bad request"},
	} {
		resp, err := client.Post(batch, "application/json", strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != tt.status || !strings.Contains(string(body), tt.holds) {
			t.Errorf("%s: %d %.200s %v", name, resp.StatusCode, body, err)
		}
	}
	if g := get(t, client, "https://api.semanticscholar.org/graph/v1/paper/DOI:10.5555%2Fpoison"); g.status != 400 {
		t.Errorf("poison alone: %d", g.status)
	}
	if got := web.Requests(); got != 7 {
		t.Errorf("%d requests booked, want 7", got)
	}
}

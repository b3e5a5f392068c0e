package resolver_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/resolver"
	"github.com/quire-dev/quire/paper"
)

func TestNew(t *testing.T) {
	for _, name := range resolver.Names() {
		r, err := resolver.New(name, resolver.Config{Contact: contact}, &web{})
		if err != nil || r.Name() != name || resolver.DefaultBaseURL(name) == "" {
			t.Errorf("New(%q): %v, %v", name, r, err)
		}
		if r.Local() != (name == "arxiv" || name == "landing") {
			t.Errorf("%s: local %v", name, r.Local())
		}
		if r.Accepts(paper.Artifact{}) {
			t.Errorf("%s accepts an artifact without identifiers", name)
		}
	}
	if _, err := resolver.New("scihub", resolver.Config{}, nil); !errors.Is(err, resolver.ErrUnknown) {
		t.Errorf("unknown name: %v", err)
	}
	if _, err := resolver.New("unpaywall", resolver.Config{}, nil); !errors.Is(err, resolver.ErrNoContact) {
		t.Errorf("no contact: %v", err)
	}
}

func TestNew_BaseURL(t *testing.T) {
	get := &web{replies: map[string]paper.Reply{"https://mirror.org/api/works/10.5555%2Fa": {Status: 404}}}
	r, err := resolver.New("crossref", resolver.Config{BaseURL: "https://mirror.org/api/"}, get)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Resolve(t.Context(), []paper.Artifact{byDOI("10.5555/a")}); err != nil {
		t.Error(err)
	}
}

// arxivFiles are what arXiv has under an id.
func arxivFiles(id string) []paper.Candidate {
	return []paper.Candidate{
		{URL: "https://arxiv.org/pdf/" + id, Kind: paper.PDF, Version: paper.Submitted},
		{URL: "https://arxiv.org/html/" + id, Kind: paper.HTML, Version: paper.Submitted},
		{URL: "https://export.arxiv.org/e-print/" + id, Kind: paper.Source, Version: paper.Submitted},
	}
}

func TestArXiv_ownBase(t *testing.T) {
	r, err := resolver.New("arxiv", resolver.Config{BaseURL: "https://mirror.net/"}, &web{})
	if err != nil {
		t.Fatal(err)
	}
	answers, err := r.Resolve(t.Context(), []paper.Artifact{{IDs: paper.IDs{ArXiv: "2101.00001"}}})
	if err != nil || len(answers[0].Candidates) != 3 {
		t.Fatalf("%+v, %v", answers, err)
	}
	for _, c := range answers[0].Candidates {
		if !strings.HasPrefix(c.URL, "https://mirror.net/") {
			t.Errorf("%+v", c)
		}
	}
}

func TestLocal(t *testing.T) {
	tests := map[string]struct {
		source   string
		artifact paper.Artifact
		want     []paper.Candidate
	}{
		"arxiv": {
			"arxiv",
			paper.Artifact{ID: "arxiv:2101.00001", IDs: paper.IDs{ArXiv: "2101.00001"}},
			arxivFiles("2101.00001"),
		},
		"arxiv with version": {
			"arxiv",
			paper.Artifact{ID: "arxiv:math.GT/0309136", IDs: paper.IDs{ArXiv: "math.GT/0309136"}, Version: 2},
			arxivFiles("math.GT/0309136v2"),
		},
		"the version is that of the PMCID": {
			"arxiv",
			paper.Artifact{ID: "pmcid:PMC1", IDs: paper.IDs{PMCID: "PMC1", ArXiv: "2101.00001"}, Version: 2},
			arxivFiles("2101.00001"),
		},
		"DOI": {
			"landing", byDOI("10.5555/a(b)"),
			[]paper.Candidate{{URL: "https://doi.org/10.5555/a%28b%29", Kind: paper.Landing}},
		},
		"URL of a file": {
			"landing",
			paper.Artifact{IDs: paper.IDs{URL: "https://x.org/A.PDF?v=1"}},
			[]paper.Candidate{{URL: "https://x.org/A.PDF?v=1", Kind: paper.PDF}},
		},
		"URL of a page": {
			"landing",
			paper.Artifact{IDs: paper.IDs{URL: "https://x.org/a?f=b.pdf"}},
			[]paper.Candidate{{URL: "https://x.org/a?f=b.pdf", Kind: paper.Landing}},
		},
	}
	for name, tt := range tests {
		answers, err := newSource(t, tt.source, nil).Resolve(t.Context(), []paper.Artifact{tt.artifact})
		if err != nil {
			t.Fatal(err)
		}
		for i := range tt.want {
			tt.want[i].Source = tt.source
		}
		if diff := cmp.Diff(tt.want, answers[0].Candidates); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

const listing = `<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>pmc-oa-opendata</Name>
<Prefix>PMC12.</Prefix><KeyCount>3</KeyCount><IsTruncated>false</IsTruncated>
<CommonPrefixes><Prefix>PMC12.1/</Prefix></CommonPrefixes><CommonPrefixes><Prefix>PMC12.10/</Prefix></CommonPrefixes>
<CommonPrefixes><Prefix>PMC12.2/</Prefix></CommonPrefixes><CommonPrefixes><Prefix>PMC120.30/</Prefix></CommonPrefixes>
<CommonPrefixes><Prefix>../PMC12.99/</Prefix></CommonPrefixes></ListBucketResult>`

func TestPMC_Listing(t *testing.T) {
	tests := map[string]struct {
		artifact     paper.Artifact
		body         string
		cursor, note string
	}{
		"highest":      {byPMCID("PMC12"), listing, "PMC12.10", ""},
		"version":      {paper.Artifact{ID: "pmcid:PMC12", IDs: paper.IDs{PMCID: "PMC12"}, Version: 2}, listing, "PMC12.2", ""},
		"no version 5": {paper.Artifact{ID: "pmcid:PMC12", IDs: paper.IDs{PMCID: "PMC12"}, Version: 5}, listing, "", "version 5 is not in the open-data bucket"},
		"arXiv's version": {
			paper.Artifact{ID: "arxiv:2101.00001", IDs: paper.IDs{PMCID: "PMC12", ArXiv: "2101.00001"}, Version: 2}, listing, "PMC12.10", "",
		},
		"empty": {byPMCID("PMC12"), `<ListBucketResult><KeyCount>0</KeyCount></ListBucketResult>`, "", "not in the open-data bucket"},
		"other": {byPMCID("PMC3"), listing, "", "not in the open-data bucket"},
	}
	for name, tt := range tests {
		answer, err := resolve(t, "pmc", tt.artifact, ok(tt.body))
		if err != nil || answer.Cursor != tt.cursor || answer.Note != tt.note || len(answer.Candidates) > 0 {
			t.Errorf("%s: %+v, %v", name, answer, err)
		}
	}
}

// TestPMC_TwoRequests walks the whole way, as the harvest does.
func TestPMC_TwoRequests(t *testing.T) {
	const base = "https://pmc-oa-opendata.s3.amazonaws.com"
	get := &web{replies: map[string]paper.Reply{
		base + "/?list-type=2&prefix=PMC12.&delimiter=/": ok(listing),
		base + "/metadata/PMC12.10.json": ok(`{"pmcid":"PMC12","version":10,"pmid":987,"doi":"10.5555/A","title":" On <i>x</i>",
			"is_manuscript":true,"is_retracted":"yes","license_code":"CC BY-NC",
			"xml_url":"s3://pmc-oa-opendata/PMC12.10/PMC12.10.xml?md5=00000000000000000000000000000001","text_url":"s3://pmc-oa-opendata/PMC12.10/PMC12.10.txt",
			"pdf_url":"s3://pmc-oa-opendata/PMC12.10/PMC12.10.pdf?md5=0123456789ABCDEF0123456789abcdef"}`),
	}}
	r := newSource(t, "pmc", get)
	a := byPMCID("PMC12")
	var answer paper.Answer
	for range 2 {
		answers, err := r.Resolve(t.Context(), []paper.Artifact{a})
		if err != nil {
			t.Fatal(err)
		}
		answer = answers[0]
		a.Cursor = answer.Cursor
	}
	want := paper.Answer{
		Candidates: []paper.Candidate{{
			URL: base + "/PMC12.10/PMC12.10.pdf", Kind: paper.PDF, Source: "pmc", Version: paper.Accepted,
			License: "cc-by-nc", MD5: "0123456789abcdef0123456789abcdef",
		}, {
			URL: base + "/PMC12.10/PMC12.10.xml", Kind: paper.XML, Source: "pmc", Version: paper.Accepted,
			License: "cc-by-nc", MD5: "00000000000000000000000000000001",
		}},
		IDs:   paper.IDs{PMCID: "PMC12", PMID: "987", DOI: "10.5555/a"},
		Title: "On <i>x</i>", License: "cc-by-nc", Note: "retracted",
	}
	if diff := cmp.Diff(want, answer); diff != "" {
		t.Error(diff)
	}
}

func TestPMC_Metadata(t *testing.T) {
	a := paper.Artifact{ID: "pmcid:PMC12", IDs: paper.IDs{PMCID: "PMC12"}, Cursor: "PMC12.1"}
	tests := map[string]struct{ body, note string }{
		"no PDF":         {`{"pmcid":"PMC12","pdf_url":null}`, "no PDF in the open-data bucket"},
		"foreign bucket": {`{"pmcid":"PMC12","pdf_url":"s3://evil/x.pdf"}`, ""},
		"https":          {`{"pmcid":"PMC12","pdf_url":"https://evil.org/x.pdf"}`, ""},
		"another PMCID":  {`{"pmcid":"PMC13","pdf_url":"s3://pmc-oa-opendata/PMC13.1/x.pdf"}`, "answered for another PMCID: PMC13"},
		"no PMCID":       {`{"pdf_url":"s3://pmc-oa-opendata/PMC13.1/x.pdf"}`, "answered for another PMCID: "},
	}
	for name, tt := range tests {
		answer, err := resolve(t, "pmc", a, ok(tt.body))
		if err != nil || len(answer.Candidates) > 0 || answer.Note != tt.note {
			t.Errorf("%s: %+v, %v", name, answer, err)
		}
	}
	// A cursor that is not of this artifact is not followed into the bucket.
	get := &web{replies: map[string]paper.Reply{"*": ok(listing)}}
	a.Cursor = "../secret"
	if _, err := newSource(t, "pmc", get).Resolve(t.Context(), []paper.Artifact{a}); err != nil ||
		get.asked[0] != "https://pmc-oa-opendata.s3.amazonaws.com/?list-type=2&prefix=PMC12.&delimiter=/" {
		t.Errorf("asked %v, %v", get.asked, err)
	}
}

func TestOpenAlex_Merged(t *testing.T) {
	a := paper.Artifact{ID: "openalex:W1", IDs: paper.IDs{OpenAlex: "W1"}}
	get := &web{replies: map[string]paper.Reply{
		"https://api.openalex.org/works/W1": {Status: 301, Header: http.Header{"Location": {"https://api.openalex.org/works/W2?x=1"}}},
		"https://api.openalex.org/works/W2": ok(`{"id":"https://openalex.org/W2","doi":"https://doi.org/10.48550/arXiv.2201.06719",
			"best_oa_location":{"is_oa":true,"pdf_url":"https://x.org/a.pdf","version":"acceptedVersion","license":"cc-by"},
			"ids":{"pmcid":"https://www.ncbi.nlm.nih.gov/pmc/articles/4234579"}}`),
	}}
	r := newSource(t, "openalex", get)
	answers, err := r.Resolve(t.Context(), []paper.Artifact{a})
	if err != nil || answers[0].Cursor != "W2" {
		t.Fatalf("%+v, %v", answers, err)
	}
	a.Cursor = answers[0].Cursor
	answers, err = r.Resolve(t.Context(), []paper.Artifact{a})
	if err != nil {
		t.Fatal(err)
	}
	want := paper.Answer{
		Candidates: []paper.Candidate{{URL: "https://x.org/a.pdf", Kind: paper.PDF, Source: "openalex", Version: paper.Accepted, License: "cc-by"}},
		IDs:        paper.IDs{DOI: "10.48550/arxiv.2201.06719", ArXiv: "2201.06719", PMCID: "PMC4234579", OpenAlex: "W2"},
		Note:       "is_oa false",
	}
	if diff := cmp.Diff(want, answers[0]); diff != "" {
		t.Error(diff)
	}
	get.replies["https://api.openalex.org/works/W2"] = get.replies["https://api.openalex.org/works/W1"]
	if answers, err = r.Resolve(t.Context(), []paper.Artifact{a}); err != nil || answers[0].Cursor != "" {
		t.Errorf("a circle of mergers: %+v, %v", answers, err)
	}
}

func TestUnpaywall_PageWhereThereIsNoFile(t *testing.T) {
	answer, err := resolve(t, "unpaywall", byDOI("10.5555/a"), ok(`{"doi":"10.5555/a","is_oa":true,"oa_status":"green","oa_locations":[
		{"url_for_pdf":null,"url_for_landing_page":"https://doi.org/10.5555/a","version":"publishedVersion"},
		{"url_for_pdf":"mailto:me","url_for_landing_page":"https://www.ncbi.nlm.nih.gov/pmc/articles/PMC12","evidence":"oa repository (via pmcid lookup)"},
		{"url_for_pdf":"https://x.org/a b.pdf","license":"cc-by"}, {"url_for_pdf":"https://x.org/a%20b.pdf#page=2"}]}`))
	want := []paper.Candidate{
		{URL: "https://doi.org/10.5555/a", Kind: paper.Landing, Source: "unpaywall", Version: paper.Published},
		{URL: "https://www.ncbi.nlm.nih.gov/pmc/articles/PMC12", Kind: paper.Landing, Source: "unpaywall", Guessed: true},
		{URL: "https://x.org/a%20b.pdf", Kind: paper.PDF, Source: "unpaywall", License: "cc-by"},
	}
	if diff := cmp.Diff(want, answer.Candidates); diff != "" || err != nil || answer.IDs.PMCID != "PMC12" {
		t.Errorf("%s %+v %v", diff, answer.IDs, err)
	}
}

func TestCrossref_LinksAndLicences(t *testing.T) {
	answer, err := resolve(t, "crossref", byDOI("10.5555/a"), ok(`{"message":{"DOI":"10.5555/a","title":["T"],"link":[
		{"URL":"https://x.org/check.pdf","content-type":"application/pdf","intended-application":"similarity-checking"},
		{"URL":"https://x.org/vor.pdf","content-type":"unspecified","content-version":"vor"},
		{"URL":"https://x.org/vor.xml","content-type":"text/xml","content-version":"vor"},
		{"URL":"https://x.org/am.xml","content-type":"application/xml","content-version":"am","intended-application":"text-mining"},
		{"URL":"https://x.org/check.xml","content-type":"application/xml","content-version":"am","intended-application":"similarity-checking"},
		{"URL":"https://api.elsevier.com/content/article/PII:1?httpAccept=text/xml","content-type":"text/xml","content-version":"am"},
		{"URL":"https://x.org/am","content-type":"application/pdf","content-version":"am"}],
		"license":[{"URL":"http://creativecommons.org/licenses/by/4.0/","content-version":"vor","start":{"date-time":"2999-01-01T00:00:00Z"}},
		{"URL":"https://x.org/Terms","content-version":"vor","start":{"date-time":"2015-09-01T00:00:00Z"}},
		{"URL":"https://creativecommons.org/licenses/by-nc-nd/4.0/","content-version":"am"}]}}`))
	want := []paper.Candidate{
		{URL: "https://x.org/vor.pdf", Kind: paper.PDF, Source: "crossref", Version: paper.Published, License: "https://x.org/terms"},
		{URL: "https://x.org/am", Kind: paper.PDF, Source: "crossref", Version: paper.Accepted, License: "cc-by-nc-nd-4.0"},
		{URL: "https://x.org/am.xml", Kind: paper.XML, Source: "crossref", Version: paper.Accepted, License: "cc-by-nc-nd-4.0"},
	}
	if diff := cmp.Diff(want, answer.Candidates); diff != "" || err != nil || answer.Title != "T" {
		t.Errorf("%s %v", diff, err)
	}
}

func TestCrossref_Preprint(t *testing.T) {
	answer, err := resolve(t, "crossref", byDOI("10.5555/a"), ok(`{"message":{"DOI":"10.5555/a","type":"posted-content","link":[
		{"URL":"https://x.org/a.full.pdf","content-type":"application/pdf","content-version":"vor"}]}}`))
	if err != nil || len(answer.Candidates) != 1 || answer.Candidates[0].Version != paper.Submitted {
		t.Errorf("%+v, %v", answer, err)
	}
}

func TestEuropePMC_Formats(t *testing.T) {
	const base = "https://www.ebi.ac.uk/europepmc/webservices/rest/PMC12"
	tests := map[string]struct {
		fields string
		want   []string
	}{
		"open":              {`"isOpenAccess":"Y","inEPMC":"Y","hasSuppl":"Y"`, []string{"xml " + base + "/fullTextXML", "supplement " + base + "/supplementaryFiles"}},
		"no supplement":     {`"isOpenAccess":"Y","inEPMC":"Y","hasSuppl":"N"`, []string{"xml " + base + "/fullTextXML"}},
		"free, not open":    {`"isOpenAccess":"N","inEPMC":"Y","hasSuppl":"Y"`, nil},
		"only its abstract": {`"isOpenAccess":"Y","inEPMC":"N","hasSuppl":"Y"`, nil},
	}
	for name, tt := range tests {
		answer, err := resolve(t, "europepmc", byPMCID("PMC12"), ok(`{"resultList":{"result":[{"pmcid":"PMC12","license":"cc by",`+tt.fields+`}]}}`))
		var got []string
		for _, c := range answer.Candidates {
			if got = append(got, string(c.Kind)+" "+c.URL); c.License != "cc-by" || c.Version != paper.Published {
				t.Errorf("%s: %+v", name, c)
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("%s: %s %v", name, diff, err)
		}
	}
}

func TestEuropePMC_Versions(t *testing.T) {
	tests := map[string]struct {
		fields string
		want   paper.Version
	}{
		"publisher's":       {`"source":"MED"`, paper.Published},
		"author manuscript": {`"source":"MED","authMan":"Y"`, paper.Accepted},
		"preprint":          {`"source":"PPR"`, paper.Submitted},
	}
	for name, tt := range tests {
		answer, err := resolve(t, "europepmc", byPMCID("PMC12"), ok(`{"resultList":{"result":[{"pmcid":"PMC99","inEPMC":"Y","hasPDF":"Y"},
			{"pmcid":"PMC12","pmid":"7","doi":"10.5555/A","license":"cc by","inEPMC":"Y","hasPDF":"Y",`+tt.fields+`}]}}`))
		want := []paper.Candidate{{
			URL: "https://europepmc.org/articles/PMC12?pdf=render", Kind: paper.PDF, Source: "europepmc", Version: tt.want, License: "cc-by",
		}}
		if diff := cmp.Diff(want, answer.Candidates); diff != "" || err != nil {
			t.Errorf("%s: %s %v", name, diff, err)
		}
		if answer.IDs != (paper.IDs{DOI: "10.5555/a", PMCID: "PMC12", PMID: "7"}) {
			t.Errorf("%s: learned %+v", name, answer.IDs)
		}
	}
}

package resolver_test

import (
	"errors"
	"fmt"
	"math/bits"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/resolver"
	"github.com/quire-dev/quire/paper"
)

func TestBatch(t *testing.T) {
	want := map[string]int{"idconv": 200, "openalex": 50, "crossref": 50, "semanticscholar": 500, "hal": 25, "datacite": 25}
	for _, name := range resolver.Names() {
		if got := newSource(t, name, nil).Batch(); got != max(1, want[name]) {
			t.Errorf("%s takes %d works at once, want %d", name, got, max(1, want[name]))
		}
	}
}

// TestTogether_Requests shows the one request for several, and who is left for
// another one.
func TestTogether_Requests(t *testing.T) {
	ids := func(ids ...paper.IDs) (as []paper.Artifact) {
		for _, id := range ids {
			as = append(as, paper.Artifact{IDs: id})
		}
		return as
	}
	a, b := paper.IDs{DOI: "10.5555/A"}, paper.IDs{DOI: "10.5555/b(1):2"}
	comma := paper.IDs{DOI: "10.5555/c,d"}
	pmid, other := paper.IDs{PMID: "7"}, paper.IDs{PMID: "8"}
	tests := map[string]struct {
		source string
		as     []paper.Artifact
		url    string
		body   string
		left   []int // of as
	}{
		"crossref": {
			"crossref", ids(a, comma, b, a),
			"https://api.crossref.org/works?filter=doi:10.5555%2Fa,doi:10.5555%2Fb%281%29%3A2&rows=2&select=DOI,title,issued,link,license,type,ISBN,container-title&mailto=" + contact,
			"",
			[]int{1, 3},
		},
		"crossref, a comma first": {"crossref", ids(comma, a, b), "https://api.crossref.org/works/10.5555%2Fc%2Cd?mailto=" + contact, "", []int{1, 2}},
		"crossref, one":           {"crossref", ids(pmid, a), "https://api.crossref.org/works/10.5555%2FA?mailto=" + contact, "", nil},
		"openalex": {
			"openalex", ids(a, pmid, comma, b, paper.IDs{DOI: "10.5555/a|b"}, paper.IDs{DOI: "10.5555/a+b"}),
			"https://api.openalex.org/works?filter=doi:10.5555%2Fa%7C10.5555%2Fb%281%29%3A2&per_page=100&select=id,doi,title,publication_date,ids,open_access,best_oa_location,primary_location,locations",
			"",
			[]int{1, 2, 4, 5},
		},
		"openalex, PMIDs": {
			"openalex", ids(pmid, a, other),
			"https://api.openalex.org/works?filter=pmid:7%7C8&per_page=100&select=id,doi,title,publication_date,ids,open_access,best_oa_location,primary_location,locations",
			"",
			[]int{1},
		},
		"openalex, PMCIDs": {
			"openalex", ids(paper.IDs{PMCID: "PMC7"}, paper.IDs{PMCID: "PMC8"}, paper.IDs{OpenAlex: "W1"}),
			"https://api.openalex.org/works?filter=pmcid:7%7C8&per_page=100&select=id,doi,title,publication_date,ids,open_access,best_oa_location,primary_location,locations",
			"",
			[]int{2},
		},
		"semanticscholar": {
			"semanticscholar", ids(a, paper.IDs{ArXiv: "math.GT/0309136"}, pmid, paper.IDs{PMCID: "PMC9"}, paper.IDs{DOI: `10.5555/<"&`}),
			"https://api.semanticscholar.org/graph/v1/paper/batch?fields=externalIds,isOpenAccess,openAccessPdf,title",
			`{"ids":["DOI:10.5555/A","ARXIV:math/0309136","PMID:7","PMCID:9","DOI:10.5555/<\"&"]}`, nil,
		},
		"hal": {
			"hal", ids(a, pmid, b, a),
			"https://api.archives-ouvertes.fr/search/?q=doiId_s:(%2210.5555%2Fa%22%20OR%20%2210.5555%2Fb%281%29%3A2%22)%20OR%20" +
				"doiId_id:(%2210.5555%2Fa%22%20OR%20%2210.5555%2Fb%281%29%3A2%22)&rows=8" +
				"&fl=doiId_s,title_s,docType_s,fileMain_s,openAccess_bool,licence_s,pubmedId_s,pubmedcentralId_s&wt=json",
			"",
			[]int{3},
		},
		"datacite": {
			"datacite", ids(a, paper.IDs{DOI: "10.1016/a"}, b, comma),
			"https://api.datacite.org/dois?query=doi:(%2210.5555%2Fa%22%20OR%20%2210.5555%2Fb%281%29%3A2%22%20OR%20%2210.5555%2Fc%2Cd%22)" +
				"&page%5Bsize%5D=3&disable-facets=true",
			"",
			nil,
		},
		"idconv": {
			"idconv", ids(a, pmid, b, other),
			"https://pmc.ncbi.nlm.nih.gov/tools/idconv/api/v1/articles/?ids=10.5555/a,10.5555/b%281%29%3A2&idtype=doi&format=json&tool=quire&email=" + contact,
			"",
			[]int{1, 3},
		},
		"idconv, PMIDs": {
			"idconv", ids(pmid, a, paper.IDs{PMID: "8", DOI: comma.DOI}),
			"https://pmc.ncbi.nlm.nih.gov/tools/idconv/api/v1/articles/?ids=7,8&idtype=pmid&format=json&tool=quire&email=" + contact,
			"",
			[]int{1},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			get := &web{replies: map[string]paper.Reply{"*": {Status: 404}}}
			r := newSource(t, tt.source, get)
			answers, err := r.Resolve(t.Context(), tt.as)
			if err != nil {
				t.Fatal(err)
			}
			if len(get.asked) != 1 || get.asked[0] != tt.url || strings.Join(get.bodies, "") != tt.body {
				t.Errorf("asked %s\nwant  %s\nbody  %s\nwant  %s", get.asked, tt.url, get.bodies, tt.body)
			}
			var left []int
			for i, answer := range answers {
				if answer.Again == r.Batch() {
					left = append(left, i)
				}
			}
			if diff := cmp.Diff(tt.left, left); diff != "" {
				t.Errorf("left for another request (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSemanticScholar_Key(t *testing.T) {
	get := &web{replies: map[string]paper.Reply{"*": {Status: 403}}}
	r, err := resolver.New("semanticscholar", resolver.Config{APIKey: "s3cret"}, get)
	if err != nil {
		t.Fatal(err)
	}
	for _, as := range [][]paper.Artifact{{byDOI("10.5555/a")}, {byDOI("10.5555/a"), byDOI("10.5555/b")}} {
		if _, err := r.Resolve(t.Context(), as); classOf(t, err) != paper.Config {
			t.Errorf("%d works, key refused: %v", len(as), err)
		}
	}
	for _, h := range get.headers {
		if h.Get("X-Api-Key") != "s3cret" {
			t.Errorf("sent %v", h)
		}
	}
}

func TestSemanticScholar_Answers(t *testing.T) {
	arxiv := paper.Artifact{ID: "arxiv:2101.00001", IDs: paper.IDs{ArXiv: "2101.00001"}}
	copyAt := func(u string) string {
		return `{"title":"T","externalIds":{"DOI":"10.5555/A","ArXiv":"2101.00001","PubMed":"7","PubMedCentral":"12"},
			"openAccessPdf":{"url":"` + u + `","status":"GREEN","license":"CCBYNCND"}}`
	}
	for name, tt := range map[string]struct {
		a    paper.Artifact
		body string
		want paper.Answer
	}{
		"file": {byDOI("10.5555/a"), copyAt("https://x.org/a.pdf"), paper.Answer{
			Candidates: []paper.Candidate{{URL: "https://x.org/a.pdf", Kind: paper.PDF, Source: "semanticscholar", License: "cc-by-nc-nd"}},
			IDs:        paper.IDs{DOI: "10.5555/a", ArXiv: "2101.00001", PMID: "7", PMCID: "PMC12"},
			Title:      "T", Note: "open copy, status green",
		}},
		"the article of a preprint is another work": {arxiv, copyAt("https://doi.org/10.5555/a"), paper.Answer{
			Candidates: []paper.Candidate{{URL: "https://doi.org/10.5555/a", Kind: paper.Landing, Source: "semanticscholar", License: "cc-by-nc-nd"}},
			IDs:        paper.IDs{ArXiv: "2101.00001", PMID: "7", PMCID: "PMC12"},
			Title:      "T", Note: "open copy, status green",
		}},
		"none": {byDOI("10.5555/a"), copyAt(""), paper.Answer{
			IDs: paper.IDs{DOI: "10.5555/a", ArXiv: "2101.00001", PMID: "7", PMCID: "PMC12"}, Title: "T", Note: "no open copy",
		}},
		"another work": {byDOI("10.5555/z"), copyAt("https://x.org/a.pdf"), paper.Answer{Note: "answered for another work: 10.5555/a"}},
	} {
		answer, err := resolve(t, "semanticscholar", tt.a, ok(tt.body))
		if diff := cmp.Diff(tt.want, answer); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

// TestTogether_Failures: what one of several may be to blame for divides them,
// everything else is the failure of all.
func TestTogether_Failures(t *testing.T) {
	divided := map[string]struct {
		reply paper.Reply
		err   error
		class paper.Class // of the divided request
	}{
		"400":       {reply: paper.Reply{Status: 400}},
		"404":       {reply: paper.Reply{Status: 404}},
		"414":       {reply: paper.Reply{Status: 414}},
		"422":       {reply: paper.Reply{Status: 422}},
		"500":       {reply: paper.Reply{Status: 500}, class: paper.Transient},
		"HTML":      {reply: ok("<html>"), class: paper.Transient},
		"cut":       {reply: ok(`[{"DOI":`), class: paper.Transient},
		"no list":   {reply: ok(`{"status":"failed"}`), class: paper.Transient},
		"too large": {err: &paper.Failure{Class: paper.InvalidContent, Status: 200, Err: errors.New("over 8 MiB")}, class: paper.InvalidContent},
	}
	whole := map[string]struct {
		reply paper.Reply
		err   error
		class paper.Class
	}{
		"502":     {reply: paper.Reply{Status: 502}, class: paper.Transient},
		"504":     {reply: paper.Reply{Status: 504}, class: paper.Transient},
		"429":     {reply: paper.Reply{Status: 429}, class: paper.Throttled},
		"busy":    {reply: paper.Reply{Status: 503, Header: http.Header{"Retry-After": {"7"}}}, class: paper.Throttled},
		"cut off": {err: &paper.Failure{Class: paper.Transient, Status: 200, Broken: true, Err: errors.New("reset")}, class: paper.Transient},
		"no name": {err: &paper.Failure{Class: paper.Gone, Broken: true, Err: errors.New("no such host")}, class: paper.Gone},
		"timeout": {err: &paper.Failure{Class: paper.Transient, Err: errors.New("timeout")}, class: paper.Transient},
	}
	as := []paper.Artifact{byDOI("10.5555/a"), byDOI("10.5555/b"), byDOI("10.5555/c")}
	for _, source := range []string{"crossref", "openalex", "semanticscholar", "idconv", "hal", "datacite"} {
		for name, tt := range divided {
			get := &web{replies: map[string]paper.Reply{"*": tt.reply}, err: tt.err}
			answers, err := newSource(t, source, get).Resolve(t.Context(), as)
			if err != nil {
				t.Errorf("%s: %s: %v", source, name, err)
			}
			for _, answer := range answers {
				if answer.Again != 2 || answer.Class != tt.class || answer.Note == "" {
					t.Errorf("%s: %s: %+v", source, name, answer)
				}
			}
		}
		for name, tt := range whole {
			get := &web{replies: map[string]paper.Reply{"*": tt.reply}, err: tt.err}
			if _, err := newSource(t, source, get).Resolve(t.Context(), as); classOf(t, err) != tt.class {
				t.Errorf("%s: %s: %v, want %s", source, name, err, tt.class)
			}
		}
	}
}

// TestTogether_NothingKnown: the service has an error of its own for that.
func TestTogether_NothingKnown(t *testing.T) {
	get := &web{replies: map[string]paper.Reply{"*": {Status: 400, Body: []byte(`{"error":"No valid paper ids given"}`)}}}
	answers, err := newSource(t, "semanticscholar", get).Resolve(t.Context(), []paper.Artifact{byDOI("10.5555/a"), byDOI("10.5555/b")})
	want := paper.Answer{Note: "not known there"}
	if diff := cmp.Diff([]paper.Answer{want, want}, answers); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// TestTogether_Missing: what a list leaves out is a miss only if it is certain
// that the service understood the question.
func TestTogether_Missing(t *testing.T) {
	miss, alone := paper.Answer{Note: "not known there"}, paper.Answer{Again: 1, Note: "not in the answer for several"}
	for name, tt := range map[string]struct {
		source, body string
		ids          [2]paper.IDs
		want         paper.Answer
	}{
		"crossref":             {"crossref", `{"message":{"items":[]}}`, [2]paper.IDs{{DOI: "10.5555/a(1)"}, {DOI: "10.5555/b"}}, miss},
		"crossref, SICI":       {"crossref", `{"message":{"items":[]}}`, [2]paper.IDs{{DOI: "10.5555/a<1:b>"}, {DOI: "10.5555/b;2-x"}}, alone},
		"openalex":             {"openalex", `{"results":[]}`, [2]paper.IDs{{DOI: "10.5555/a"}, {DOI: "10.5555/b"}}, miss},
		"openalex, merged":     {"openalex", `{"results":[]}`, [2]paper.IDs{{OpenAlex: "W1"}, {OpenAlex: "W2"}}, alone},
		"openalex, a page cut": {"openalex", `{"meta":{"count":101},"results":[]}`, [2]paper.IDs{{DOI: "10.5555/a"}, {DOI: "10.5555/b"}}, alone},
		"hal":                  {"hal", `{"response":{"numFound":0,"docs":[]}}`, [2]paper.IDs{{DOI: "10.5555/a<1>"}, {DOI: "10.5555/b"}}, miss},
		"hal, a page cut":      {"hal", `{"response":{"numFound":101,"docs":[]}}`, [2]paper.IDs{{DOI: "10.5555/a"}, {DOI: "10.5555/b"}}, alone},
		"datacite":             {"datacite", `{"data":[]}`, [2]paper.IDs{{DOI: "10.5555/a"}, {DOI: "10.5555/b"}}, miss},
		"datacite, SICI":       {"datacite", `{"data":[]}`, [2]paper.IDs{{DOI: "10.5555/a<1:b>"}, {DOI: "10.5555/b;2-x"}}, alone},
		"datacite, a page cut": {"datacite", `{"data":[],"meta":{"total":3}}`, [2]paper.IDs{{DOI: "10.5555/a"}, {DOI: "10.5555/b"}}, alone},
		"idconv":               {"idconv", `{"records":[]}`, [2]paper.IDs{{DOI: "10.5555/a"}, {DOI: "10.5555/b"}}, miss},
	} {
		get := &web{replies: map[string]paper.Reply{"*": ok(tt.body)}}
		answers, err := newSource(t, tt.source, get).Resolve(t.Context(), []paper.Artifact{{IDs: tt.ids[0]}, {IDs: tt.ids[1]}})
		if diff := cmp.Diff([]paper.Answer{tt.want, tt.want}, answers); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

// TestTogether_Room: long identifiers make small parties, and no URL too long.
func TestTogether_Room(t *testing.T) {
	for source, most := range map[string]int{"crossref": 8_000, "openalex": 4_094, "idconv": 8_000, "semanticscholar": 200, "hal": 8_000, "datacite": 8_000} {
		var as []paper.Artifact
		r := newSource(t, source, nil)
		for i := range r.Batch() {
			as = append(as, byDOI(fmt.Sprintf("10.5555/%04d%s", i, strings.Repeat("<", 300))))
		}
		get := &web{replies: map[string]paper.Reply{"*": {Status: 400, Body: []byte("No valid paper ids given")}}}
		for rounds := 0; len(as) > 0; rounds++ {
			if rounds > 200 {
				t.Fatalf("%s: %d left after %d requests", source, len(as), rounds)
			}
			answers, err := newSource(t, source, get).Resolve(t.Context(), as)
			if err != nil {
				t.Fatal(err)
			}
			var left []paper.Artifact
			for i, answer := range answers {
				if answer.Again == r.Batch() {
					left = append(left, as[i])
				}
			}
			as = left
		}
		for _, u := range get.asked {
			if len(u) > most {
				t.Errorf("%s: URL of %d bytes", source, len(u))
			}
		}
		for _, body := range get.bodies {
			if len(body) > paper.MaxPost {
				t.Errorf("%s: body of %d bytes", source, len(body))
			}
		}
	}
}

// askAll asks again as it is told until all of as are answered, and counts the
// requests.
func askAll(t *testing.T, r paper.Resolver, as []paper.Artifact) (answers map[string]paper.Answer, requests int) {
	t.Helper()
	answers = make(map[string]paper.Answer)
	most := make(map[string]int)
	for _, a := range as {
		most[a.IDs.DOI] = r.Batch()
	}
	for len(answers) < len(as) {
		var asked []paper.Artifact
		for _, a := range as {
			_, done := answers[a.IDs.DOI]
			if !done && (len(asked) == 0 || len(asked) < most[asked[0].IDs.DOI] && most[a.IDs.DOI] == most[asked[0].IDs.DOI]) {
				asked = append(asked, a)
			}
		}
		found, err := r.Resolve(t.Context(), asked)
		if err != nil {
			t.Fatal(err)
		}
		if requests++; requests > 4*len(as) {
			t.Fatalf("%d of %d answered after %d requests", len(answers), len(as), requests)
		}
		for i, answer := range found {
			if answer.Again == 0 {
				answers[asked[i].IDs.DOI] = answer
			} else {
				most[asked[i].IDs.DOI] = min(most[asked[i].IDs.DOI], answer.Again)
			}
		}
	}
	return answers, requests
}

// TestTogether_Bisection: one identifier that a service cannot digest costs its
// neighbours no answer, and few requests, wherever it stands.
func TestTogether_Bisection(t *testing.T) {
	for _, status := range []int{400, 404, 414, 500} {
		worst := 0
		for poison := range 50 {
			var as []paper.Artifact
			for i := range 50 {
				as = append(as, byDOI(fmt.Sprintf("10.5555/w%02d", i)))
			}
			get := poisoned{as[poison].IDs.DOI, status}
			r, err := resolver.New("crossref", resolver.Config{}, get)
			if err != nil {
				t.Fatal(err)
			}
			if status == 500 { // alone it stays a transient failure
				as = append(as[:poison:poison], as[poison+1:]...)
				as = append(as, byDOI("10.5555/last"))
			}
			answers, requests := askAll(t, r, as)
			for doi, answer := range answers {
				if (answer.IDs.DOI == doi) == (doi == get.doi) {
					t.Errorf("poison %s: %s got %+v", get.doi, doi, answer)
				}
			}
			worst = max(worst, requests)
		}
		if most := 1 + 2*bits.Len(50-1); worst > most {
			t.Errorf("status %d: %d requests, want at most %d", status, worst, most)
		}
	}
}

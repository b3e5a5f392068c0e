package resolver_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/quire-dev/quire/internal/resolver"
	"github.com/quire-dev/quire/paper"
)

// fuzzSource feeds a decoder any body: it gives an answer fit for use, or a
// complete failure.
func fuzzSource(f *testing.F, name string, seeds ...string) {
	asked := jsonSources[name].asked
	f.Add([]byte(fmt.Sprintf(jsonSources[name].answer, `"10.5555/a"`, `"https://x.org/a.pdf"`)))
	for _, seed := range append(seeds, "", "null", "[]", `{"doi":{}}`, "<html>", "\ufeff{}") {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		answer, err := resolve(t, name, asked, paper.Reply{Status: 200, Body: body})
		classOf(t, err)
		checkAnswer(t, answer)
	})
}

func FuzzUnpaywall(f *testing.F) {
	fuzzSource(f, "unpaywall", `{"doi":"10.5555/a","best_oa_location":[]}`)
}

func FuzzCrossref(f *testing.F) {
	fuzzSource(f, "crossref", `{"message":{"DOI":"10.5555/a","license":[{}]}}`)
}

func FuzzOpenAlex(f *testing.F)  { fuzzSource(f, "openalex", `{"doi":"10.5555/a","ids":{"pmid":5}}`) }
func FuzzEuropePMC(f *testing.F) { fuzzSource(f, "europepmc", `{"resultList":{"result":{}}}`) }
func FuzzPMCMetadata(f *testing.F) {
	fuzzSource(f, "pmc", `{"pmcid":"PMC1","pdf_url":"s3://pmc-oa-opendata/PMC1.1/PMC1.1.pdf?md5=aa"}`)
}

func FuzzSemanticScholar(f *testing.F) {
	fuzzSource(f, "semanticscholar", `{"externalIds":{"DOI":"10.5555/a","ArXiv":5},"openAccessPdf":[]}`)
}

func FuzzDOAJ(f *testing.F) {
	fuzzSource(f, "doaj", `{"results":[{"bibjson":{"identifier":[{"type":"DOI","id":"10.5555/A"}],"link":{},"journal":{"license":[{"type":"CC BY"}]}}}]}`)
}

func FuzzOpenAIRE(f *testing.F) {
	fuzzSource(f, "openaire", `{"results":[{"pids":[],"instances":[{"alternateIdentifiers":[{"scheme":"doi","value":"10.5555/a"}],"urls":[1,"http://x.org"]}]}]}`)
}

func FuzzCORE(f *testing.F) {
	fuzzSource(f, "core", `{"results":[{"identifiers":[{"type":"DOI","identifier":"10.5555/a"}],"sourceFulltextUrls":"x","arxivId":7}]}`)
}

func FuzzWayback(f *testing.F) {
	f.Add([]byte(`[["timestamp","original","digest"],["20200101000000","http://www.old.example:80/a.pdf","A"]]`))
	f.Add([]byte(`[["original"],[{}],null]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		answer, err := resolve(t, "wayback", deadAt("https://old.example/a.pdf"), paper.Reply{Status: 200, Body: body})
		classOf(t, err)
		checkAnswer(t, answer)
		for _, c := range answer.Candidates {
			if !strings.HasPrefix(c.URL, "https://web.archive.org/web/") {
				t.Errorf("a capture elsewhere: %s", c.URL)
			}
		}
	})
}

func FuzzIDConverter(f *testing.F) {
	f.Add([]byte(`{"status":"ok","records":[{"requested-id":"10.5555/a","pmcid":"PMC1","pmid":7}]}`))
	f.Add([]byte(`{"status":"ok","records":[{"doi":"10.5555/a","status":"error","errmsg":"invalid article id"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		answer, err := resolve(t, "idconv", byDOI("10.5555/a"), paper.Reply{Status: 200, Body: body})
		classOf(t, err)
		if len(answer.Candidates) > 0 || answer.IDs.DOI != "" && answer.IDs.DOI != "10.5555/a" {
			t.Errorf("%+v", answer)
		}
	})
}

// fuzzTogether feeds the decoder of answers for several any body: each artifact
// gets an answer about itself, or is asked for again with fewer.
func fuzzTogether(f *testing.F, name string, seeds ...string) {
	for _, seed := range append(seeds, "", "null", "[]", "{}", `[null,1]`, "<html>") {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		as := []paper.Artifact{byDOI("10.5555/a"), byDOI("10.5555/b")}
		get := &web{replies: map[string]paper.Reply{"*": {Status: 200, Body: body}}}
		answers, err := newSource(t, name, get).Resolve(t.Context(), as)
		if classOf(t, err); err != nil {
			t.Fatalf("one of two may be to blame, yet both fail: %v", err)
		}
		for i, answer := range answers {
			checkAnswer(t, answer)
			if doi := answer.IDs.DOI; doi != "" && doi != as[i].IDs.DOI {
				t.Errorf("%s got the answer for %s", as[i].IDs.DOI, doi)
			}
			if answer.Again > 1 || answer.Again == 1 && len(answer.Candidates) > 0 {
				t.Errorf("%+v", answer)
			}
		}
	})
}

func FuzzCrossrefList(f *testing.F) {
	fuzzTogether(f, "crossref", `{"message":{"items":[{"DOI":"10.5555/B"},{"DOI":"10.5555/a","link":[{"URL":"https://x.org/a.pdf"}]},{}]}}`)
}

func FuzzOpenAlexList(f *testing.F) {
	fuzzTogether(f, "openalex", `{"meta":{"count":2},"results":[{"id":"https://openalex.org/W1","doi":"https://doi.org/10.5555/b"},{"doi":"10.5555/a"}]}`)
}

func FuzzSemanticScholarBatch(f *testing.F) {
	fuzzTogether(f, "semanticscholar", `[{"externalIds":{"DOI":"10.5555/a"},"openAccessPdf":{"url":"https://x.org/a.pdf"}},null]`)
}

func FuzzIDConverterList(f *testing.F) {
	fuzzTogether(f, "idconv", `{"records":[{"requested-id":"10.5555/b","doi":"10.5555/b","pmcid":"PMC2","pmid":"2"},{"doi":"10.5555/a","pmcid":"PMC1"}]}`)
}

func FuzzPMCListing(f *testing.F) {
	f.Add([]byte(listing))
	f.Fuzz(func(t *testing.T, body []byte) {
		answer, err := resolve(t, "pmc", byPMCID("PMC12"), paper.Reply{Status: 200, Body: body})
		classOf(t, err)
		checkAnswer(t, answer)
	})
}

func FuzzRetryAfter(f *testing.F) {
	f.Add("5", "")
	f.Add("Thu, 01 Jan 1970 00:02:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT")
	f.Fuzz(func(t *testing.T, after, date string) {
		header := http.Header{"Retry-After": {after}, "Date": {date}}
		_, err := resolve(t, "crossref", byDOI("10.5555/a"), paper.Reply{Status: 429, Header: header})
		failure, _ := err.(*paper.Failure) //nolint:errorlint // the contract: exactly this type
		if failure == nil || failure.Class != paper.Throttled || failure.RetryAfter < 0 {
			t.Errorf("%v", err)
		}
	})
}

func FuzzParseLanding(f *testing.F) {
	f.Add([]byte(`<base href="//x"><meta name=citation_pdf_url content="/a b.pdf">`), pageURL, `</a>; rel=item; type="application/pdf"`)
	f.Add([]byte(`<script type="application/ld+json">{"encoding":[{"contentUrl":"a.pdf"}]}`), "::", "<")
	f.Add([]byte(`<title><a href=a.pdf>PDF<embed src=x?file=a.pdf>`), "", "")
	f.Add([]byte(`<meta name=generator content="Open Journal Systems"><a class="obj_galley_link pdf" href=/article/view/1/2>PDF<link rel=alternate type=text/xml href=a>`),
		"https://www.jstage.jst.go.jp/article/a/1/2/_article", "")
	f.Fuzz(func(t *testing.T, page []byte, base, link string) {
		got := resolver.ParseLanding(page, base, http.Header{"Link": {link}})
		checkAnswer(t, paper.Answer{Candidates: got.Candidates, Title: got.Title})
		if (got.Class == "") != (len(found(got, paper.PDF)) > 0) || got.Note == "" {
			t.Errorf("class and candidates disagree: %+v", got)
		}
	})
}

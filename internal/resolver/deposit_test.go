package resolver_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/paper"
)

func TestHAL_Deposits(t *testing.T) {
	answer, err := resolve(t, "hal", byDOI("10.5555/a"), ok(`{"response":{"numFound":5,"start":0,"docs":[
		{"doiId_s":"10.5555/A","title_s":["T","Titre"],"docType_s":"ART","licence_s":"https://creativecommons.org/licenses/by/4.0/","openAccess_bool":true,
			"fileMain_s":"https://hal.science/hal-00000001v1/file/paper.pdf","pubmedId_s":"7","pubmedcentralId_s":"PMC9","arxivId_s":"2101.00001"},
		{"doiId_s":["10.5555/a"],"docType_s":"UNDEFINED","openAccess_bool":true,"fileMain_s":"https://hal.science/hal-00000002/document"},
		{"doiId_s":"10.5555/a","openAccess_bool":false,"fileMain_s":"https://hal.science/hal-00000003/document"},
		{"doiId_s":"10.5555/a","openAccess_bool":true,"fileMain_s":"https://hal.science/hal-00000004v1/file/data.zip"},
		{"doiId_s":"10.5555/a.2","openAccess_bool":true,"fileMain_s":"https://hal.science/hal-00000005/document"}]}}`))
	want := paper.Answer{
		Candidates: []paper.Candidate{
			{URL: "https://hal.science/hal-00000001v1/file/paper.pdf", Kind: paper.PDF, Source: "hal", License: "cc-by-4.0"},
			{URL: "https://hal.science/hal-00000002/document", Kind: paper.PDF, Source: "hal", Version: paper.Submitted},
		},
		IDs: paper.IDs{DOI: "10.5555/a", PMID: "7", PMCID: "PMC9"}, Title: "T", License: "cc-by-4.0", Note: "a deposit with its file",
	}
	if diff := cmp.Diff(want, answer); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for body, note := range map[string]string{
		`{"doiId_s":"10.5555/a","openAccess_bool":false,"fileMain_s":"https://hal.science/hal-3/document"}`: "embargoed",
		`{"doiId_s":"10.5555/a","openAccess_bool":true}`:                                                    "a deposit without a PDF",
		`{"doiId_s":"10.5555/b"}`: "answered for another DOI: 10.5555/b",
	} {
		answer, err := resolve(t, "hal", byDOI("10.5555/a"), ok(`{"response":{"numFound":1,"docs":[`+body+`]}}`))
		if err != nil || len(answer.Candidates) > 0 || answer.Note != note {
			t.Errorf("%s: %+v, %v", body, answer, err)
		}
	}
}

func TestHAL_Several(t *testing.T) {
	get := &web{replies: map[string]paper.Reply{"*": ok(`{"response":{"numFound":2,"docs":[
		{"doiId_s":"10.5555/B","openAccess_bool":true,"fileMain_s":"https://hal.science/b/document"},
		{"doiId_s":"10.5555/c","openAccess_bool":true,"fileMain_s":"https://hal.science/c/document"}]}}`)}}
	answers, err := newSource(t, "hal", get).Resolve(t.Context(), []paper.Artifact{byDOI("10.5555/a"), byDOI("10.5555/b")})
	want := []paper.Answer{{Note: "not known there"}, {
		Candidates: []paper.Candidate{{URL: "https://hal.science/b/document", Kind: paper.PDF, Source: "hal"}},
		IDs:        paper.IDs{DOI: "10.5555/b"}, Note: "a deposit with its file",
	}}
	if diff := cmp.Diff(want, answers); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestDataCite_Record(t *testing.T) {
	answer, err := resolve(t, "datacite", byDOI("10.5555/a"), ok(`{"data":{"id":"10.5555/a","attributes":{"doi":"10.5555/A","titles":[{"title":"T"}],
		"types":{"resourceTypeGeneral":"Preprint"},"formats":["application/pdf"],"rightsList":[{"rightsUri":"info:eu-repo/semantics/openAccess"},
			{"rights":"All of it"},{"rightsUri":"https://creativecommons.org/licenses/by-sa/4.0/legalcode","rightsIdentifier":"cc-by-sa-4.0"}],
		"contentUrl":["https://repo.org/a.pdf","https://repo.org/download?id=7","https://repo.org/a.zip","https://repo.org/item.html"],
		"relatedIdentifiers":[{"relationType":"IsIdenticalTo","relatedIdentifierType":"PMID","relatedIdentifier":"9"},
			{"relationType":"IsVersionOf","relatedIdentifierType":"arXiv","relatedIdentifier":"arXiv:2101.00001"}]}}}`))
	file := func(u string) paper.Candidate {
		return paper.Candidate{URL: u, Kind: paper.PDF, Source: "datacite", Version: paper.Submitted, License: "cc-by-sa-4.0"}
	}
	page := file("https://repo.org/item.html")
	page.Kind = paper.Landing
	want := paper.Answer{
		Candidates: []paper.Candidate{file("https://repo.org/a.pdf"), file("https://repo.org/download?id=7"), page},
		IDs:        paper.IDs{DOI: "10.5555/a", PMID: "9"}, Title: "T", License: "cc-by-sa-4.0", Note: "addresses of the content",
	}
	if diff := cmp.Diff(want, answer); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestDataCite_Nothing(t *testing.T) {
	for fields, note := range map[string]string{
		`"rightsList":[{"rightsUri":"info:eu-repo/semantics/embargoedAccess"}]`: "access is embargoed",
		`"rightsList":[{"rights":"Restricted Access"}]`:                         "access is restricted",
		`"types":{"resourceTypeGeneral":"Dataset"}`:                             "no text: Dataset",
		`"types":{"resourceTypeGeneral":"PhysicalObject"}`:                      "no text: PhysicalObject",
	} {
		answer, err := resolve(t, "datacite", byDOI("10.5555/a"), ok(`{"data":{"attributes":{"doi":"10.5555/a","contentUrl":"https://x.org/a.pdf",`+fields+`}}}`))
		if err != nil || len(answer.Candidates) > 0 || answer.Note != note || answer.IDs.DOI == "" {
			t.Errorf("%s: %+v, %v", fields, answer, err)
		}
	}
}

package resolver_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/resolver"
	"github.com/quire-dev/quire/paper"
)

const someMD5 = "0123456789abcdef0123456789abcdef"

// TestRepositories_Accepts: which identifiers a repository is asked about, and
// where.
func TestRepositories_Accepts(t *testing.T) {
	tests := map[string]struct{ source, doi, url string }{
		"zenodo":                 {"zenodo", "10.5281/zenodo.7", "https://zenodo.org/api/records/7"},
		"zenodo, capitals":       {"zenodo", "10.5281/ZENODO.7", "https://zenodo.org/api/records/7"},
		"zenodo, another form":   {"zenodo", "10.5281/zenodo.7a", ""},
		"zenodo, another prefix": {"zenodo", "10.5282/zenodo.7", ""},
		"figshare":               {"figshare", "10.6084/m9.figshare.7", "https://api.figshare.com/v2/articles/7"},
		"figshare, version":      {"figshare", "10.6084/m9.figshare.7.v2", "https://api.figshare.com/v2/articles/7/versions/2"},
		"figshare, collection":   {"figshare", "10.6084/m9.figshare.c.7", ""},
		"osf":                    {"osf", "10.31219/osf.io/abcde", "https://api.osf.io/v2/preprints/abcde/?embed=license"},
		"osf, version":           {"osf", "10.31234/osf.io/ABCDE_v2", "https://api.osf.io/v2/preprints/abcde_v2/?embed=license"},
		"osf, project":           {"osf", "10.17605/osf.io/abcde", ""},
		"osf, a path":            {"osf", "10.31219/osf.io/abcde/x", ""},
		"hal":                    {"hal", "10.5555/a", "https://api.archives-ouvertes.fr/search/?q=doiId_s:(%2210.5555%2Fa%22)%20OR%20doiId_id:(%2210.5555%2Fa%22)&rows=4&fl=doiId_s,title_s,docType_s,fileMain_s,openAccess_bool,licence_s,pubmedId_s,pubmedcentralId_s&wt=json"},
		"biorxiv":                {"biorxiv", "10.1101/029900", "https://api.biorxiv.org/details/biorxiv/10.1101/029900/na/json"},
		"biorxiv, date":          {"biorxiv", "10.1101/2019.12.12.874826", "https://api.biorxiv.org/details/biorxiv/10.1101/2019.12.12.874826/na/json"},
		"biorxiv, 2026":          {"biorxiv", "10.64898/2026.07.13.738249", "https://api.biorxiv.org/details/biorxiv/10.64898/2026.07.13.738249/na/json"},
		"a journal of CSHL":      {"biorxiv", "10.1101/gad.12.3.456", ""},
		"datacite":               {"datacite", "10.5555/a", "https://api.datacite.org/dois/10.5555/a"},
		"datacite, Crossref's":   {"datacite", "10.1371/journal.pone.0000001", ""},
	}
	for name, tt := range tests {
		get := &web{replies: map[string]paper.Reply{"*": {Status: 404}}}
		r := newSource(t, tt.source, get)
		if accepted := r.Accepts(byDOI(tt.doi)); accepted != (tt.url != "") {
			t.Errorf("%s: accepted %v", name, accepted)
			continue
		}
		if tt.url == "" {
			continue
		}
		if _, err := r.Resolve(t.Context(), []paper.Artifact{byDOI(tt.doi)}); err != nil || len(get.asked) != 1 || get.asked[0] != tt.url {
			t.Errorf("%s: asked %v, %v", name, get.asked, err)
		}
	}
}

// walk asks until there is no cursor, as the harvest does, at most three times.
func walk(t *testing.T, source, doi string, replies map[string]paper.Reply) (answers []paper.Answer, asked []string) {
	t.Helper()
	get := &web{replies: replies}
	r, a := newSource(t, source, get), byDOI(doi)
	for range 3 {
		got, err := r.Resolve(t.Context(), []paper.Artifact{a})
		if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, got[0])
		if a.Cursor = got[0].Cursor; a.Cursor == "" {
			break
		}
	}
	return answers, get.asked
}

// TestRepositories_Token: a token goes into a header, and a refusal is about it.
func TestRepositories_Token(t *testing.T) {
	for source, doi := range map[string]string{"osf": "10.31219/osf.io/abcde", "zenodo": "10.5281/zenodo.7"} {
		for token, want := range map[string]struct {
			header string
			class  paper.Class
		}{"s3cret": {"Bearer s3cret", paper.Config}, "": {"", paper.Forbidden}} {
			get := &web{replies: map[string]paper.Reply{"*": {Status: 403, Body: []byte("s3cret is no token")}}}
			r, err := resolver.New(source, resolver.Config{APIKey: token}, get)
			if err != nil {
				t.Fatal(err)
			}
			_, err = r.Resolve(t.Context(), []paper.Artifact{byDOI(doi)})
			if classOf(t, err) != want.class || get.headers[0].Get("Authorization") != want.header || token != "" && strings.Contains(err.Error(), token) {
				t.Errorf("%s, token %q: sent %v, %v", source, token, get.headers, err)
			}
		}
	}
}

func TestZenodo_Record(t *testing.T) {
	answer, err := resolve(t, "zenodo", byDOI("10.5281/zenodo.7"), ok(`{"doi":"10.5281/zenodo.7","conceptdoi":"10.5281/zenodo.6",
		"metadata":{"title":"T","access_right":"open","license":{"id":"cc-by-4.0"},"resource_type":{"type":"publication","subtype":"preprint"},
			"related_identifiers":[{"identifier":"10.5555/article","relation":"isPreviousVersionOf","scheme":"doi"},
				{"identifier":"arXiv:2101.00001","relation":"isIdenticalTo","scheme":"arxiv"},{"identifier":"99","relation":"isCitedBy","scheme":"pmid"}]},
		"files":[{"key":"data.csv","links":{"self":"https://zenodo.org/api/records/7/files/data.csv/content"}},
			{"key":"100% what?.pdf","checksum":"md5:`+someMD5+`","links":{"self":"https://zenodo.org/api/records/7/files/100% what?.pdf/content"}},
			{"filename":"old.PDF","checksum":"`+someMD5+`","links":{"self":"https://zenodo.org/x","download":"https://zenodo.org/api/records/7/files/old.PDF/content"}}]}`))
	want := paper.Answer{
		Candidates: []paper.Candidate{
			{URL: "https://zenodo.org/api/records/7/files/100%25%20what%3F.pdf/content", Kind: paper.PDF, Source: "zenodo", Version: paper.Submitted, License: "cc-by-4.0", MD5: someMD5},
			{URL: "https://zenodo.org/api/records/7/files/old.PDF/content", Kind: paper.PDF, Source: "zenodo", Version: paper.Submitted, License: "cc-by-4.0", MD5: someMD5},
		},
		IDs: paper.IDs{DOI: "10.5281/zenodo.7", ArXiv: "2101.00001"}, Title: "T", License: "cc-by-4.0", Note: "PDFs among the files: 2 of 3",
	}
	if diff := cmp.Diff(want, answer); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestZenodo_Withheld(t *testing.T) {
	const file = `,"files":[{"key":"a.pdf","links":{"self":"https://zenodo.org/a.pdf"}}]}`
	for body, note := range map[string]string{
		`{"doi":"10.5281/zenodo.7","metadata":{"access_right":"embargoed","embargo_date":"2030-01-01"}` + file:            "embargoed until 2030-01-01",
		`{"doi":"10.5281/zenodo.7","metadata":{"access_right":"restricted"}` + file:                                       "access is restricted",
		`{"doi":"10.5281/zenodo.7","metadata":{"access_right":"open","resource_type":{"type":"dataset"}}` + file:          "no text: dataset",
		`{"doi":"10.5281/zenodo.7","metadata":{"access_right":"open"},"files":[]}`:                                        "a record without files",
		`{"doi":"10.5281/zenodo.8","conceptdoi":"10.5281/zenodo.9"` + file:                                                "answered for another DOI: 10.5281/zenodo.8",
		`{"doi":"10.5281/zenodo.7","metadata":{"access_right":"open"},"files":[{"key":"a.zip"},{"key":"b.csv"},{}]}`:      "PDFs among the files: 0 of 3",
		`{"id":"8b166a49","slug":"x","metadata":{"title":"a community"},"links":{"self":"https://zenodo.org/api/x.pdf"}}`: "the answer names no DOI",
	} {
		answer, err := resolve(t, "zenodo", byDOI("10.5281/zenodo.7"), ok(body))
		if err != nil || len(answer.Candidates) > 0 || answer.Note != note {
			t.Errorf("%s: %+v, %v", body, answer, err)
		}
	}
}

// TestZenodo_Concept: the DOI of all versions leads to the newest, by a search or
// by where the service sends us.
func TestZenodo_Concept(t *testing.T) {
	const record = `{"doi":"10.5281/zenodo.9","conceptdoi":"10.5281/zenodo.7","metadata":{"access_right":"open"},
		"files":[{"key":"a.pdf","links":{"self":"https://zenodo.org/api/records/9/files/a.pdf/content"}}]}`
	const other = `{"doi":"10.5281/zenodo.5","conceptdoi":"10.5281/zenodo.4","files":[{"key":"b.pdf","links":{"self":"https://zenodo.org/b.pdf"}}]}`
	const at, search = "https://zenodo.org/api/records/7", "https://zenodo.org/api/records?q=conceptrecid:7&sort=mostrecent&size=1"
	moved := paper.Reply{Status: 302, Header: http.Header{"Location": {"/api/records/9?x=1"}}}
	for name, tt := range map[string]struct {
		replies map[string]paper.Reply
		files   int
		note    string
	}{
		"found":         {map[string]paper.Reply{at: {Status: 404}, search: ok(`{"hits":{"hits":[` + other + "," + record + `]}}`)}, 1, "PDFs among the files: 1 of 1"},
		"nothing found": {map[string]paper.Reply{at: {Status: 404}, search: ok(`{"hits":{"hits":[],"total":0}}`)}, 0, "not known there"},
		"others found":  {map[string]paper.Reply{at: {Status: 404}, search: ok(`{"hits":{"hits":[` + other + `]}}`)}, 0, "not known there"},
		"moved":         {map[string]paper.Reply{at: moved, "https://zenodo.org/api/records/9": ok(record)}, 1, "PDFs among the files: 1 of 1"},
		"moved away":    {map[string]paper.Reply{at: moved, "https://zenodo.org/api/records/9": ok(other)}, 0, "answered for another DOI: 10.5281/zenodo.5"},
	} {
		answers, asked := walk(t, "zenodo", "10.5281/zenodo.7", tt.replies)
		last := answers[len(answers)-1]
		if len(asked) != 2 || len(last.Candidates) != tt.files || last.Note != tt.note || tt.files > 0 && last.IDs.DOI != "10.5281/zenodo.7" {
			t.Errorf("%s: asked %v, got %+v", name, asked, last)
		}
	}
}

func TestFigshare_Record(t *testing.T) {
	const body = `{"id":7,"doi":"10.6084/m9.figshare.7.v2","title":"T","defined_type_name":"preprint","resource_doi":"10.5555/article",
		"license":{"value":1,"name":"CC BY 4.0","url":"https://creativecommons.org/licenses/by/4.0/"},"files":[
		{"id":1,"name":"a.zip","download_url":"https://ndownloader.figshare.com/files/1"},
		{"id":2,"name":"a","mimetype":"application/pdf","computed_md5":"` + someMD5 + `","download_url":"https://figshare.com/ndownloader/files/2"},
		{"id":3,"name":"b.pdf","is_link_only":true,"download_url":"https://ndownloader.figshare.com/files/3"},
		{"id":4,"name":"c.pdf","download_url":"https://figshare.com.evil.org/files/4"}]}`
	want := paper.Answer{
		Candidates: []paper.Candidate{{
			URL: "https://api.figshare.com/v2/file/download/2", Kind: paper.PDF, Source: "figshare", Version: paper.Submitted, License: "cc-by-4.0", MD5: someMD5,
		}},
		Title: "T", License: "cc-by-4.0", Note: "PDFs among the files: 1 of 4",
	}
	for _, doi := range []string{"10.6084/m9.figshare.7", "10.6084/m9.figshare.7.v2"} {
		want.IDs = paper.IDs{DOI: doi}
		answer, err := resolve(t, "figshare", byDOI(doi), ok(body))
		if diff := cmp.Diff(want, answer); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", doi, err, diff)
		}
	}
	for doi, note := range map[string]string{
		"10.6084/m9.figshare.7.v1": "answered for another DOI: 10.6084/m9.figshare.7.v2",
		"10.6084/m9.figshare.70":   "answered for another DOI: 10.6084/m9.figshare.7.v2",
	} {
		if answer, err := resolve(t, "figshare", byDOI(doi), ok(body)); err != nil || len(answer.Candidates) > 0 || answer.Note != note {
			t.Errorf("%s: %+v, %v", doi, answer, err)
		}
	}
	for field, note := range map[string]string{
		`"is_embargoed":true,"embargo_date":"2030-01-01"`: "embargoed until 2030-01-01", `"is_confidential":true`: "confidential",
		`"is_metadata_record":true`: "metadata only", `"defined_type_name":"dataset"`: "no text: dataset",
	} {
		answer, err := resolve(t, "figshare", byDOI("10.6084/m9.figshare.7"),
			ok(`{"doi":"10.6084/m9.figshare.7",`+field+`,"files":[{"name":"a.pdf","download_url":"https://ndownloader.figshare.com/files/1"}]}`))
		if err != nil || len(answer.Candidates) > 0 || answer.Note != note {
			t.Errorf("%s: %+v, %v", field, answer, err)
		}
	}
}

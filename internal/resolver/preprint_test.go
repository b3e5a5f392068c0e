package resolver_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/paper"
)

const (
	osfRecord = `{"data":{"id":"abcde_v2","type":"preprints","attributes":{"title":"T","is_published":true,"date_withdrawn":null,
		"doi":"10.5555/article"},"relationships":{"primary_file":{"data":{"id":"69967c96d957f4745b0cab2b","type":"files"}}},
		"embeds":{"license":{"data":{"attributes":{"name":"CC-By Attribution-NonCommercial-NoDerivatives 4.0 International","url":null}}}}}}`
	osfFile = `{"data":{"id":"69967c96d957f4745b0cab2b","type":"files","attributes":{"name":"Manuscript.PDF",
		"extra":{"hashes":{"md5":"` + someMD5 + `"}}},"relationships":{"target":{"data":{"type":"preprints","id":"abcde_v2"}}},
		"links":{"download":"https://osf.io/download/69967c96d957f4745b0cab2b/"}}}`
	osfRecordAt = "https://api.osf.io/v2/preprints/abcde/?embed=license"
	osfFileAt   = "https://api.osf.io/v2/files/69967c96d957f4745b0cab2b/"
)

func TestOSF_TwoRequests(t *testing.T) {
	answers, asked := walk(t, "osf", "10.31219/osf.io/abcde", map[string]paper.Reply{osfRecordAt: ok(osfRecord), osfFileAt: ok(osfFile)})
	want := []paper.Answer{
		{IDs: paper.IDs{DOI: "10.31219/osf.io/abcde"}, Title: "T", License: "cc-by-nc-nd-4.0", Cursor: "69967c96d957f4745b0cab2b cc-by-nc-nd-4.0"},
		{
			Candidates: []paper.Candidate{{
				URL: "https://osf.io/download/69967c96d957f4745b0cab2b/", Kind: paper.PDF, Source: "osf", Version: paper.Submitted,
				License: "cc-by-nc-nd-4.0", MD5: someMD5,
			}},
			IDs: paper.IDs{DOI: "10.31219/osf.io/abcde"}, License: "cc-by-nc-nd-4.0", Note: "a preprint",
		},
	}
	if diff := cmp.Diff(want, answers); diff != "" || !slices.Equal(asked, []string{osfRecordAt, osfFileAt}) {
		t.Errorf("asked %v (-want +got):\n%s", asked, diff)
	}
}

func TestOSF_Nothing(t *testing.T) {
	change := func(body string, oldnew ...string) paper.Reply {
		changed := strings.NewReplacer(oldnew...).Replace(body)
		if changed == body {
			t.Fatalf("%v are not in %s", oldnew, body)
		}
		return ok(changed)
	}
	for name, tt := range map[string]struct {
		record, file paper.Reply
		note         string
	}{
		"withdrawn":       {change(osfRecord, `"date_withdrawn":null`, `"date_withdrawn":"2020-01-01"`), paper.Reply{}, "withdrawn"},
		"not published":   {change(osfRecord, "true", "false"), paper.Reply{}, "not published"},
		"no file":         {change(osfRecord, `"primary_file"`, `"other"`), paper.Reply{}, "a record without files"},
		"no number":       {change(osfRecord, "69967c96", "../../etc"), paper.Reply{}, "a record without files"},
		"another":         {change(osfRecord, "abcde_v2", "abcdf"), paper.Reply{}, "answered for another preprint: abcdf"},
		"nobody":          {ok(`{"data":[]}`), paper.Reply{}, "answered for another preprint: "},
		"unknown":         {paper.Reply{Status: 404, Body: []byte(`{"errors":[{"detail":"Not found."}]}`)}, paper.Reply{}, "not known there"},
		"private":         {paper.Reply{Status: 401}, paper.Reply{}, "not public"},
		"not for us":      {paper.Reply{Status: 403, Body: []byte(`{"errors":[{"detail":"You do not have permission to perform this action."}]}`)}, paper.Reply{}, "not public"},
		"Word":            {ok(osfRecord), change(osfFile, "Manuscript.PDF", "m.docx"), "the file is no PDF: m.docx"},
		"another file":    {ok(osfRecord), change(osfFile, "69967c96", "79967c96"), "answered for another file: 79967c96d957f4745b0cab2b"},
		"of another work": {ok(osfRecord), change(osfFile, "abcde_v2", "abcdf_v2"), "answered for another file: 69967c96d957f4745b0cab2b"},
		"no address":      {ok(osfRecord), change(osfFile, "https://osf.io", "javascript:osf.io"), "a preprint"},
		"file is gone":    {ok(osfRecord), paper.Reply{Status: 410}, "not known there"},
	} {
		answers, _ := walk(t, "osf", "10.31219/osf.io/abcde", map[string]paper.Reply{osfRecordAt: tt.record, osfFileAt: tt.file})
		if last := answers[len(answers)-1]; len(last.Candidates) > 0 || last.Note != tt.note {
			t.Errorf("%s: %+v", name, last)
		}
	}
	answers, _ := walk(t, "osf", "10.31219/osf.io/abcde_v1", map[string]paper.Reply{"*": ok(osfRecord)})
	if answers[0].Note != "answered for another preprint: abcde_v2" {
		t.Errorf("another version: %+v", answers)
	}
}

func TestOSF_Failures(t *testing.T) {
	a := byDOI("10.31219/osf.io/abcde")
	for _, cursor := range []string{"", "69967c96d957f4745b0cab2b"} {
		a.Cursor = cursor
		for _, body := range []string{"", "null", "[]", `{"data":{"id":"abc`, "<html>", `{"data":` + strings.Repeat("[", 100_000)} {
			if _, err := resolve(t, "osf", a, ok(body)); classOf(t, err) != paper.Transient {
				t.Errorf("%.20q: %v", body, err)
			}
		}
		for status, class := range map[int]paper.Class{403: paper.Forbidden, 429: paper.Throttled, 502: paper.Transient} {
			if _, err := resolve(t, "osf", a, paper.Reply{Status: status}); classOf(t, err) != class {
				t.Errorf("status %d: %v", status, err)
			}
		}
	}
	// A cursor that is none is not followed.
	get := &web{replies: map[string]paper.Reply{"*": ok(osfRecord)}}
	a.Cursor = "../../users/me"
	if _, err := newSource(t, "osf", get).Resolve(t.Context(), []paper.Artifact{a}); err != nil || get.asked[0] != osfRecordAt {
		t.Errorf("asked %v, %v", get.asked, err)
	}
}

func TestOSF_Licences(t *testing.T) {
	for words, want := range map[string]string{
		`"name":"CC-By Attribution 4.0 International"`:            "cc-by-4.0",
		`"name":"CC-By Attribution-ShareAlike 4.0 International"`: "cc-by-sa-4.0",
		`"name":"CC0 1.0 Universal"`:                              "cc0-1.0",
		`"name":"No license"`:                                     "",
		`"name":"MIT License"`:                                    "mit license",
		`"name":"something","url":"https://creativecommons.org/licenses/by/4.0/legalcode"`: "cc-by-4.0",
		`"name":"CC-By Attribution 4.0 International","url":"https://example.org/terms"`:   "cc-by-4.0",
		`"name":5,"url":{}`: "5",
		`"name":null`:       "",
	} {
		body := strings.Replace(osfRecord, `"name":"CC-By Attribution-NonCommercial-NoDerivatives 4.0 International","url":null`, words, 1)
		answer, err := resolve(t, "osf", byDOI("10.31219/osf.io/abcde"), ok(body))
		if err != nil || answer.License != want {
			t.Errorf("%s: licence %q, want %q (%v)", words, answer.License, want, err)
		}
	}
}

func TestBioRxiv_BothServers(t *testing.T) {
	const first, second = "https://api.biorxiv.org/details/biorxiv/10.1101/2020.01.01.20000001/na/json",
		"https://api.biorxiv.org/details/medrxiv/10.1101/2020.01.01.20000001/na/json"
	const none = `{"messages":[{"status":"no posts found"}],"collection":[]}`
	const posts = `{"messages":[{"status":"ok","count":3}],"collection":[
		{"doi":"10.1101/2020.01.01.20000001","version":"1","license":"cc_no","server":"medRxiv","jatsxml":"https://www.medrxiv.org/content/early/1.source.xml"},
		{"doi":"10.1101/2020.01.01.20000001","title":"T","version":"10","license":"cc_by_nc","server":"medRxiv","published":"10.5555/Article",
			"jatsxml":"https://www.medrxiv.org/content/early/10.source.xml","type":"PUBLISHAHEADOFPRINT"},
		{"doi":"10.1101/2020.01.01.20000002","version":"11","jatsxml":"https://www.medrxiv.org/content/early/other.source.xml"}]}`
	answers, asked := walk(t, "biorxiv", "10.1101/2020.01.01.20000001", map[string]paper.Reply{first: ok(none), second: ok(posts)})
	want := []paper.Answer{{Cursor: "medrxiv"}, {
		Candidates: []paper.Candidate{
			{URL: "https://www.medrxiv.org/content/10.1101/2020.01.01.20000001v10.full.pdf", Kind: paper.PDF, Source: "biorxiv", Version: paper.Submitted, License: "cc-by-nc", Guessed: true},
			{URL: "https://www.medrxiv.org/content/early/10.source.xml", Kind: paper.XML, Source: "biorxiv", Version: paper.Submitted, License: "cc-by-nc"},
		},
		IDs: paper.IDs{DOI: "10.1101/2020.01.01.20000001"}, Title: "T", License: "cc-by-nc", Note: "a preprint, published as 10.5555/article",
	}}
	if diff := cmp.Diff(want, answers); diff != "" || !slices.Equal(asked, []string{first, second}) {
		t.Errorf("asked %v (-want +got):\n%s", asked, diff)
	}
	for name, reply := range map[string]paper.Reply{"none": ok(none), "no list": ok(`{"messages":[{"status":"no posts found"}]}`), "404": {Status: 404}} {
		answers, asked := walk(t, "biorxiv", "10.1101/2020.01.01.20000001", map[string]paper.Reply{"*": reply})
		if len(asked) != 2 || answers[1].Note != "not known to bioRxiv and medRxiv" {
			t.Errorf("%s: asked %v, got %+v", name, asked, answers)
		}
	}
}

func TestBioRxiv_Nothing(t *testing.T) {
	for body, note := range map[string]string{
		`{"collection":[{"doi":"10.1101/000007","type":"withdrawn","version":"2","jatsxml":"https://www.biorxiv.org/a.source.xml"}]}`: "withdrawn",
		`{"collection":[{"doi":"10.1101/000008","version":"1"}]}`:                                                                     "answered for another DOI: 10.1101/000008",
		`{"collection":[{"doi":"10.1101/000007","version":"-1"}]}`:                                                                    "a preprint",
		`{"collection":[{"doi":"10.1101/000007","version":"1e9","published":"NA","license":"cc_no"}]}`:                                "a preprint",
	} {
		answer, err := resolve(t, "biorxiv", byDOI("10.1101/000007"), ok(body))
		if err != nil || len(answer.Candidates) > 0 || answer.Note != note || answer.License != "" {
			t.Errorf("%s: %+v, %v", body, answer, err)
		}
	}
}

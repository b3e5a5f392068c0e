package resolver_test

import (
	"testing"

	"github.com/quire-dev/quire/paper"
)

func FuzzZenodo(f *testing.F) {
	fuzzSource(f, "zenodo", `{"doi":"10.5281/zenodo.7","files":{"entries":{}},"metadata":{"license":"cc-by","resource_type":[]}}`,
		`{"doi":"10.5281/zenodo.7","files":[{"key":"a%.pdf","links":{"self":"https://x.org/files/a%.pdf"},"checksum":"md5:"}]}`)
}

func FuzzFigshare(f *testing.F) {
	fuzzSource(f, "figshare", `{"doi":"10.6084/m9.figshare.7.v3","license":5,"files":[{"name":"a.pdf","download_url":"https://figshare.com/ndownloader/files/7"}]}`)
}

func FuzzHAL(f *testing.F) {
	fuzzSource(f, "hal", `{"response":{"numFound":"1","docs":[{"doiId_s":["10.5555/a",5],"title_s":"T","openAccess_bool":1,"fileMain_s":"https://x.org/document"}]}}`)
}

func FuzzBioRxiv(f *testing.F) {
	fuzzSource(f, "biorxiv", `{"collection":[{"doi":"10.1101/000007","version":2,"license":"cc_by","server":"medRxiv"},{"doi":"10.1101/000007","version":"x"}]}`)
}

func FuzzDataCite(f *testing.F) {
	fuzzSource(f, "datacite", `{"data":{"id":"10.5555/a","attributes":{"contentUrl":"https://x.org/a.pdf","formats":["application/pdf"],"rightsList":[{"rightsUri":5}]}}}`)
}

// fuzzWalk feeds a decoder that is reached under a cursor any body.
func fuzzWalk(f *testing.F, name, doi, cursor string, seeds ...string) {
	for _, seed := range append(seeds, "", "null", "[]", "{}", "<html>") {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		a := byDOI(doi)
		a.Cursor = cursor
		answer, err := resolve(t, name, a, paper.Reply{Status: 200, Body: body})
		classOf(t, err)
		checkAnswer(t, answer)
		if got := answer.IDs.DOI; got != "" && got != doi {
			t.Errorf("%s got the answer for %s", doi, got)
		}
	})
}

func FuzzOSF(f *testing.F) { fuzzWalk(f, "osf", "10.31219/osf.io/abcde", "", osfRecord) }

func FuzzOSFFile(f *testing.F) {
	fuzzWalk(f, "osf", "10.31219/osf.io/abcde", "69967c96d957f4745b0cab2b cc-by-4.0", osfFile)
}

func FuzzZenodoSearch(f *testing.F) {
	fuzzWalk(f, "zenodo", "10.5281/zenodo.6", "concept",
		`{"hits":{"hits":[{"doi":"10.5281/zenodo.7","conceptdoi":"10.5281/zenodo.6","files":[{"key":"a.pdf","links":{"self":"https://x.org/a.pdf"}}]}]}}`)
}

func FuzzHALList(f *testing.F) {
	fuzzTogether(f, "hal", `{"response":{"numFound":2,"docs":[{"doiId_s":"10.5555/B"},{"doiId_s":"10.5555/a","openAccess_bool":true,"fileMain_s":"https://x.org/a.pdf"},{}]}}`)
}

func FuzzDataCiteList(f *testing.F) {
	fuzzTogether(f, "datacite", `{"data":[{"attributes":{"doi":"10.5555/B"}},{"id":"10.5555/a","attributes":{"contentUrl":["https://x.org/a.pdf"]}}],"meta":{"total":2}}`)
}

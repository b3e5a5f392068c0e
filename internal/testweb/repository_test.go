package testweb_test

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/quire-dev/quire/internal/corpus"
	"github.com/quire-dev/quire/internal/testweb"
)

type zenodoRecord struct {
	ID      int
	DOI     string
	Concept string `json:"conceptrecid"`
	Files   []struct {
		Key, Checksum string
		Links         struct{ Self string }
	}
}

// replayRepositories asks for every bulk record of Zenodo, bioRxiv and DataCite.
func replayRepositories(t *testing.T, _ *testweb.Replay, client *http.Client) {
	type bulk[T any] struct {
		DOI    string
		Record T
	}
	files := 0
	for _, row := range corpus.JSONL[bulk[zenodoRecord]](t, "bulk", "zenodo.jsonl.gz") {
		found := getJSON[struct{ Hits struct{ Hits []zenodoRecord } }](t, client,
			"https://zenodo.org/api/records?q=conceptrecid:"+row.Record.Concept+"&sort=mostrecent&size=1", 200).Hits.Hits
		if len(found) != 1 || found[0].Concept != row.Record.Concept {
			t.Errorf("%s: concept %s: %+v", row.DOI, row.Record.Concept, found)
			continue
		}
		for _, file := range found[0].Files {
			if !strings.HasSuffix(file.Key, ".pdf") {
				continue
			}
			got := get(t, client, strings.ReplaceAll(file.Links.Self, " ", "%20"))
			sum := md5.Sum(got.body)
			if got.status != 200 || file.Checksum != "md5:"+hex.EncodeToString(sum[:]) {
				t.Errorf("%s: status %d, checksum %s", file.Links.Self, got.status, file.Checksum)
			}
			files++
		}
	}
	if files < 20 {
		t.Errorf("%d files", files)
	}
	if g := get(t, client, "https://zenodo.org/api/records/99999999999"); g.status != 404 || !json.Valid(g.body) {
		t.Errorf("unknown record: status %d", g.status)
	}
	posts := corpus.JSONL[bulk[struct{ Server, Title string }]](t, "bulk", "biorxiv.jsonl.gz")
	for _, row := range posts {
		for _, server := range []string{"biorxiv", "medrxiv"} {
			got := getJSON[struct{ Collection []struct{ Title string } }](t, client, "https://api.biorxiv.org/details/"+server+"/"+row.DOI+"/na/json", 200)
			if here := strings.EqualFold(server, row.Record.Server); here != (len(got.Collection) == 1 && got.Collection[0].Title == row.Record.Title) {
				t.Errorf("%s at %s: %+v", row.DOI, server, got)
			}
		}
	}
	rows := corpus.JSONL[bulk[struct{}]](t, "bulk", "datacite.jsonl.gz")
	for group := range slices.Chunk(rows, 25) {
		var terms []string
		for _, row := range group {
			terms = append(terms, `"`+row.DOI+`"`)
		}
		got := getJSON[struct {
			Data []struct{ Attributes struct{ DOI string } }
			Meta struct{ Total int }
		}](t, client, "https://api.datacite.org/dois?page%5Bsize%5D=25&query="+url.QueryEscape("doi:("+strings.Join(terms, " OR ")+")"), 200)
		if len(got.Data) != len(group) || got.Meta.Total != len(group) || !strings.EqualFold(got.Data[0].Attributes.DOI, group[0].DOI) {
			t.Errorf("%d of %d records", len(got.Data), len(group))
		}
	}
	t.Logf("%d files, %d posts, %d DataCite records", files, len(posts), len(rows))
}

// TestWorld_Repositories: a work is known where its copies say so, with the
// checksum of its file.
func TestWorld_Repositories(t *testing.T) {
	web, client := start(t)
	const at = "https://files.example/paper.pdf"
	work := func(doi string, services ...string) testweb.Work {
		return testweb.Work{DOI: doi, Title: "T", Landing: "https://page.example/x", Copies: []testweb.Copy{{URL: at, Services: services}}}
	}
	works := []testweb.Work{
		work("10.5281/zenodo.7", "zenodo"), work("10.6084/m9.figshare.7.v2", "figshare"), work("10.31219/osf.io/abcde", "osf"),
		work("10.5555/a", "hal", "datacite"), work("10.1101/000007", "medrxiv"), work("10.5555/b"),
	}
	web.Serve(testweb.World{Works: works})
	type hal struct {
		Response struct {
			NumFound int
			Docs     []struct {
				FileMain string `json:"fileMain_s"`
			}
		}
	}
	sum := func(i int) string { s := md5.Sum(works[i].File(at)); return hex.EncodeToString(s[:]) }
	if got := getJSON[zenodoRecord](t, client, "https://zenodo.org/api/records/7", 200); got.DOI != works[0].DOI || got.Files[1].Checksum != "md5:"+sum(0) {
		t.Errorf("Zenodo: %+v", got)
	}
	if got := getJSON[struct {
		Files []struct {
			MD5 string `json:"computed_md5"`
		}
	}](t, client, "https://api.figshare.com/v2/articles/7/versions/2", 200); got.Files[0].MD5 != sum(1) {
		t.Errorf("Figshare: %+v", got)
	}
	if g := get(t, client, "https://api.figshare.com/v2/file/download/9"); g.header.Get("Location") != "https://ndownloader.figshare.com/files/9" {
		t.Errorf("Figshare sends to %q", g.header.Get("Location"))
	}
	type resource struct {
		Data struct {
			Attributes struct {
				Extra struct{ Hashes struct{ MD5 string } }
			}
			Relationships struct {
				File struct{ Data struct{ ID string } } `json:"primary_file"`
			}
		}
	}
	preprint := getJSON[resource](t, client, "https://api.osf.io/v2/preprints/abcde/?embed=license", 200)
	if got := getJSON[resource](t, client, "https://api.osf.io/v2/files/"+preprint.Data.Relationships.File.Data.ID+"/", 200); got.Data.Attributes.Extra.Hashes.MD5 != sum(2) {
		t.Errorf("OSF: %+v", got)
	}
	query := url.QueryEscape(`doiId_s:("10.5555/A" OR "10.5555/b") OR doiId_id:("10.5555/A" OR "10.5555/b")`)
	if got := getJSON[hal](t, client, "https://api.archives-ouvertes.fr/search/?q="+query, 200); got.Response.NumFound != 1 || got.Response.Docs[0].FileMain != at {
		t.Errorf("HAL: %+v", got)
	}
	if got := getJSON[hal](t, client, "https://api.archives-ouvertes.fr/search/?rows=0&q="+query, 200); got.Response.NumFound != 1 || len(got.Response.Docs) != 0 {
		t.Errorf("HAL, no rows: %+v", got)
	}
	for server, want := range map[string]int{"biorxiv": 0, "medrxiv": 1} {
		got := getJSON[struct{ Collection []any }](t, client, "https://api.biorxiv.org/details/"+server+"/10.1101/000007/na/json", 200)
		if len(got.Collection) != want {
			t.Errorf("%s: %+v", server, got)
		}
	}
	for _, at := range []string{
		"https://zenodo.org/api/records/8", "https://api.figshare.com/v2/articles/8", "https://api.osf.io/v2/preprints/zzzzz/",
		"https://api.datacite.org/dois/10.5555/b", "https://api.archives-ouvertes.fr/other/", "https://zenodo.org/api/records?q=x",
	} {
		if g := get(t, client, at); g.status != 404 {
			t.Errorf("%s: status %d", at, g.status)
		}
	}
}

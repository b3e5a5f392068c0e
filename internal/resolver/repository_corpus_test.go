package resolver_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/quire-dev/quire/internal/corpus"
	"github.com/quire-dev/quire/paper"
)

// TestOSF_Recordings: the recorded files are those of projects, which have the
// shape of a preprint's.
func TestOSF_Recordings(t *testing.T) {
	files := 0
	for _, r := range corpus.JSONL[recording](t, "recordings.jsonl") {
		_, path, isFile := strings.Cut(r.URL, "/v2/files/")
		if r.Service != "osf" || !isFile {
			continue
		}
		a := byDOI("10.31219/osf.io/abcde")
		a.Cursor = strings.Trim(path, "/") + " cc-by-4.0"
		answer, err := resolve(t, "osf", a, r.reply(t))
		if err != nil || !strings.HasPrefix(answer.Note, "the file is no PDF: ") || answer.License != "cc-by-4.0" {
			t.Errorf("%s: %+v, %v", r.URL, answer, err)
		}
		// The same file, were it a PDF.
		reply := r.reply(t)
		var record struct {
			Data struct {
				Attributes struct {
					Name  string
					Extra struct{ Hashes struct{ MD5 string } }
				}
				Links struct{ Download string }
			}
		}
		if err := json.Unmarshal(reply.Body, &record); err != nil {
			t.Fatal(err)
		}
		name := quoted(record.Data.Attributes.Name)
		reply.Body = []byte(strings.Replace(string(reply.Body), `"name":`+name, `"name":"a.pdf"`, 1))
		answer, err = resolve(t, "osf", a, reply)
		if download := record.Data.Links.Download; download != "" { // folders have none
			if err != nil || len(answer.Candidates) != 1 || answer.Candidates[0].URL != download || answer.Candidates[0].MD5 != record.Data.Attributes.Extra.Hashes.MD5 {
				t.Errorf("%s: %+v, %v", r.URL, answer, err)
			}
			files++
		}
	}
	if files == 0 {
		t.Error("no file")
	}
	t.Logf("%d files", files)
}

// TestBioRxiv_Recordings asks for every preprint of the recorded lists.
func TestBioRxiv_Recordings(t *testing.T) {
	posts := 0
	for _, r := range corpus.JSONL[recording](t, "recordings.jsonl") {
		if r.Service != "biorxiv" {
			continue
		}
		reply := r.reply(t)
		var list struct{ Collection []struct{ DOI string } }
		if err := json.Unmarshal(reply.Body, &list); err != nil {
			t.Fatal(err)
		}
		for _, post := range list.Collection {
			answer, err := resolve(t, "biorxiv", byDOI(strings.ToLower(post.DOI)), reply)
			if err != nil || answer.IDs.DOI != strings.ToLower(post.DOI) || answer.Title == "" {
				t.Errorf("%s: %+v, %v", post.DOI, answer, err)
			}
			checkAnswer(t, answer)
			posts++
		}
	}
	t.Logf("%d posts", posts)
}

// accepted are the bulk records of a service that the source asks for, wrapped as
// the service answers; the others are counted.
func accepted(t *testing.T, source, before, after string, check func(row object, answer paper.Answer)) {
	t.Helper()
	records, candidates, others := 0, 0, 0
	for _, row := range corpus.JSONL[bulkRow](t, "bulk", source+".jsonl.gz") {
		a := byDOI(strings.ToLower(row.DOI))
		if !newSource(t, source, nil).Accepts(a) {
			others++
			continue
		}
		answer, err := resolve(t, source, a, ok(before+string(row.Record)+after))
		if err != nil || answer.IDs.DOI != a.IDs.DOI {
			t.Errorf("%s: %+v, %v", row.DOI, answer, err)
			continue
		}
		checkAnswer(t, answer)
		var record object
		if err := json.Unmarshal(row.Record, &record); err != nil {
			t.Fatal(err)
		}
		check(record, answer)
		records++
		candidates += len(answer.Candidates)
	}
	t.Logf("%d records, %d candidates; %d not asked for", records, candidates, others)
}

func TestZenodo_Bulk(t *testing.T) {
	files := 0
	accepted(t, "zenodo", "", "", func(row object, answer paper.Answer) {
		about := row.sub("metadata")
		var want []string
		if kind := about.sub("resource_type").string("type"); about["access_right"] == "open" && kind != "dataset" {
			for _, file := range row.list("files") {
				if strings.HasSuffix(strings.ToLower(file.string("key")), ".pdf") {
					want = append(want, strings.TrimPrefix(file.string("checksum"), "md5:"))
				}
			}
		}
		var got []string
		for _, c := range answer.Candidates {
			got = append(got, c.MD5)
			if c.License != "cc-by-4.0" && c.License != "cc-by-nc-nd-4.0" {
				t.Errorf("%v: licence %q of %v", row["doi"], c.License, about["license"])
			}
		}
		files += len(want)
		if !slices.Equal(want, got) {
			t.Errorf("%v: PDFs %v, want %v", row["doi"], got, want)
		}
	})
	t.Logf("%d PDFs", files)
}

// TestZenodo_BulkConcepts finds every record by the DOI of its concept.
func TestZenodo_BulkConcepts(t *testing.T) {
	found := 0
	for _, row := range corpus.JSONL[bulkRow](t, "bulk", "zenodo.jsonl.gz") {
		var record object
		if err := json.Unmarshal(row.Record, &record); err != nil {
			t.Fatal(err)
		}
		concept := record.string("conceptdoi")
		if concept == "" {
			continue
		}
		a := byDOI(concept)
		a.Cursor = "concept"
		answer, err := resolve(t, "zenodo", a, ok(`{"hits":{"hits":[`+string(row.Record)+`],"total":1}}`))
		if err != nil || answer.IDs.DOI != concept || answer.Title != strings.Join(strings.Fields(record.string("title")), " ") {
			t.Errorf("%s: %+v, %v", concept, answer, err)
		}
		found++
	}
	t.Logf("%d concepts", found)
}

func TestBioRxiv_Bulk(t *testing.T) {
	withdrawn := 0
	accepted(t, "biorxiv", `{"messages":[{"status":"ok","count":1}],"collection":[`, "]}", func(row object, answer paper.Answer) {
		if row["type"] == "withdrawn" {
			withdrawn++
			if len(answer.Candidates) > 0 || answer.Note != "withdrawn" {
				t.Errorf("%v: withdrawn, yet %+v", row["doi"], answer)
			}
			return
		}
		site := "https://www." + strings.ToLower(row.string("server")) + ".org/content/"
		if len(answer.Candidates) != 2 || answer.Candidates[1].URL != row.string("jatsxml") || answer.Candidates[1].Kind != paper.XML ||
			answer.Candidates[0].URL != site+row.string("doi")+"v"+row.string("version")+".full.pdf" || !answer.Candidates[0].Guessed {
			t.Errorf("%v: %+v", row["doi"], answer.Candidates)
		}
		want := strings.ReplaceAll(row.string("license"), "_", "-")
		if want == "cc-no" {
			want = ""
		}
		if answer.License != want {
			t.Errorf("%v: licence %q of %v", row["doi"], answer.License, row["license"])
		}
	})
	t.Logf("%d withdrawn", withdrawn)
}

func TestDataCite_Bulk(t *testing.T) {
	licensed := 0
	check := func(row object, answer paper.Answer) {
		about := row.sub("attributes")
		if about["contentUrl"] == nil && len(answer.Candidates) > 0 {
			t.Errorf("%v: no contentUrl, yet %v", about["doi"], answer.Candidates)
		}
		if titles := about.list("titles"); len(titles) > 0 && strings.TrimSpace(titles[0].string("title")) != "" && answer.Title == "" {
			t.Errorf("%v: no title of %v", about["doi"], titles)
		}
		for _, rights := range about.list("rightsList") {
			if strings.Contains(rights.string("rightsUri"), "creativecommons.org/licenses/by") {
				licensed++
				if !strings.HasPrefix(answer.License, "cc-by") {
					t.Errorf("%v: licence %q of %v", about["doi"], answer.License, rights)
				}
			}
		}
	}
	accepted(t, "datacite", `{"data":`, "}", check)
	t.Logf("%d licences", licensed)
}

// TestDataCite_Together asks for the same records 25 at a time.
func TestDataCite_Together(t *testing.T) {
	rows := corpus.JSONL[bulkRow](t, "bulk", "datacite.jsonl.gz")
	known := 0
	for group := range slices.Chunk(rows, 25) {
		var as []paper.Artifact
		var records []string
		for _, row := range group {
			a := byDOI(strings.ToLower(row.DOI))
			if newSource(t, "datacite", nil).Accepts(a) && !slices.ContainsFunc(as, func(b paper.Artifact) bool { return b.IDs == a.IDs }) {
				as, records = append(as, a), append(records, string(row.Record))
			}
		}
		if len(as) < 2 {
			continue
		}
		slices.Reverse(records)
		get := &web{replies: map[string]paper.Reply{"*": ok(`{"data":[` + strings.Join(records, ",") + `],"meta":{"total":0}}`)}}
		answers, err := newSource(t, "datacite", get).Resolve(t.Context(), as)
		if err != nil {
			t.Fatal(err)
		}
		for i, answer := range answers {
			if answer.IDs.DOI != as[i].IDs.DOI {
				t.Errorf("%s: %+v", as[i].IDs.DOI, answer)
			}
			known++
		}
	}
	t.Logf("%d records", known)
}

// TestDataCite_NotAsked: a DOI that DataCite is not asked for is one of Crossref's.
func TestDataCite_NotAsked(t *testing.T) {
	r := newSource(t, "datacite", nil)
	type owned struct {
		DOI    string
		Record struct {
			Relationships struct {
				Client struct{ Data struct{ ID string } }
			}
		}
	}
	spared, all := 0, 0
	for _, row := range corpus.JSONL[owned](t, "bulk", "datacite.jsonl.gz") {
		if client := row.Record.Relationships.Client.Data.ID; !r.Accepts(byDOI(row.DOI)) && client != "crossref.citations" {
			t.Errorf("%s is DataCite's, of %s", row.DOI, client)
		}
	}
	for _, row := range corpus.JSONL[bulkRow](t, "bulk", "crossref.jsonl.gz") {
		all++
		if !r.Accepts(byDOI(row.DOI)) {
			spared++
		}
	}
	if spared < all*3/4 {
		t.Errorf("only %d of %d DOIs of Crossref's are not asked for", spared, all)
	}
	t.Logf("%d of %d DOIs of Crossref's are not asked for", spared, all)
}

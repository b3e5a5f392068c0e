package resolver_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/quire-dev/quire/internal/corpus"
	"github.com/quire-dev/quire/paper"
)

func TestDOAJ_Bulk(t *testing.T) {
	files, pages := 0, 0
	bulk(t, "doaj", `{"total":1,"results":[`, "]}", func(row object, answer paper.Answer) {
		got := urls(answer)
		for _, link := range row.sub("bibjson").list("link") {
			c, found := got[same(link.string("url"))]
			switch {
			case !found:
				t.Errorf("%v: %v is no candidate", row["id"], link["url"])
			case c.Kind == paper.PDF:
				files++
			default:
				pages++
			}
			if strings.EqualFold(link.string("content_type"), "PDF") && c.Kind != paper.PDF {
				t.Errorf("%v: %+v of %v", row["id"], c, link)
			}
		}
		licenses := row.sub("bibjson").sub("journal").list("license")
		if len(licenses) == 1 && strings.HasPrefix(licenses[0].string("type"), "CC BY") && !strings.HasPrefix(answer.License, "cc-by") {
			t.Errorf("%v: licence %q of %v", row["id"], answer.License, licenses)
		}
	})
	t.Logf("%d files, %d pages", files, pages)
	if files+pages < 27 {
		t.Errorf("only %d links", files+pages)
	}
}

// TestLists_Recordings asks for each work of the recorded lists of DOAJ and
// OpenAIRE, which answers for many works as the services do for one.
func TestLists_Recordings(t *testing.T) {
	asked, open := 0, 0
	for _, r := range corpus.JSONL[recording](t, "recordings.jsonl") {
		var found struct{ Results []object }
		if r.Service != "doaj" && r.Service != "openaire" || json.Unmarshal(r.reply(t).Body, &found) != nil {
			continue
		}
		for _, record := range found.Results {
			doi, want := listedOpen(record)
			if doi == "" {
				continue
			}
			asked++
			answer, err := resolve(t, r.Service, byDOI(doi), r.reply(t))
			if err != nil || answer.IDs.DOI != strings.ToLower(doi) || answer.Title == "" {
				t.Errorf("%s: %s: %+v, %v", r.URL, doi, answer, err)
			}
			checkAnswer(t, answer)
			if got := urls(answer); len(got) != len(want) {
				t.Errorf("%s: %s: %d candidates, want %v", r.URL, doi, len(got), want)
			}
			for u := range urls(answer) {
				if !want[u] {
					t.Errorf("%s: %s: %s is not said to be open", r.URL, doi, u)
				}
			}
			open += len(want)
		}
	}
	t.Logf("%d works, %d open links", asked, open)
	if asked < 40 {
		t.Errorf("only %d works asked for", asked)
	}
}

// listedOpen is the DOI of a record of DOAJ or OpenAIRE and its open links.
func listedOpen(record object) (doi string, open map[string]bool) {
	open = map[string]bool{}
	for _, id := range record.sub("bibjson").list("identifier") {
		if strings.EqualFold(id.string("type"), "doi") {
			doi = id.string("id")
		}
	}
	for _, link := range record.sub("bibjson").list("link") {
		open[same(link.string("url"))] = true
	}
	for _, id := range record.list("pids") {
		if id.string("scheme") == "doi" && doi == "" {
			doi = id.string("value")
		}
	}
	for _, at := range record.list("instances") {
		all, _ := at["urls"].([]any)
		for _, u := range all {
			if at.sub("accessRight").string("label") == "OPEN" {
				open[same(fmt.Sprint(u))] = true
			}
		}
	}
	return doi, open
}

// TestWayback_Recordings replays all that was recorded of the archive: indexes as
// plain text, pages and redirects. None is the JSON that is asked for.
func TestWayback_Recordings(t *testing.T) {
	n := 0
	for _, r := range corpus.JSONL[recording](t, "recordings.jsonl") {
		if r.Service != "wayback" {
			continue
		}
		n++
		answer, err := resolve(t, "wayback", deadAt("http://www.cnn.com/"), r.reply(t))
		if class := classOf(t, err); class == "" && answer.Note == "" || len(answer.Candidates) > 0 {
			t.Errorf("%s: %+v, %v", r.URL, answer, err)
		}
	}
	if n != 31 {
		t.Errorf("%d recordings", n)
	}
}

// TestWayback_Index asks with the rows of the recorded indexes in JSON.
func TestWayback_Index(t *testing.T) {
	rows, indexes := 0, 0
	for _, r := range corpus.JSONL[recording](t, "recordings.jsonl") {
		if !strings.Contains(r.URL, "/cdx/search/cdx?") || r.Status != http.StatusOK {
			continue
		}
		indexes++
		for line := range strings.Lines(string(r.reply(t).Body)) {
			column := strings.Fields(line)
			if len(column) != 7 || !strings.HasPrefix(column[2], "http") { // a page number, a resumption key
				continue
			}
			rows++
			body, err := json.Marshal([][]string{{"urlkey", "timestamp", "original", "digest"}, {column[0], column[1], column[2], column[5]}})
			if err != nil {
				t.Fatal(err)
			}
			answer, err := resolve(t, "wayback", deadAt(strings.Replace(column[2], ":80/", "/", 1)), ok(string(body)))
			if err != nil || len(answer.Candidates) != 1 || !strings.Contains(answer.Candidates[0].URL, "/web/"+column[1]+"id_/http") {
				t.Fatalf("%s: %+v, %v", line, answer, err)
			}
			checkAnswer(t, answer)
		}
	}
	t.Logf("%d rows of %d indexes", rows, indexes)
	if rows < 300 {
		t.Errorf("only %d rows", rows)
	}
}

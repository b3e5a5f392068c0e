package verdict_test

import (
	"testing"

	"github.com/quire-dev/quire/internal/corpus"
	"github.com/quire-dev/quire/internal/verdict"
	"github.com/quire-dev/quire/paper"
)

func judge(body []byte, e verdict.Expect) verdict.Verdict {
	j := verdict.New(e)
	j.Write(body)
	return j.Verdict()
}

func TestJudge_corpusPDFs(t *testing.T) {
	rows := corpus.JSONL[struct {
		File     string
		Valid    bool
		Verdict  string
		Category string
		Why      string
		Probe    struct{ Encrypted bool }
	}](t, "pdf", "index.jsonl")
	score := map[string][2]int{}
	for _, row := range rows {
		v := judge(corpus.Read(t, row.File), verdict.Expect{})
		agreed := score[row.Verdict]
		agreed[1]++
		switch {
		case v.Level.Usable() == row.Valid:
			agreed[0]++
		case row.Verdict == "clear":
			t.Errorf("%s (%s): got %s %q, want valid %t", row.File, row.Why, v.Level, v.Reason, row.Valid)
		default:
			t.Logf("borderline %s (%s): got %s %q, poppler says valid %t", row.File, row.Why, v.Level, v.Reason, row.Valid)
		}
		score[row.Verdict] = agreed
		if row.Valid && v.Encrypted != row.Probe.Encrypted {
			t.Errorf("%s: encrypted %t, want %t", row.File, v.Encrypted, row.Probe.Encrypted)
		}
		if v.Level.Usable() != (v.Class == "") || (v.Level == verdict.OK) != (v.Reason == "") {
			t.Errorf("%s: verdict at odds with itself: %+v", row.File, v)
		}
		if testing.Verbose() {
			t.Logf("%-8s %-16s %-60s %s", v.Level, v.Class, row.File, v.Reason)
		}
	}
	for kind, agreed := range score {
		t.Logf("%s: %d of %d agree", kind, agreed[0], agreed[1])
	}
}

func TestJudge_corpusPages(t *testing.T) {
	rows := corpus.JSONL[struct {
		File  string
		Class string
	}](t, "html", "index.jsonl")
	challenge := map[string]bool{"challenge_js": true, "captcha": true, "waf_redirect": true, "access_denied": true}
	for _, row := range rows {
		body := corpus.Read(t, row.File)
		if got := verdict.Sniff(body[:min(len(body), 512)], "application/pdf"); got != "text/html" {
			t.Errorf("%s: sniffed %s", row.File, got)
		}
		want := paper.WrongType
		if challenge[row.Class] {
			want = paper.Challenge
		}
		if v := judge(body, verdict.Expect{}); v.Level != verdict.Bad || v.Class != want {
			t.Errorf("%s: got %s %s %q, want %s", row.File, v.Level, v.Class, v.Reason, want)
		}
	}
}

func TestJudge_corpusXML(t *testing.T) {
	rows := corpus.JSONL[struct{ File, Format string }](t, "xml", "index.jsonl")
	for _, row := range rows {
		want := "text/xml"
		if row.Format == "jats" {
			want = "application/jats+xml"
		}
		v := judge(corpus.Read(t, row.File), verdict.Expect{})
		if v.MediaType != want || v.Class != paper.WrongType || v.Ext != ".xml" {
			t.Errorf("%s: got %s %s %s, want %s", row.File, v.MediaType, v.Ext, v.Class, want)
		}
	}
}

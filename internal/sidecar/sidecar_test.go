package sidecar_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/sidecar"
	"github.com/quire-dev/quire/paper"
)

func record() paper.Record {
	return paper.Record{
		ArtifactID: "doi:10.5555/x", IDs: paper.IDs{DOI: "10.5555/x"}, Title: "A \x1b[31m <title> \u202e", Published: "2020",
		Tried: []paper.Tried{
			{Candidate: paper.Candidate{URL: "https://a.example/gone", Source: "crossref"}, Class: paper.Gone, Hops: []paper.Hop{{URL: "https://a.example/gone", Status: 404, Class: paper.Gone}}},
			{Candidate: paper.Candidate{URL: "https://a.example/page", Source: "landing", License: "cc0"}, Hops: []paper.Hop{{URL: "https://a.example/page", Status: 200, Note: "a page; files it names: 1"}}},
			{
				Candidate: paper.Candidate{URL: "https://a.example/1", Source: "unpaywall", License: "cc-by", Version: paper.Published}, Note: "once more",
				Hops: []paper.Hop{{URL: "https://a.example/1", Status: 302}, {URL: "https://a.example/2?a=1&b=2", Status: 200}},
			},
			{Candidate: paper.Candidate{URL: "https://a.example/other", Source: "pmc"}},
		},
		File: &paper.File{
			Path: "artifacts/sha256/ab/cd/abcd.pdf", SHA256: "abcd", Bytes: 5, MediaType: "application/pdf", Verdict: "ok",
			URL: "https://a.example/2?a=1&b=2", Resolver: "unpaywall", License: "cc-by", Version: paper.Published,
		},
		At: time.Date(2026, 11, 28, 12, 0, 0, 5e6, time.FixedZone("", 3600)), Attempts: 2, QuireVersion: "1.0",
	}
}

func TestEncode(t *testing.T) {
	text := sidecar.Encode(record())
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"artifact_id": "doi:10.5555/x", "ids": map[string]any{"doi": "10.5555/x"}, "title": record().Title, "published": "2020",
		"license": "cc-by", "version": "published", "resolver": "unpaywall", "claim_by": "unpaywall", "url": "https://a.example/2?a=1&b=2",
		"hops": []any{
			map[string]any{"url": "https://a.example/1", "status": 302.0},
			map[string]any{"url": "https://a.example/2?a=1&b=2", "status": 200.0},
		},
		"path": "artifacts/sha256/ab/cd/abcd.pdf", "sha256": "abcd", "bytes": 5.0, "media_type": "application/pdf", "verdict": "ok",
		"stored_at": "2026-11-28T11:00:00.005Z", "attempts": 2.0, "quire_version": "1.0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sidecar (-want +got):\n%s", diff)
	}
	if bytes.ContainsAny(text, "\x1b") || bytes.Contains(text, []byte(`\u0026`)) || !bytes.HasSuffix(text, []byte("}\n")) {
		t.Errorf("not fit to be read:\n%s", text)
	}
	if !bytes.Equal(text, sidecar.Encode(record())) {
		t.Error("made twice, it differs")
	}
}

// What nobody has said is null, and a licence of the work as a whole is nobody's claim
// about the file.
func TestEncode_unknown(t *testing.T) {
	r := record()
	r.Tried[2].License, r.At, r.Title, r.File.Version = "", time.Time{}, "", ""
	text := string(sidecar.Encode(r))
	for _, want := range []string{`"claim_by": null`, `"stored_at": null`, `"title": null`, `"version": null`, `"license": "cc-by"`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	r := record()
	for b.Loop() {
		sidecar.Encode(r)
	}
}

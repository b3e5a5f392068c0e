package report_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/report"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// noon is the time of all jobs here, given in another zone than it is shown in.
func noon() time.Time {
	return time.Date(2026, 3, 1, 14, 0, 0, 123456789, time.FixedZone("", 2*60*60))
}

func queuedJob() queue.Job {
	return queue.Job{
		ID: 7, ArtifactID: "doi:10.5555/a", Key: "resolver:pmc", State: queue.Queued,
		AvailableAt: noon(), CreatedAt: noon(), UpdatedAt: noon(),
	}
}

func doneJob(t *testing.T) queue.Job {
	t.Helper()
	pages := 12
	file, err := json.Marshal(paper.File{
		Path: "artifacts/sha256/ab/cd/abcd.pdf", SHA256: "abcd", Bytes: 44586, MediaType: "application/pdf", Verdict: "ok",
		URL: "https://press.example/a.pdf", Resolver: "unpaywall", Version: paper.Published,
		Pages: &pages, Identity: "confirmed",
	})
	if err != nil {
		t.Fatal(err)
	}
	j := queuedJob()
	j.State, j.Reason, j.Attempts, j.Run, j.Result, j.FinishSeq = queue.Done, "stored", 1, "thesis", file, 1
	return j
}

// The fields, their order and their nulls are relied on by users' scripts.
func TestNewJob(t *testing.T) {
	failed := queuedJob()
	failed.State, failed.Reason, failed.Class, failed.LastError = queue.Error, "gone", "gone", "status 404"
	failed.Result = json.RawMessage(`not JSON`)
	aside := doneJob(t)
	aside.State, aside.Reason, aside.Class = queue.Error, "wrong_work", "wrong_work"
	tests := map[string]struct {
		job  queue.Job
		want string
	}{
		"put aside": {aside, `{"id":7,"artifact_id":"doi:10.5555/a","state":"error","reason":"wrong_work","class":"wrong_work",` +
			`"attempts":1,"priority":0,"run":"thesis","key":null,"available_at":null,` +
			`"resolver":"unpaywall","url":"https://press.example/a.pdf","path":"artifacts/sha256/ab/cd/abcd.pdf",` +
			`"sha256":"abcd","bytes":44586,"media_type":"application/pdf","verdict":"ok",` +
			`"license":null,"version":"published","created_at":"2026-03-01T12:00:00.123Z","updated_at":"2026-03-01T12:00:00.123Z",` +
			`"last_error":null,"recheck_at":null,"pages":12,"identity":"confirmed","verdict_reason":null}`},
		"queued": {queuedJob(), `{"id":7,"artifact_id":"doi:10.5555/a","state":"queued","reason":null,"class":null,` +
			`"attempts":0,"priority":0,"run":null,"key":"resolver:pmc","available_at":"2026-03-01T12:00:00.123Z",` +
			`"resolver":null,"url":null,"path":null,"sha256":null,"bytes":null,"media_type":null,"verdict":null,` +
			`"license":null,"version":null,"created_at":"2026-03-01T12:00:00.123Z","updated_at":"2026-03-01T12:00:00.123Z",` +
			`"last_error":null,"recheck_at":null,"pages":null,"identity":null,"verdict_reason":null}`},
		"done": {doneJob(t), `{"id":7,"artifact_id":"doi:10.5555/a","state":"done","reason":"stored","class":null,` +
			`"attempts":1,"priority":0,"run":"thesis","key":null,"available_at":null,` +
			`"resolver":"unpaywall","url":"https://press.example/a.pdf","path":"artifacts/sha256/ab/cd/abcd.pdf",` +
			`"sha256":"abcd","bytes":44586,"media_type":"application/pdf","verdict":"ok",` +
			`"license":null,"version":"published","created_at":"2026-03-01T12:00:00.123Z","updated_at":"2026-03-01T12:00:00.123Z",` +
			`"last_error":null,"recheck_at":null,"pages":12,"identity":"confirmed","verdict_reason":null}`},
		"error": {failed, `{"id":7,"artifact_id":"doi:10.5555/a","state":"error","reason":"gone","class":"gone",` +
			`"attempts":0,"priority":0,"run":null,"key":null,"available_at":null,` +
			`"resolver":null,"url":null,"path":null,"sha256":null,"bytes":null,"media_type":null,"verdict":null,` +
			`"license":null,"version":null,"created_at":"2026-03-01T12:00:00.123Z","updated_at":"2026-03-01T12:00:00.123Z",` +
			`"last_error":"status 404","recheck_at":null,"pages":null,"identity":null,"verdict_reason":null}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := json.Marshal(report.NewJob(tt.job))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(got)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestFields(t *testing.T) {
	got, err := report.Fields([]byte(`{"b":1,"a":null,"c":"","d":"x","e":12345678901234567890}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []report.Field{{Name: "b", Value: "1"}, {Name: "d", Value: "x"}, {Name: "e", Value: "12345678901234567890"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

package report_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/report"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

func twoAttempts() []queue.Attempt {
	return []queue.Attempt{
		{
			Number: 1, Token: 3, Key: "host:a.example", Owner: "0c5ff0e2-4b8e", Reason: "transient", Class: "transient",
			Error: "status \x1b[31m500", Started: noon(), Ended: noon().Add(1500 * time.Millisecond),
		},
		{Number: 2, Token: 4, Key: "host:a.example", Owner: "me", Class: "crashed", Started: noon(), Ended: noon().Add(time.Minute)},
	}
}

func TestNewHistory(t *testing.T) {
	got, err := json.Marshal(report.NewHistory(twoAttempts()))
	if err != nil {
		t.Fatal(err)
	}
	const want = `[{"number":1,"started_at":"2026-03-01T12:00:00.123Z","ended_at":"2026-03-01T12:00:01.623Z","seconds":1.5,` +
		`"key":"host:a.example","reason":"transient","class":"transient","error":"status \u001b[31m500","owner":"0c5ff0e2-4b8e"},` +
		`{"number":2,"started_at":"2026-03-01T12:00:00.123Z","ended_at":"2026-03-01T12:01:00.123Z","seconds":60,` +
		`"key":"host:a.example","reason":null,"class":"crashed","error":null,"owner":"me"}]`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if none, err := json.Marshal(report.NewHistory(nil)); err != nil || string(none) != "[]" {
		t.Errorf("no attempts: %s (%v), want []", none, err)
	}
}

func TestWriteHistory(t *testing.T) {
	var text strings.Builder
	if err := report.WriteHistory(&text, report.NewHistory(twoAttempts())); err != nil {
		t.Fatal(err)
	}
	const want = `attempt  started                   took  key             reason     class      owner     error
1        2026-03-01T12:00:00.123Z  1.5s  host:a.example  transient  transient  0c5ff0e2  status \x1b[31m500
2        2026-03-01T12:00:00.123Z  1m0s  host:a.example  -          crashed    me        -
`
	if diff := cmp.Diff(want, text.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestStory_Write_history(t *testing.T) {
	var text strings.Builder
	if err := report.NewStory(queuedJob(), paper.Record{}, twoAttempts(), nil).Write(&text); err != nil {
		t.Fatal(err)
	}
	const want = `
Failed attempts
  1. at host:a.example: transient: status \x1b[31m500
  2. at host:a.example: crashed
`
	if !strings.Contains(text.String(), want) {
		t.Errorf("got\n%s\nwithout\n%s", text.String(), want)
	}
}

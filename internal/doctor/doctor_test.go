package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quire-dev/quire/queue"
)

// A file system that hangs is reported, and holds nothing up.
func TestWithin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		mounted := make(chan struct{})
		defer close(mounted)
		start := time.Now()
		got := Within(t.Context(), "data directory", "/mnt", func() []Check { <-mounted; return nil })
		if time.Since(start) != hangs || len(got) != 1 || got[0].Status != Fail || got[0].Found != "no answer within 10 s" {
			t.Errorf("after %v: %+v", time.Since(start), got)
		}
		want := Check{Name: "x", Status: OK}
		if got := Within(t.Context(), "x", "", func() []Check { return []Check{want} }); len(got) != 1 || got[0] != want {
			t.Errorf("got %+v", got)
		}
	})
}

func TestOpenFiles(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		workers int
		limit   uint64
		known   bool
		want    Status
	}{
		"as systems have it": {32, 1024, true, OK},
		"few idle":           {32, 600, true, Warn},
		"too few":            {32, 128, true, Fail},
		"many workers":       {1000, 1024, true, Fail},
		"no such limit":      {32, 0, false, Skipped},
	} {
		got := judgeFiles(tt.workers, tt.limit, tt.known)
		if got.Status != tt.want || (got.Next == "") != (tt.want == OK || tt.want == Skipped) {
			t.Errorf("%s: got %+v, want %s", name, got, tt.want)
		}
	}
	if got := OpenFiles(1); got.Found == "" {
		t.Errorf("of this process: %+v", got)
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	const s = time.Second
	for name, tt := range map[string]struct {
		ahead []time.Duration
		want  Status
		found string
	}{
		"nobody":            {nil, Skipped, "no host has told the time"},
		"right":             {[]time.Duration{s / 2, -s / 3, 0}, OK, "within a second of that of 3 hosts"},
		"one liar":          {[]time.Duration{-1e6 * s, 0, s}, OK, "within a second of that of 3 hosts"},
		"a little late":     {[]time.Duration{40 * s}, OK, "40s behind that of the host that was asked"},
		"at the limit":      {[]time.Duration{-60 * s}, OK, "1m ahead of that of the host that was asked"},
		"early":             {[]time.Duration{-61 * s, -61 * s}, Warn, "1m1s ahead of that of 2 hosts"},
		"years late":        {[]time.Duration{1e6 * s, 1e6 * s}, Warn, "277h46m40s behind that of 2 hosts"},
		"hosts that differ": {[]time.Duration{-1e6 * s, 1e6 * s, 2 * s}, OK, "2s behind that of 3 hosts"},
	} {
		got := Clock(tt.ahead)
		if got.Status != tt.want || got.Found != tt.found || (got.Next != "") != (tt.want == Warn) {
			t.Errorf("%s: got %+v, want %s: %s", name, got, tt.want, tt.found)
		}
	}
}

func TestAheadOf(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		date, age string
		want      time.Duration
		none      bool
	}{
		"same second":  {date: "Sat, 28 Nov 2026 12:00:00 GMT", want: time.Second / 2},
		"ahead":        {date: "Sat, 28 Nov 2026 12:05:00 GMT", want: 5*time.Minute + time.Second/2},
		"from a cache": {date: "Sat, 28 Nov 2026 11:00:00 GMT", age: "3600", want: time.Second / 2},
		"odd age":      {date: "Sat, 28 Nov 2026 12:00:00 GMT", age: "-1", want: time.Second / 2},
		"no date":      {none: true},
		"nonsense":     {date: "yesterday", none: true},
	} {
		h := http.Header{}
		h.Set("Date", tt.date)
		h.Set("Age", tt.age)
		got := aheadOf(h, at)
		if (got == nil) != tt.none || got != nil && *got != tt.want {
			t.Errorf("%s: got %v, want %v", name, got, tt.want)
		}
	}
}

func TestUnopened(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		err  error
		key  bool
		want Status
	}{
		"none yet": {os.ErrNotExist, false, OK},
		"damaged":  {queue.ErrDamaged, false, Fail},
		"newer":    {queue.ErrNewer, false, Fail},
		"older":    {queue.ErrOlder, false, Warn},
		"late":     {context.DeadlineExceeded, false, Fail},
		"refused":  {errors.New("password authentication failed"), true, Fail},
		"other":    {os.ErrPermission, false, Fail},
	} {
		got := Unopened("q.db", fmt.Errorf("open queue: open database q.db: %w", tt.err), tt.key)
		if got.Status != tt.want || got.Settings != tt.key || (got.Next == "") != (tt.want == OK) || strings.Contains(got.Found, "q.db") {
			t.Errorf("%s: got %+v, want %s", name, got, tt.want)
		}
	}
}

func TestStore(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		e     queue.Examination
		check string
		want  Check
	}{
		"whole":     {queue.Examination{}, "integrity", Check{Status: OK, Found: "no damage found"}},
		"damaged":   {queue.Examination{Faults: []string{"page 4", "page 5"}}, "integrity", Check{Status: Fail, Found: "page 4; page 5", Next: advice}},
		"no time":   {queue.Examination{Unchecked: "there was no time to read all of it"}, "integrity", Check{Status: Skipped, Found: "there was no time to read all of it", Next: "quire doctor --deep takes the time that it needs"}},
		"file":      {queue.Examination{Engine: "SQLite 3", Schema: 3, Bytes: 5 << 20}, "database", Check{Status: OK, Found: "SQLite 3, schema 3, 5.0 MiB"}},
		"old":       {queue.Examination{Engine: "PostgreSQL 12", Schema: 2, Needs: "PostgreSQL 13"}, "database", Check{Status: Fail, Found: "PostgreSQL 12, schema 2, 0 B; it takes PostgreSQL 13", Next: "use a newer server"}},
		"far away":  {queue.Examination{Engine: "PostgreSQL 17", Schema: 2, RoundTrip: 80 * time.Millisecond}, "database", Check{Status: Warn, Found: "PostgreSQL 17, schema 2, 0 B, answers in 80 ms", Next: "run quire near the server: it asks it several times for each request that it makes"}},
		"clock":     {queue.Examination{RoundTrip: 1, Ahead: -time.Hour}, "clock", Check{Status: Warn, Found: "1h0m ahead of that of the database server"}},
		"no run":    {queue.Examination{}, "run", Check{Status: OK, Found: "none is going on"}},
		"run":       {queue.Examination{Running: true}, "run", Check{Status: OK, Found: "one is going on, of another process"}},
		"known run": {queue.Examination{Running: true, Runner: "process 7"}, "run", Check{Status: OK, Found: "one is going on: process 7"}},
		"large log": {queue.Examination{Log: 1 << 30}, "log", Check{Status: Warn, Found: "1.0 GiB are not in the database yet"}},
	} {
		got := named(Store("q.db", tt.e), tt.check)
		if len(got) != 1 || got[0].Status != tt.want.Status || got[0].Found != tt.want.Found || tt.want.Next != "" && got[0].Next != tt.want.Next {
			t.Errorf("%s: got %+v, want %+v", name, got, tt.want)
		}
	}
}

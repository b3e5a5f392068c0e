package fetch_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/corpus"
	"github.com/quire-dev/quire/internal/fetch"
	"github.com/quire-dev/quire/queue"
)

// fields makes a header of lines "Name: value".
func fields(lines ...string) http.Header {
	h := http.Header{}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ":")
		h.Add(name, strings.TrimSpace(value))
	}
	return h
}

// pace is so many requests in a window, at 95 %.
func pace(n float64, window time.Duration) queue.Allowance {
	return queue.Allowance{Every: time.Duration(float64(window) / (n * 0.95))}
}

func wait(d time.Duration) queue.Allowance { return queue.Allowance{Wait: d} }

// Each row is what a service has been seen to answer with.
func TestAnnounced_services(t *testing.T) {
	const date = "Date: Thu, 23 Jul 2026 06:09:21 GMT" // 1784786961
	polite := pace(10, time.Second)
	polite.InFlight = 3
	public := pace(5, time.Second)
	public.InFlight = 1
	tests := map[string]struct {
		host string
		h    http.Header
		want queue.Allowance
	}{
		"Crossref, polite": {"api.crossref.org", fields(date, "x-api-pool: polite-single",
			"x-concurrency-limit: 3", "x-rate-limit-interval: 1s", "x-rate-limit-limit: 10"), polite},
		"Crossref, public": {"api.crossref.org", fields(date, "x-api-pool: public",
			"x-concurrency-limit: 1", "x-rate-limit-interval: 1s", "x-rate-limit-limit: 5"), public},
		"Crossref, plus":    {"api.crossref.org", fields("x-api-pool: plus", "x-rate-limit-interval: 1s", "x-rate-limit-limit: 150"), pace(150, time.Second)},
		"Crossref, of 2023": {"api.crossref.org", fields("x-ratelimit-limit: 50", "x-ratelimit-interval: 1s", "x-rate-limit-limit: 50", "x-rate-limit-interval: 1s"), pace(50, time.Second)},
		"Crossref, of 2025": {"api.crossref.org", fields("x-ratelimit-limit: 50", "x-ratelimit-interval: 1s"), pace(50, time.Second)},
		"OpenAlex, credits": {"api.openalex.org", fields("x-ratelimit-limit: 1000", "x-ratelimit-remaining: 972", "x-ratelimit-reset: 64136",
			"x-ratelimit-credits-used: 1", "x-ratelimit-limit-usd: 0.1", "x-ratelimit-prepaid-remaining-usd: 0", "x-ratelimit-onetime-remaining: 0"), queue.Allowance{}},
		"OpenAlex, spent": {"api.openalex.org", fields("x-ratelimit-limit: 1000", "x-ratelimit-remaining: 0", "x-ratelimit-reset: 64136",
			"x-ratelimit-credits-used: 1"), wait(64136 * time.Second)},
		"OpenAlex, too little left": {"api.openalex.org", fields("x-ratelimit-remaining: 9", "x-ratelimit-reset: 60",
			"x-ratelimit-credits-used: 0", "x-ratelimit-credits-required: 10"), wait(time.Minute)},
		"OpenAlex, spent but free": {"api.openalex.org", fields("x-ratelimit-limit: 1000", "x-ratelimit-remaining: 0", "x-ratelimit-reset: 64136",
			"x-ratelimit-credits-used: 0"), queue.Allowance{}},
		"OpenAlex, of 2025": {"api.openalex.org", fields("ratelimit-limit: 100", "ratelimit-remaining: 99", "ratelimit-reset: 1"), pace(100, time.Second)},
		"OpenAlex, slowed":  {"api.openalex.org", fields("ratelimit-limit: 5", "ratelimit-remaining: 9", "ratelimit-reset: 1"), pace(5, time.Second)},
		"Zenodo": {"zenodo.org", fields(date, "retry-after: 59", "x-ratelimit-limit: 133", "x-ratelimit-remaining: 128",
			"x-ratelimit-reset: 1784787021"), pace(133, time.Minute)},
		"Zenodo, search": {"zenodo.org", fields("Date: Thu, 08 Jan 2026 15:04:48 GMT", "retry-after: 60", "x-ratelimit-limit: 30", "x-ratelimit-remaining: 29",
			"x-ratelimit-reset: 1767884749"), pace(30, time.Minute)},
		"Zenodo, spent": {
			"zenodo.org", fields(date, "x-ratelimit-limit: 133", "x-ratelimit-remaining: 0", "x-ratelimit-reset: 1784787021"),
			queue.Allowance{Every: pace(133, time.Minute).Every, Wait: time.Minute},
		},
		"NCBI":               {"eutils.ncbi.nlm.nih.gov", fields("x-ratelimit-limit: 3", "x-ratelimit-remaining: 0"), pace(3, time.Second)},
		"DataCite":           {"api.datacite.org", fields("x-ratelimit-limit: 1000", "x-ratelimit-remaining: 999"), pace(1000, 5*time.Minute)},
		"GitHub":             {"api.github.com", fields("x-ratelimit-limit: 60", "x-ratelimit-remaining: 59", "x-ratelimit-reset: 1784787021"), queue.Allowance{}},
		"GitHub, spent":      {"api.github.com", fields(date, "x-ratelimit-limit: 60", "x-ratelimit-remaining: 0", "x-ratelimit-reset: 1784787021"), wait(time.Minute)},
		"says nothing":       {"www.ebi.ac.uk", fields(date, "Content-Type: text/plain"), queue.Allowance{}},
		"only Retry-After":   {"a.example", fields("Retry-After: 59"), queue.Allowance{}},
		"no header at all":   {"a.example", nil, queue.Allowance{}},
		"known host, silent": {"zenodo.org", fields(date), queue.Allowance{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, fetch.Announced(tt.host, tt.h, time.Now())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Rows are one field a line, from any host.
func TestAnnounced_forms(t *testing.T) {
	now := time.Unix(1784786961, 0)
	tests := map[string]struct {
		fields string
		want   queue.Allowance
	}{
		"draft 10":                       {"RateLimit-Policy: \"burst\";q=100;w=60\nRateLimit: \"burst\";r=50;t=30", pace(100, time.Minute)},
		"draft 10, spent":                {"RateLimit-Policy: \"burst\";q=100;w=60\nRateLimit: \"burst\";r=0;t=30", queue.Allowance{Every: pace(100, time.Minute).Every, Wait: 30 * time.Second}},
		"draft 10, only state":           {"RateLimit: \"default\";r=0;t=30", wait(30 * time.Second)},
		"draft 10, no time":              {"RateLimit: \"default\";r=0", queue.Allowance{}},
		"draft 10, strictest of several": {`RateLimit-Policy: "a";q=100;w=60, "b";q=1000;w=3600, "day";q=5000;w=86400`, pace(1000, time.Hour)},
		"draft 10, on two lines":         {"RateLimit-Policy: \"a\";q=100;w=60\nRateLimit-Policy: \"b\";q=1;w=1", pace(1, time.Second).Stricter(pace(100, time.Minute))},
		"draft 10, spent of several":     {`RateLimit: "a";r=9;t=1, "b";r=0;t=50, "c";r=0;t=20`, wait(50 * time.Second)},
		"draft 10, only a day":           {`RateLimit-Policy: "day";q=5000;w=86400`, queue.Allowance{}},
		"draft 10, at once":              {`RateLimit-Policy: "peak";q=4;qu="concurrent-requests", "a";q=60;w=60;qu="requests"`, queue.Allowance{Every: pace(60, time.Minute).Every, InFlight: 4}},
		"draft 10, bytes":                {`RateLimit-Policy: "bytes";q=4;w=60;qu="content-bytes"`, queue.Allowance{}},
		"draft 10, no window":            {`RateLimit-Policy: "a";q=100`, queue.Allowance{}},
		"draft 10, partition key":        {`RateLimit-Policy: "a";q=100;w=60;pk=:c2VjcmV0:`, pace(100, time.Minute)},
		"names with separators":          {`RateLimit-Policy: "a,b;q=1;w=9\"";q=100;w=60`, pace(100, time.Minute)},
		"spaces":                         {`RateLimit-Policy:  "a" ; q=100 ;  w=60 ,`, pace(100, time.Minute)},
		"the last of a parameter counts": {`RateLimit-Policy: "a";q=1;q=100;w=60`, pace(100, time.Minute)},
		"draft 07":                       {"RateLimit-Policy: 100;w=60\nRateLimit: limit=100, remaining=50, reset=5", pace(100, time.Minute)},
		"draft 07, spent":                {"RateLimit: limit=100, remaining=0, reset=5", wait(5 * time.Second)},
		"draft 07, policies":             {`RateLimit-Policy: 10;w=1, 50;w=60, 1000;w=3600;comment="fair, use"`, pace(1000, time.Hour)},
		"draft 06":                       {"RateLimit-Limit: 100\nRateLimit-Policy: 100;w=60\nRateLimit-Remaining: 0\nRateLimit-Reset: 5", queue.Allowance{Every: pace(100, time.Minute).Every, Wait: 5 * time.Second}},
		"draft 03":                       {"RateLimit-Limit: 10, 10;w=1, 50;w=60", pace(50, time.Minute)},

		"limit without window":     {"X-RateLimit-Limit: 10\nX-RateLimit-Remaining: 9\nX-RateLimit-Reset: 60", queue.Allowance{}},
		"interval in seconds":      {"X-Rate-Limit-Limit: 10\nX-Rate-Limit-Interval: 60", pace(10, time.Minute)},
		"interval with unit":       {"X-Rate-Limit-Limit: 10\nX-Rate-Limit-Interval: 5m", pace(10, 5*time.Minute)},
		"interval of a day":        {"X-Rate-Limit-Limit: 10\nX-Rate-Limit-Interval: 24h", queue.Allowance{}},
		"window of an hour":        {"X-Rate-Limit-Limit: 36\nX-Rate-Limit-Interval: 1h", pace(36, time.Hour)},
		"strictest of two kinds":   {"X-Rate-Limit-Limit: 50\nX-Rate-Limit-Interval: 1s\nX-RateLimit-Limit: 5\nX-RateLimit-Interval: 1s", pace(5, time.Second)},
		"spent, seconds left":      {"X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 90", wait(90 * time.Second)},
		"spent, fraction left":     {"X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 0.5", wait(time.Second / 2)},
		"spent, until an instant":  {"X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 1784787051", wait(90 * time.Second)},
		"spent, by their clock":    {"X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 1784787021\nDate: Thu, 23 Jul 2026 06:10:20 GMT", wait(time.Second)},
		"spent, for two days":      {"X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 172800", wait(24 * time.Hour)},
		"spent, for a month":       {"X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 2678400", wait(24 * time.Hour)},
		"spent, for a year":        {"X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 31536000", queue.Allowance{}},
		"spent, until the past":    {"X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 1784786960", queue.Allowance{}},
		"spent, in milliseconds":   {"X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 1784787051000", queue.Allowance{}},
		"spent, reset at once":     {"X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 0", queue.Allowance{}},
		"spent, negative reset":    {"X-RateLimit-Remaining: 0\nX-RateLimit-Reset: -9", queue.Allowance{}},
		"spent, no reset":          {"X-RateLimit-Remaining: 0", queue.Allowance{}},
		"a bit is left":            {"X-RateLimit-Remaining: 1\nX-RateLimit-Reset: 90", queue.Allowance{}},
		"nothing left, nor needed": {"X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 90\nX-RateLimit-Credits-Required: 0", queue.Allowance{}},

		"limit 0":                 {"X-Rate-Limit-Limit: 0\nX-Rate-Limit-Interval: 1s", queue.Allowance{}},
		"limit under 1":           {"X-Rate-Limit-Limit: 0.001\nX-Rate-Limit-Interval: 1s", queue.Allowance{}},
		"negative limit":          {"X-Rate-Limit-Limit: -5\nX-Rate-Limit-Interval: 1s", queue.Allowance{}},
		"limit is no number":      {"X-Rate-Limit-Limit: NaN\nX-Rate-Limit-Interval: 1s", queue.Allowance{}},
		"limit is unlimited":      {"X-Rate-Limit-Limit: Inf\nX-Rate-Limit-Interval: 1s", queue.Allowance{}},
		"limit in other notation": {"X-Rate-Limit-Limit: 1e1\nX-Rate-Limit-Interval: 1s", queue.Allowance{}},
		"huge limit":              {"X-Rate-Limit-Limit: 99999999999999999999\nX-Rate-Limit-Interval: 1s", queue.Allowance{}},
		"no interval":             {"X-Rate-Limit-Limit: 10\nX-Rate-Limit-Interval: 0s", queue.Allowance{}},
		"negative interval":       {"X-Rate-Limit-Limit: 10\nX-Rate-Limit-Interval: -1s", queue.Allowance{}},
		"huge interval":           {"X-Rate-Limit-Limit: 10\nX-Rate-Limit-Interval: 99999999999999999999", queue.Allowance{}},
		"unknown interval":        {"X-Rate-Limit-Limit: 10\nX-Rate-Limit-Interval: second", queue.Allowance{}},
		"two limits":              {"X-Rate-Limit-Limit: 10, 20\nX-Rate-Limit-Interval: 1s", queue.Allowance{}},
		"two limits, two lines":   {"X-Rate-Limit-Limit: 10\nX-Rate-Limit-Limit: 20\nX-Rate-Limit-Interval: 1s", queue.Allowance{}},
		"the same limit twice":    {"X-Rate-Limit-Limit: 10, 10\nX-Rate-Limit-Limit: 10\nX-Rate-Limit-Interval: 1s", pace(10, time.Second)},
		"at once":                 {"X-Concurrency-Limit: 2", queue.Allowance{InFlight: 2}},
		"none at once":            {"X-Concurrency-Limit: 0", queue.Allowance{}},
		"negative at once":        {"X-Concurrency-Limit: -1", queue.Allowance{}},
		"any number at once":      {"X-Concurrency-Limit: 9999999999", queue.Allowance{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := fields(strings.Split(tt.fields, "\n")...)
			if diff := cmp.Diff(tt.want, fetch.Announced("a.example", h, now)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestAnnounced_corpus reads the headers of every recorded answer: those that
// speak of limits must be understood, and must make sense.
func TestAnnounced_corpus(t *testing.T) {
	type recording struct {
		Service, URL string
		Header       map[string]string `json:"response_headers"`
	}
	type heard struct{ Answers, Paced, Capped, Waits int }
	got := make(map[string]heard)
	for _, r := range corpus.JSONL[recording](t, "recordings.jsonl") {
		u, err := url.Parse(r.URL)
		if err != nil {
			t.Fatal(err)
		}
		h, speaks := http.Header{}, false
		for name, value := range r.Header {
			h.Set(name, value)
			name = strings.ToLower(name)
			speaks = speaks || strings.Contains(name, "ratelimit") || strings.Contains(name, "rate-limit") || strings.Contains(name, "concurrency")
		}
		now := time.Now()
		if date, err := http.ParseTime(h.Get("Date")); err == nil {
			now = date
		}
		a := fetch.Announced(u.Hostname(), h, now)
		if a.Every < 0 || a.Every > time.Minute || a.InFlight < 0 || a.InFlight > 100 || a.Wait < 0 || a.Wait > 24*time.Hour {
			t.Errorf("%s: %v gives %+v", r.URL, h, a)
		}
		if !speaks {
			if a != (queue.Allowance{}) {
				t.Errorf("%s: announces nothing, gives %+v", r.URL, a)
			}
			continue
		}
		n := got[r.Service]
		n.Answers++
		n.Paced += min(int(a.Every), 1)
		n.Capped += min(a.InFlight, 1)
		n.Waits += min(int(a.Wait), 1)
		got[r.Service] = n
	}
	for service, n := range got {
		t.Logf("%s: %+v", service, n)
	}
	want := map[string]heard{
		"crossref": {103, 103, 18, 0},
		"openalex": {24, 7, 0, 0}, // the others count the credits of a day
		"zenodo":   {8, 8, 0, 0},
		"ncbi":     {2, 2, 0, 0},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestListen(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-RateLimit-Remaining", "0")
		w.Header().Set("X-RateLimit-Reset", r.URL.Query().Get("reset"))
		w.WriteHeader(http.StatusTooManyRequests)
	})
	c := newClient(t, nil)
	var heard []queue.Allowance
	ctx := fetch.Listen(t.Context(), func(a queue.Allowance) { heard = append(heard, a) })
	if _, err := c.Get(ctx, url+"?reset=7", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Get(t.Context(), url+"?reset=8", nil); err != nil { // nobody listens
		t.Fatal(err)
	}
	if _, err := open(t, c, url); err != nil { // nor here
		t.Fatal(err)
	}
	resp, err := c.Open(ctx, url+"?reset=9", "")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if _, err := c.Open(ctx, "http://10.0.0.1/", ""); err == nil { // no answer says nothing
		t.Error("private address: no error")
	}
	if diff := cmp.Diff([]queue.Allowance{wait(7 * time.Second), wait(9 * time.Second)}, heard); diff != "" {
		t.Errorf("heard (-want +got):\n%s", diff)
	}
}

func FuzzAnnounced(f *testing.F) {
	f.Add("api.openalex.org", "100", "0", "64136", "1s", `"a";q=100;w=60`, `"a";r=0;t=30`)
	f.Add("zenodo.org", "10, 10;w=1", "-1", "1784787021", "5m", "100;w=60", "limit=1, remaining=0, reset=5")
	f.Add("", "NaN", "0.5", "1e9", "", `"\";,=`, ";;=,")
	f.Fuzz(func(t *testing.T, host, limit, remaining, reset, interval, policy, state string) {
		h := http.Header{"Ratelimit-Policy": {policy}, "Ratelimit": {state, state}, "X-Concurrency-Limit": {limit, remaining}}
		for _, family := range []string{"X-Ratelimit", "X-Rate-Limit", "Ratelimit"} {
			h[family+"-Limit"], h[family+"-Remaining"] = []string{limit}, []string{remaining}
			h[family+"-Reset"], h[family+"-Interval"] = []string{reset, reset}, []string{interval}
		}
		a := fetch.Announced(host, h, time.Now())
		if a.Every < 0 || a.Every > 2*time.Hour || a.InFlight < 0 || a.Wait < 0 || a.Wait > 24*time.Hour {
			t.Errorf("%q: %+v", h, a)
		}
	})
}

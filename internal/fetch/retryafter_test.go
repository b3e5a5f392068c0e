package fetch_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/quire-dev/quire/internal/fetch"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	tests := map[string]struct {
		value, date string
		want        time.Duration // 0: not usable
	}{
		"none":                       {},
		"seconds":                    {value: "2", want: 2 * time.Second},
		"spaces around":              {value: " 120 ", want: 2 * time.Minute},
		"leading zeros":              {value: "007", want: 7 * time.Second},
		"an hour is kept":            {value: "3600", want: time.Hour},
		"a day is kept":              {value: "86400", want: 24 * time.Hour},
		"two days are clamped":       {value: "172800", want: 24 * time.Hour},
		"int64 nanoseconds overflow": {value: "9223372036854775807", want: 24 * time.Hour},
		"int64 overflow":             {value: "99999999999999999999"},
		"zero":                       {value: "0"},
		"negative":                   {value: "-5"},
		"signed":                     {value: "+5"},
		"fraction":                   {value: "2.5"},
		"exponent":                   {value: "1e3"},
		"fruit":                      {value: "banana"},
		"list":                       {value: "2, 3"},
		"other digits":               {value: "٣"},
		"date":                       {value: "Mon, 23 Nov 2026 12:01:30 GMT", want: 90 * time.Second},
		"old date forms":             {value: "Mon Nov 23 12:01:30 2026", want: 90 * time.Second},
		"RFC 850 date":               {value: "Monday, 23-Nov-26 12:01:30 GMT", want: 90 * time.Second},
		"past date":                  {value: "Mon, 23 Nov 2026 11:59:59 GMT"},
		"date now":                   {value: "Mon, 23 Nov 2026 12:00:00 GMT"},
		"far date":                   {value: "Mon, 23 Nov 2099 12:00:00 GMT", want: 24 * time.Hour},
		"server clock is behind":     {value: "Thu, 01 Jan 1970 00:00:10 GMT", date: "Thu, 01 Jan 1970 00:00:00 GMT", want: 10 * time.Second},
		"server clock is ahead":      {value: "Mon, 23 Nov 2026 13:00:05 GMT", date: "Mon, 23 Nov 2026 13:00:00 GMT", want: 5 * time.Second},
		"date without its own":       {value: "Mon, 23 Nov 2026 12:00:05 GMT", date: "yesterday", want: 5 * time.Second},
		"impossible date":            {value: "Mon, 31 Feb 2026 12:00:05 GMT"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := http.Header{}
			if tt.value != "" {
				h.Set("Retry-After", tt.value)
			}
			if tt.date != "" {
				h.Set("Date", tt.date)
			}
			got, ok := fetch.RetryAfter(h, now)
			if ok != (tt.want > 0) || (ok && got != tt.want) {
				t.Errorf("got %v, %v, want %v", got, ok, tt.want)
			}
		})
	}
}

func FuzzRetryAfter(f *testing.F) {
	f.Add("120", "")
	f.Add("Mon, 23 Nov 2026 12:01:30 GMT", "Mon, 23 Nov 2026 12:00:00 GMT")
	f.Add("-1", "Thu, 01 Jan 1970 00:00:00 GMT")
	f.Fuzz(func(t *testing.T, value, date string) {
		h := http.Header{"Retry-After": {value}, "Date": {date}}
		if got, ok := fetch.RetryAfter(h, time.Now()); ok && (got <= 0 || got > 24*time.Hour) {
			t.Errorf("RetryAfter(%q, %q) = %v", value, date, got)
		}
	})
}

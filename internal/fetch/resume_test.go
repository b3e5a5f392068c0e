package fetch_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/fetch"
	"github.com/quire-dev/quire/paper"
)

const abcd = okHead + "Content-Length: 4\r\n"

// marked opens a file and returns its mark after have bytes.
func marked(t *testing.T, c *fetch.Client, head string, have int64) *fetch.Mark {
	t.Helper()
	resp, err := c.Open(t.Context(), raw(t, say(head+"\r\nabcd")), "")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.Mark(have)
}

// TestResponse_Mark says what it takes to resume a file.
func TestResponse_Mark(t *testing.T) {
	const old, date = "Last-Modified: Mon, 02 Jan 2006 15:04:05 GMT\r\n", "Date: Tue, 03 Jan 2006 15:04:05 GMT\r\n"
	tests := map[string]struct {
		head string
		have int64
		want bool
	}{
		"strong ETag":             {abcd + "ETag: \"a\"\r\n", 2, true},
		"empty ETag":              {abcd + "ETag: \"\"\r\n", 2, true},
		"all has come":            {abcd + "ETag: \"a\"\r\n", 4, true},
		"unknown length":          {okHead + "ETag: \"a\"\r\n", 2, true},
		"nothing has come":        {abcd + "ETag: \"a\"\r\n", 0, false},
		"more than there is":      {abcd + "ETag: \"a\"\r\n", 5, false},
		"no validator":            {abcd, 2, false},
		"weak ETag":               {abcd + "ETag: W/\"a\"\r\n", 2, false},
		"weak ETag and a date":    {abcd + "ETag: W/\"a\"\r\n" + old + date, 2, false},
		"bare ETag":               {abcd + "ETag: a\r\n", 2, false},
		"quote in ETag":           {abcd + "ETag: \"a\"b\"\r\n", 2, false},
		"long ETag":               {abcd + "ETag: \"" + strings.Repeat("a", 2000) + "\"\r\n", 2, false},
		"two ETags":               {abcd + "ETag: \"a\"\r\nETag: \"b\"\r\n", 2, false},
		"date":                    {abcd + old + date, 2, true},
		"date, but when sent?":    {abcd + old, 2, false},
		"two dates":               {abcd + old + old + date, 2, false},
		"changed as it was sent":  {abcd + strings.Replace(old, "02 Jan", "03 Jan", 1) + date, 2, false},
		"changed half a min. ago": {abcd + "Last-Modified: Tue, 03 Jan 2006 15:03:35 GMT\r\n" + date, 2, false},
		"no date":                 {abcd + "Last-Modified: yesterday\r\n" + date, 2, false},
		"ranges":                  {abcd + "ETag: \"a\"\r\nAccept-Ranges: bytes\r\n", 2, true},
		"no ranges":               {abcd + "ETag: \"a\"\r\nAccept-Ranges: none\r\n", 2, false},
		"coded":                   {abcd + "ETag: \"a\"\r\nContent-Encoding: gzip\r\n", 2, false},
		"not a 200":               {"HTTP/1.1 203 OK\r\nContent-Length: 4\r\nETag: \"a\"\r\n", 2, false},
	}
	c := newClient(t, nil)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if m := marked(t, c, tt.head, tt.have); (m != nil) != tt.want {
				t.Errorf("mark %+v, want one: %v", m, tt.want)
			}
		})
	}
}

// TestClient_Do_rest says which answers are the rest of a file: "ab" has come of
// four bytes with the ETag "a".
func TestClient_Do_rest(t *testing.T) {
	const part = "HTTP/1.1 206 Partial Content\r\nETag: \"a\"\r\nConnection: close\r\n"
	const past = "HTTP/1.1 416 Range Not Satisfiable\r\nConnection: close\r\n"
	tests := map[string]struct {
		answer string
		have   int64
		rest   bool
		body   string
		class  paper.Class // of reading it
	}{
		"the rest":             {part + "Content-Range: bytes 2-3/4\r\nContent-Length: 2\r\n\r\ncd", 2, true, "cd", ""},
		"without length":       {part + "Content-Range: bytes 2-3/4\r\n\r\ncd", 2, true, "cd", ""},
		"in chunks":            {part + "Content-Range: bytes 2-3/4\r\nTransfer-Encoding: chunked\r\n\r\n2\r\ncd\r\n0\r\n\r\n", 2, true, "cd", ""},
		"cut":                  {part + "Content-Range: bytes 2-3/4\r\nContent-Length: 2\r\n\r\nc", 2, true, "c", paper.Transient},
		"cut without length":   {part + "Content-Range: bytes 2-3/4\r\n\r\nc", 2, true, "c", paper.Transient},
		"too long":             {part + "Content-Range: bytes 2-3/4\r\n\r\ncde", 2, true, "cd", paper.InvalidContent},
		"the whole":            {abcd + "\r\nabcd", 2, false, "abcd", ""},
		"part of the rest":     {part + "Content-Range: bytes 2-2/4\r\nContent-Length: 1\r\n\r\nc", 2, false, "c", ""},
		"other bytes":          {part + "Content-Range: bytes 1-3/4\r\nContent-Length: 3\r\n\r\nbcd", 2, false, "bcd", ""},
		"no range":             {part + "Content-Length: 2\r\n\r\ncd", 2, false, "cd", ""},
		"two ranges":           {part + "Content-Range: bytes 2-3/4\r\nContent-Range: bytes 2-3/4\r\n\r\ncd", 2, false, "cd", ""},
		"negative":             {part + "Content-Range: bytes -2-3/4\r\n\r\ncd", 2, false, "cd", ""},
		"overflow":             {part + "Content-Range: bytes 2-99999999999999999999/4\r\n\r\ncd", 2, false, "cd", ""},
		"another unit":         {part + "Content-Range: pages 2-3/4\r\n\r\ncd", 2, false, "cd", ""},
		"backwards":            {part + "Content-Range: bytes 3-2/4\r\n\r\ncd", 2, false, "cd", ""},
		"past its own end":     {part + "Content-Range: bytes 2-4/4\r\n\r\ncde", 2, false, "cde", ""},
		"nothing is missing":   {past + "Content-Range: bytes */4\r\n\r\nsorry", 4, true, "", ""},
		"something is missing": {past + "Content-Range: bytes */4\r\n\r\nsorry", 2, false, "sorry", ""},
		"another size":         {past + "Content-Range: bytes */5\r\n\r\nsorry", 4, false, "sorry", ""},
		"416 of another file":  {past + "ETag: \"b\"\r\nContent-Range: bytes */4\r\n\r\nsorry", 4, false, "sorry", ""},
	}
	c := newClient(t, nil)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := marked(t, c, abcd+"ETag: \"a\"\r\n", tt.have)
			resp, err := c.Do(t.Context(), fetch.Ask{URL: raw(t, say(tt.answer)), After: m})
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			checkClass(t, err, tt.class)
			if resp.Rest != tt.rest || string(body) != tt.body {
				t.Errorf("rest %v %q, want %v %q", resp.Rest, body, tt.rest, tt.body)
			}
			if resp.Rest && tt.class == paper.Transient && resp.Mark(3) == nil {
				t.Error("the rest can't be resumed itself")
			}
		})
	}
}

// TestClient_Do_asksForRest compares what is sent, with either validator.
func TestClient_Do_asksForRest(t *testing.T) {
	const date = "Mon, 02 Jan 2006 15:04:05 GMT"
	for validator, want := range map[string]string{
		"ETag: \"a\"\r\n": `"a"`,
		"Last-Modified: " + date + "\r\nDate: Tue, 03 Jan 2006 15:04:05 GMT\r\n": date,
	} {
		var sent http.Header
		url := serve(t, func(_ http.ResponseWriter, r *http.Request) { sent = r.Header })
		c := newClient(t, nil)
		resp, err := c.Do(t.Context(), fetch.Ask{URL: url, After: marked(t, c, abcd+validator, 2)})
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		got := []string{sent.Get("Range"), sent.Get("If-Range"), sent.Get("Accept-Encoding")}
		if diff := cmp.Diff([]string{"bytes=2-", want, "identity"}, got); diff != "" {
			t.Errorf("headers sent (-want +got):\n%s", diff)
		}
	}
}

// TestClient_Do_restCounts checks that what has come counts against the limit.
func TestClient_Do_restCounts(t *testing.T) {
	c := newClient(t, func(cfg *fetch.Config) { cfg.MaxBytes = 3 })
	m := marked(t, c, okHead+"ETag: \"a\"\r\n", 2)
	for _, head := range []string{"Content-Length: 2\r\n", "Connection: close\r\n"} {
		resp, err := c.Do(t.Context(), fetch.Ask{
			URL: raw(t, say("HTTP/1.1 206 OK\r\nETag: \"a\"\r\nContent-Range: bytes 2-3/4\r\n"+head+"\r\ncd")), After: m,
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.ReadAll(resp.Body)
		checkClass(t, err, paper.TooLarge)
		resp.Body.Close()
	}
}

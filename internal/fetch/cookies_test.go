package fetch_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/quire-dev/quire/internal/fetch"
)

func TestCookies(t *testing.T) {
	const at = "https://www.a.example.org/dir/page?secret"
	tests := map[string]struct {
		set  []string
		url  string
		want string
	}{
		"back to its host":        {[]string{"a=b"}, "https://www.a.example.org/dir/x", "a=b"},
		"two":                     {[]string{"a=b", "c=d; Path=/"}, "https://www.a.example.org/dir/x", "a=b; c=d"},
		"set again":               {[]string{"a=b; Path=/", "a=c; Path=/"}, "https://www.a.example.org/", "a=c"},
		"taken back":              {[]string{"a=b; Path=/", "a=; Path=/; Max-Age=0"}, "https://www.a.example.org/", ""},
		"other path":              {[]string{"a=b; Path=/dir"}, "https://www.a.example.org/x", ""},
		"other host":              {[]string{"a=b; Path=/"}, "https://b.example.org/", ""},
		"sibling by domain":       {[]string{"a=b; Path=/; Domain=example.org"}, "https://b.example.org/", "a=b"},
		"foreign domain":          {[]string{"a=b; Path=/; Domain=other.org"}, "https://other.org/", ""},
		"public suffix":           {[]string{"a=b; Path=/; Domain=org"}, "https://other.org/", ""},
		"secure, then plain HTTP": {[]string{"a=b; Path=/; Secure"}, "http://www.a.example.org/", ""},
		"expired":                 {[]string{"a=b; Path=/; Expires=Mon, 02 Jan 2006 15:04:05 GMT"}, "https://www.a.example.org/", ""},
		"not a cookie":            {[]string{"=", "a b=c", ""}, "https://www.a.example.org/dir/", ""},
		"control characters":      {[]string{"a=b\x01c; Path=/"}, "https://www.a.example.org/", ""},
		"too long":                {[]string{"a=" + strings.Repeat("x", 5000), "c=d"}, "https://www.a.example.org/dir/", "c=d"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			set := fetch.Cookies(nil).With(&fetch.Response{URL: at, Header: http.Header{"Set-Cookie": tt.set}})
			text, err := json.Marshal(set)
			if err != nil || strings.Contains(string(text), "secret") {
				t.Errorf("kept as %s (%v)", text, err)
			}
			var kept fetch.Cookies
			if err := json.Unmarshal(text, &kept); err != nil {
				t.Fatal(err)
			}
			if got := kept.For(tt.url); got != tt.want {
				t.Errorf("Cookie: %q, want %q", got, tt.want)
			}
		})
	}
}

// D 103: a flood of cookies is kept within bounds, over any number of answers.
func TestCookies_flood(t *testing.T) {
	var all fetch.Cookies
	for n := range 50 {
		header := http.Header{}
		for i := range 1000 {
			header.Add("Set-Cookie", fmt.Sprintf("c%d-%d=%s", n, i, strings.Repeat("x", n*8)))
		}
		all = all.With(&fetch.Response{URL: "https://a.example.org/", Header: header})
	}
	size := 0
	for _, c := range all {
		size += len(c.URL) + len(c.Set)
	}
	if len(all) == 0 || len(all) > 20 || size > 4<<10 {
		t.Errorf("%d cookies of %d bytes are kept, want at most 20 of 4 KiB", len(all), size)
	}
}

// Cookies are sent with the request that is given them and with no other.
func TestClient_Do_cookies(t *testing.T) {
	var sent []string
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		sent = append(sent, r.Header.Get("Cookie"))
		w.Header().Set("Set-Cookie", "a=b")
	})
	c := newClient(t, nil)
	var cookies fetch.Cookies
	for range 2 {
		resp, err := c.Do(t.Context(), fetch.Ask{URL: url, Cookies: cookies})
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		cookies = cookies.With(resp)
	}
	open(t, c, url)
	if fmt.Sprintf("%q", sent) != `["" "a=b" ""]` {
		t.Errorf("cookies sent: %q", sent)
	}
}

package harvest

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/quire-dev/quire/internal/testweb"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// A host that wants its cookie back gets it, in one download and no further.
func TestStep_cookies(t *testing.T) {
	one, _ := versions()
	file := testweb.File("application/pdf", one)
	everywhere := testweb.Announce("Set-Cookie", "a=b; Path=/")
	tests := map[string]struct {
		site, next http.Handler // site.example, next.example
		state      queue.State
		class      paper.Class
		sent       string // cookies, in the order of the requests
	}{
		"D 103: wanted back":           {testweb.CookieWall()(file), nil, queue.Done, "", "[ seen=1]"},
		"D 103: set, but not seen":     {everywhere(testweb.Redirect(302, "/a.pdf")), nil, queue.Error, paper.RedirectLoop, "[ a=b]"},
		"D 103: not for another host":  {everywhere(testweb.Redirect(302, "https://next.example/")), everywhere(file), queue.Done, "", "[ ]"},
		"D 108: a loop without":        {testweb.Redirect(302, "/a.pdf"), nil, queue.Error, paper.RedirectLoop, "[]"},
		"D 103: for the next, resumed": {testweb.CookieWall()(testweb.First(1, testweb.Truncate(40_000))(file)), nil, queue.Done, "", "[ seen=1 seen=1]"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, same)
			var sent []string
			note := func(h http.Handler) http.Handler {
				return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					sent = append(sent, r.Header.Get("Cookie"))
					h.ServeHTTP(rw, r)
				})
			}
			b.web.Host("site.example", tt.site, note)
			b.web.Host("next.example", tt.next, note)
			out := b.end()
			if out.State != tt.state || out.Class != string(tt.class) || fmt.Sprint(sent) != tt.sent {
				t.Errorf("ended as %s %q (%s), cookies sent %q, want %s %q, %s", out.State, out.Class, out.Error, sent, tt.state, tt.class, tt.sent)
			}
			sent = nil
			b.job = newJob(t, b.h) // another one for the same URL
			if b.step(); sent[0] != "" {
				t.Errorf("the next job sent %q", sent[0])
			}
		})
	}
}

package wall

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/quire-dev/quire/internal/corpus"
	"github.com/quire-dev/quire/paper"
)

func TestParse(t *testing.T) {
	const row = "- {class: gone, note: n, source: s"
	for text, want := range map[string]string{
		row + ", title: [a]}":                "",
		row + ", header: 'a: b'}":            "",
		row + "}":                            "one of title",
		row + ", title: [a], body: [b]}":     "one of title",
		row + ", title: [A]}":                "lower case",
		row + ", body: [b], thin: true}":     "thin is of a title",
		row + ", body: [b], small: -1}":      "negative",
		row + ", bdy: [b]}":                  "bdy",
		"- {class: gone, note: n, url: [a]}": "must be given",
		"class: gone":                        "parse walls",
	} {
		if _, err := parse([]byte(text)); (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got error %v, want one with %q", text, err, want)
		}
	}
}

// Each class is one of the closed list.
func TestSigns_classes(t *testing.T) {
	for _, s := range Signs() {
		if !slices.Contains(paper.Classes(), paper.Class(s.Class)) {
			t.Errorf("%s: no class %q", s.Note, s.Class)
		}
	}
	if n := len(Signs()); n < 40 {
		t.Errorf("the shipped table has %d rows", n)
	}
}

func TestFind(t *testing.T) {
	big := strings.Repeat("x", 70_000)
	tests := map[string]struct {
		page Page
		want string
	}{
		"title":              {Page{Title: "Just a\n moment..."}, "challenge"},
		"body":               {Page{Body: []byte("<script>window._cf_chl_opt={}")}, "challenge"},
		"field":              {Page{Header: http.Header{"Cf-Mitigated": {"Challenge"}}}, "challenge"},
		"field of any value": {Page{Header: http.Header{"X-Amzn-Waf-Action": {"captcha"}}}, "challenge"},
		"another value":      {Page{Header: http.Header{"Cf-Mitigated": {"none"}}}, ""},
		"address":            {Page{URL: "https://a.example/action/showLogin?uri=/x"}, "login_wall"},
		"host":               {Page{URL: "https://consent.google.co.uk/m?continue=x"}, "cookie_wall"},
		"in the query only":  {Page{URL: "https://a.example/x?from=/action/showLogin"}, ""},
		"no address":         {Page{URL: "://"}, ""},
		"small":              {Page{Body: []byte("Verify you are human")}, "challenge"},
		"not small":          {Page{Body: []byte("Verify you are human" + big)}, ""},
		"not small by size":  {Page{Body: []byte("Verify you are human"), Size: 70_000}, ""},
		"small, of a work":   {Page{Body: []byte("Verify you are human"), Cites: true}, ""},
		"thin":               {Page{Title: "404 Not Found"}, ""},
		"Cloudflare's jsd":   {Page{Body: []byte(`<html><script src="/cdn-cgi/challenge-platform/scripts/jsd/main.js"></script>`)}, ""},
		"captcha in a form":  {Page{Body: []byte(`<html><form><div class="g-recaptcha"></div></form>`)}, ""},
		"Imperva's script":   {Page{Body: []byte(`<script src="/_Incapsula_Resource?SWJIYLWA=7"></script>`), Size: 9000}, ""},
	}
	for name, tt := range tests {
		if s, found := Find(tt.page); s.Class != tt.want || found != (tt.want != "") {
			t.Errorf("%s: got %q (%s), want %q", name, s.Class, s.Note, tt.want)
		}
	}
}

func TestThin(t *testing.T) {
	tests := map[string]struct {
		class  string
		strict bool
	}{
		"404":                            {"gone", true},
		"404 Not Found":                  {"gone", true},
		"404 - The page is missing":      {"gone", true},
		"Page not found | Journal":       {"gone", true},
		"Gone with the wind":             {"gone", false},
		"500 years of solitude":          {"transient", false},
		"503 Service Unavailable":        {"transient", true},
		"Sign in":                        {"login_wall", true},
		"Sign in to read":                {"login_wall", false},
		"Cookie consent":                 {"cookie_wall", true},
		"Access Denied":                  {"challenge", true},
		"The gone and the dead":          {"", false},
		"On the 404 error":               {"", false},
		"":                               {"", false},
		"Security verification required": {"challenge", false},
	}
	for title, want := range tests {
		if s, _ := Thin(title, false); s.Class != want.class {
			t.Errorf("%s: got %q, want %q", title, s.Class, want.class)
		}
		if s, _ := Thin(title, true); (s.Class != "") != want.strict {
			t.Errorf("%s, strictly: got %q", title, s.Class)
		}
	}
}

func TestTitle(t *testing.T) {
	for page, want := range map[string]string{
		"<HTML><TITLE lang=en>A\nb</TITLE>": "A\nb",
		"<title>open":                       "open",
		"<title":                            "",
		"no title":                          "",
		"<title>" + strings.Repeat("a", 300) + "<": strings.Repeat("a", 256),
	} {
		if got := Title([]byte(page)); got != want {
			t.Errorf("%.40q: got %q, want %q", page, got, want)
		}
	}
}

// The recorded walls are known by their first 16 KiB, and no other page is one.
func TestFind_corpus(t *testing.T) {
	walls := map[string]string{
		"challenge_js": "challenge", "captcha": "challenge", "access_denied": "challenge", "waf_redirect": "challenge",
		"doi_not_found": "not_found_id",
	}
	for _, row := range corpus.JSONL[struct{ File, Class, URL string }](t, "html", "index.jsonl") {
		body := corpus.Read(t, row.File)
		head := body[:min(len(body), 16<<10)]
		s, _ := Find(Page{Title: Title(head), Body: head, Size: int64(len(body)), URL: row.URL})
		if s.Class != walls[row.Class] {
			t.Errorf("%s: got %q (%s), want %q", row.File, s.Class, s.Note, walls[row.Class])
		}
	}
}

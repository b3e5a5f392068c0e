package resolver

import (
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestParsePlatforms(t *testing.T) {
	const row = "- {platform: p, page: ^x, to: y, source: s"
	for text, want := range map[string]string{
		row + "}":                           "",
		row + ", kind: xml, link: l}":       "",
		row + ", clss: [a]}":                "clss",
		row + ", kind: landing}":            `kind is "landing"`,
		row + ", class: [a]}":               "which is missing",
		row + ", text: a}":                  "which is missing",
		row + ", generator: OJS}":           "lower case",
		row + ", link: '('}":                "missing closing",
		"- {platform: p, page: ^x}":         "must be given",
		"- {page: ^x, to: y}":               "must be given",
		"- {platform: p, to: y}":            "must be given",
		"- {platform: p, to: y, source: s}": "neither page nor link",
		"platform: p":                       "parse platforms",
	} {
		if _, err := parsePlatforms([]byte(text)); (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got error %v, want one with %q", text, err, want)
		}
	}
	if n := len(platforms()); n < 15 {
		t.Errorf("the shipped table has %d rows", n)
	}
}

func TestParseRewrites(t *testing.T) {
	for text, want := range map[string]string{
		"- {name: n, match: a, to: '', source: s}": "",
		"- {name: n, match: '(', source: s}":       "missing closing",
		"- {name: n, match: a}":                    "must be given",
		"- {name: n, match: a, source: s, too: b}": "too",
	} {
		if _, err := parseRewrites([]byte(text)); (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got error %v, want one with %q", text, err, want)
		}
	}
	if len(rewrites()) == 0 {
		t.Error("the shipped table is empty")
	}
}

func TestHeaderLinks(t *testing.T) {
	tests := map[string]struct {
		values []string
		want   []pageLink
	}{
		"none":             {[]string{"", "rel=item", "<unclosed"}, nil},
		"words and quotes": {[]string{`</a>; rel=item; type="application/pdf"`}, []pageLink{{href: "/a", rel: "item", kind: "application/pdf"}}},
		"marks in quotes":  {[]string{`<a,b;c>; title="x, y; \"z\" <q>"; rel="item"`}, []pageLink{{href: "a,b;c", rel: "item", title: `x, y; "z" <q>`}}},
		"spaces":           {[]string{"<a> ;\trel = item , , <b>;rel= item"}, []pageLink{{href: "a", rel: "item"}, {href: "b", rel: "item"}}},
		"fields":           {[]string{"<a>; rel=x", "<b>"}, []pageLink{{href: "a", rel: "x"}, {href: "b"}}},
		"the first rel":    {[]string{"<a>; rel=item; rel=license; REL=x"}, []pageLink{{href: "a", rel: "item"}}},
		"another page":     {[]string{`<a>; rel=item; anchor="#x", <b>; rel=item`}, []pageLink{{href: "b", rel: "item"}}},
		"no value":         {[]string{"<a>; crossorigin; rel=item; x=, <b>"}, []pageLink{{href: "a", rel: "item"}, {href: "b"}}},
		"broken":           {[]string{"<a>; rel=item junk, <b> junk, <c>"}, []pageLink{{href: "a", rel: "item junk"}, {href: "b"}, {href: "c"}}},
		"open quote":       {[]string{`<a>; rel="item, <b>`}, []pageLink{{href: "a", rel: "item, <b>"}}},
		"open escape":      {[]string{`<a>; rel="item\`}, []pageLink{{href: "a", rel: `item\`}}},
		"comma first":      {[]string{`<a>; type="application/pdf",; rel=item`}, []pageLink{{href: "a", kind: "application/pdf"}}},
	}
	for name, tt := range tests {
		got := headerLinks(http.Header{"Link": tt.values})
		if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(pageLink{})); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if n := len(headerLinks(http.Header{"Link": {strings.Repeat("<a>,", 1000), "<b>"}})); n != maxMetas {
		t.Errorf("%d links of 1001", n)
	}
	long := "<" + strings.Repeat("a", maxLinkHeader) + ">; rel=item"
	if got := headerLinks(http.Header{"Link": {long, "<b>; rel=item"}}); got != nil {
		t.Errorf("read beyond %d bytes: %d links", maxLinkHeader, len(got))
	}
}

func FuzzHeaderLinks(f *testing.F) {
	f.Add(`</a>; rel="item license"; type=application/pdf, <b>;title="\"";anchor=x`)
	f.Add(`<a>;=;;"`)
	f.Add(",;<>")
	f.Fuzz(func(t *testing.T, value string) {
		links := headerLinks(http.Header{"Link": {value}})
		if len(links) > maxMetas {
			t.Errorf("%d links", len(links))
		}
		for _, link := range links {
			if link.href == "" || !strings.Contains(value, link.href) || len(link.rel)+len(link.kind)+len(link.title) > len(value) {
				t.Errorf("%q gives %+v", value, link)
			}
			if utf8.ValidString(value) && !utf8.ValidString(link.rel+link.kind+link.title) {
				t.Errorf("%q: a character is cut: %+v", value, link)
			}
		}
	})
}

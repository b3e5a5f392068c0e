package resolver

import (
	"strings"
	"testing"

	"golang.org/x/net/html"
)

const selectorPage = `<!doctype html><body id=top><div class="box main"><p>one <a id=first href=/1.pdf>PDF</a></p>
<p class=links><a data-kind="Full-Text" href=/2.pdf lang=en-GB>PDF <b>now</b></a> <a class="pdf big" href=/3.html>page</a></p></div>
<ul><li>1<li class=x>2<li>3<a href=/4.pdf>four</a></ul><a href="/5.pdf?download=1" id=a.b>five</a></body>`

func TestSelector(t *testing.T) {
	page, err := html.Parse(strings.NewReader(selectorPage))
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]string{ // the href, or the name, of each that is selected
		"a":                             "/1.pdf /2.pdf /3.html /4.pdf /5.pdf?download=1",
		"#first":                        "/1.pdf",
		"a#first":                       "/1.pdf",
		"p#first":                       "",
		".pdf":                          "/3.html",
		".big.pdf":                      "/3.html",
		"a.pdf.small":                   "",
		"div a":                         "/1.pdf /2.pdf /3.html",
		"div > a":                       "",
		"div > p > a":                   "/1.pdf /2.pdf /3.html",
		"body>ul a":                     "/4.pdf",
		"a + a":                         "/3.html",
		"p + p a":                       "/2.pdf /3.html",
		"div ~ a":                       "/5.pdf?download=1",
		"ul ~ div":                      "",
		"li + li + li a":                "/4.pdf",
		"li.x ~ li > a":                 "/4.pdf",
		"a[data-kind]":                  "/2.pdf",
		"[data-kind='full-text' i]":     "/2.pdf",
		"[data-kind='full-text']":       "",
		`a[href$=".pdf"]`:               "/1.pdf /2.pdf /4.pdf",
		"a[href^='/5']":                 "/5.pdf?download=1",
		"a[href*=download]":             "/5.pdf?download=1",
		"a[href*='']":                   "",
		"a[lang|=en]":                   "/2.pdf",
		"a[class~=big]":                 "/3.html",
		"a[class=big]":                  "",
		`#a\.b`:                         "/5.pdf?download=1",
		"p:first-child a":               "/1.pdf",
		"li:nth-child(2)":               "li",
		"li:not(.x) a":                  "/4.pdf",
		"a:not([id])":                   "/2.pdf /3.html /4.pdf",
		"#nothing, .links b, a#first":   "/1.pdf b",
		"*#top > *":                     "div ul /5.pdf?download=1",
		"DIV A.big":                     "/3.html",
		"div p a, p a":                  "/1.pdf /2.pdf /3.html",
		" body\t>\nul\n":                "ul",
		"html > body > div > p > a > b": "b",
	}
	for text, want := range tests {
		sel, err := parseSelector(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var got []string
		for n := range 20 {
			element := sel.nth(page, n)
			if element == nil {
				break
			}
			name := attributeOf(element, "href")
			if name == "" {
				name = element.Data
			}
			got = append(got, name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: selects %q, want %q", text, got, want)
		}
	}
}

func TestParseSelector_refused(t *testing.T) {
	for _, text := range []string{
		"", " ", ",", "a,", ",a", "a,,b", ">", "> a", "a >", "a > > b", "a + + b", "#", ".", "a.", "[", "a[", "a[]", "a[href", "a[href=", "a[href=]",
		"a[href='x]", "a[=x]", "a]", "a)", "a:has(b)", "a::before", "a:nth-child(2n)", "a:nth-child(0)", "a:nth-child(", "a:not()", "a:not(:not(b))",
		"a:not(b c)", "a:not(b.c)", "a:hover", "a||b", "a{}", "a/b", "@import", `a\`, "a[href!=x]", "[=''i\xe8", strings.Repeat("a", maxSelector+1),
		strings.Repeat("a ", maxCompounds) + "a",
	} {
		if sel, err := parseSelector(text); err == nil || len(err.Error()) > 200 {
			t.Errorf("%.60q: got %v, error %v", text, sel, err)
		}
	}
}

// A page made to be slow takes a time that grows with its size only: a matcher that
// tries all ways to fit the chain would not end before the test is stopped.
func TestSelector_takesOnePass(t *testing.T) {
	sel, err := parseSelector("i ~ a ~ a ~ a ~ a ~ a ~ b, u a a a a a a b, a:nth-child(7) + a ~ b")
	if err != nil {
		t.Fatal(err)
	}
	flat := strings.Repeat("<a></a>", 100_000)
	deep := strings.Repeat(strings.Repeat("<div><a class='"+strings.Repeat("x ", 10)+"'>", 50)+strings.Repeat("</a></div>", 50), 1000)
	for name, text := range map[string]string{"many": flat, "deep": deep} {
		page, err := html.Parse(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if found := sel.nth(page, 0); found != nil {
			t.Errorf("%s: found %v", name, found)
		}
	}
}

func FuzzSelector(f *testing.F) {
	for _, seed := range []string{"a", "div > p.x[href$='.pdf' i]:not(#y), b ~ c", "a:nth-child(2) + b", `#a\.b`, "[", "a[x=']'"} {
		f.Add(seed, selectorPage)
	}
	f.Fuzz(func(t *testing.T, text, page string) {
		sel, err := parseSelector(text)
		if err != nil {
			return
		}
		root, err := html.Parse(strings.NewReader(page))
		if err != nil {
			return
		}
		if found := sel.nth(root, 0); found != nil && found.Type != html.ElementNode {
			t.Errorf("%q selects %+v", text, found)
		}
	})
}

// Package wall knows how pages show that they are a wall (a challenge, a captcha, a
// sign-in or consent page) or nothing at all (a soft 404), instead of what was asked
// for. The signs are a table, walls.yaml.
package wall

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
)

//go:embed walls.yaml
var wallsYAML []byte

// Sign is a row of the table. The head of walls.yaml says what the fields mean.
type Sign struct {
	Class  string   `yaml:"class"` // a paper.Class
	Note   string   `yaml:"note"`
	Title  []string `yaml:"title"`
	Body   []string `yaml:"body"`
	URL    []string `yaml:"url"`
	Header string   `yaml:"header"`
	Small  int64    `yaml:"small"`
	Thin   bool     `yaml:"thin"`
	Source string   `yaml:"source"`
}

// Page is what is known of a page. All of it is optional.
type Page struct {
	Title  string
	Body   []byte // or its beginning
	Size   int64  // of the page; 0: that of Body
	URL    string // where it was in the end
	Header http.Header
	Cites  bool // it names the work it is about, as no small wall does
}

// signs returns the shipped table, which is read when the first page is.
var signs = sync.OnceValue(func() []Sign { //nolint:gochecknoglobals // a table, never written
	rows, err := parse(wallsYAML)
	if err != nil {
		panic("embedded walls.yaml: " + err.Error()) // a broken build; tests read the table
	}
	return rows
})

// Signs returns the table. It must not be changed.
func Signs() []Sign { return signs() }

// parse reads a table strictly.
func parse(text []byte) ([]Sign, error) {
	var rows []Sign
	if err := yaml.UnmarshalWithOptions(text, &rows, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("parse walls: %w", err)
	}
	for i, s := range rows {
		if err := s.check(); err != nil {
			return nil, fmt.Errorf("wall %q, row %d: %w", s.Note, i+1, err)
		}
	}
	return rows, nil
}

func (s Sign) check() error {
	kinds := 0
	for _, texts := range [][]string{s.Title, s.Body, s.URL, {s.Header}} {
		if len(texts) > 0 && texts[0] != "" {
			kinds++
		}
		for _, text := range texts {
			if text != strings.ToLower(text) {
				return fmt.Errorf("%q is not in lower case", text)
			}
		}
	}
	switch {
	case s.Class == "" || s.Note == "" || s.Source == "":
		return errors.New("class, note and source must be given")
	case kinds != 1:
		return errors.New("one of title, body, url and header must be given")
	case s.Thin && len(s.Title) == 0:
		return errors.New("thin is of a title")
	case s.Small < 0:
		return errors.New("small must not be negative")
	}
	return nil
}

// Find returns the first sign that a page bears, apart from those of thin pages.
func Find(p Page) (s Sign, found bool) {
	title, body, where := plain(p.Title), bytes.ToLower(p.Body), ""
	if u, err := url.Parse(p.URL); err == nil && u.Host != "" {
		where = strings.ToLower("//" + u.Host + u.EscapedPath())
	}
	size := max(p.Size, int64(len(p.Body)))
	for _, s := range signs() {
		if s.Thin || s.Small > 0 && (p.Cites || size > s.Small) {
			continue
		}
		if s.titled(title, false) != "" || s.holds(body) || s.at(where) || s.sent(p.Header) {
			return s, true
		}
	}
	return Sign{}, false
}

// Thin returns the sign that the title of a page with little on it begins with, and
// how it does: one of any row, or in a strict search one of those of thin pages, where
// the title must end there, or go on with a mark: "Not found | Journal", but not "Gone
// with the wind".
func Thin(title string, strict bool) (s Sign, begin string) {
	title = plain(title)
	for _, s := range signs() {
		if !s.Thin && strict {
			continue
		}
		if begin := s.titled(title, strict); begin != "" {
			return s, begin
		}
	}
	return Sign{}, ""
}

// Title returns the title of a page, by its first bytes.
func Title(page []byte) string {
	lower := bytes.ToLower(page)
	at := bytes.Index(lower, []byte("<title"))
	if at < 0 || len(lower) != len(page) {
		return ""
	}
	from := bytes.IndexByte(page[at:], '>')
	if from < 0 {
		return ""
	}
	text, _, _ := bytes.Cut(page[at+from+1:], []byte("<"))
	return string(text[:min(len(text), 256)])
}

// plain is a title in lower case, with single spaces.
func plain(title string) string { return strings.Join(strings.Fields(strings.ToLower(title)), " ") }

func (s Sign) titled(title string, strict bool) (begin string) {
	for _, begin := range s.Title {
		rest, ok := strings.CutPrefix(title, begin)
		next, _ := utf8.DecodeRuneInString(strings.TrimLeft(rest, " "))
		if ok && (!strict || rest == "" || !unicode.IsLetter(next) && !unicode.IsDigit(next)) {
			return begin
		}
	}
	return ""
}

func (s Sign) holds(body []byte) bool {
	for _, text := range s.Body {
		if bytes.Contains(body, []byte(text)) {
			return true
		}
	}
	return false
}

func (s Sign) at(where string) bool {
	for _, text := range s.URL {
		if strings.Contains(where, text) {
			return true
		}
	}
	return false
}

func (s Sign) sent(header http.Header) bool {
	name, value, exact := strings.Cut(s.Header, ": ")
	got := header.Get(name)
	return name != "" && got != "" && (!exact || strings.EqualFold(got, value))
}

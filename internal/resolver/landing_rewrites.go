package resolver

import (
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"
)

//go:embed landing_rewrites.yaml
var rewritesYAML []byte

// rewrite is a row of the table as it is written.
type rewrite struct {
	Name   string `yaml:"name"`
	Match  string `yaml:"match"`
	To     string `yaml:"to"`
	Source string `yaml:"source"`

	match *regexp.Regexp
}

// rewrites returns the shipped table, which is read when the first page is.
var rewrites = sync.OnceValue(func() []rewrite { //nolint:gochecknoglobals // a table, never written
	rows, err := parseRewrites(rewritesYAML)
	if err != nil {
		panic("embedded landing_rewrites.yaml: " + err.Error()) // a broken build; tests read the table
	}
	return rows
})

// parseRewrites reads the table strictly.
func parseRewrites(text []byte) ([]rewrite, error) {
	var rows []rewrite
	if err := yaml.UnmarshalWithOptions(text, &rows, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("parse rewrites: %w", err)
	}
	for i := range rows {
		var err error
		switch r := &rows[i]; {
		case r.Name == "", r.Match == "", r.Source == "":
			err = errors.New("name, match and source must be given")
		default:
			r.match, err = regexp.Compile(r.Match)
		}
		if err != nil {
			return nil, fmt.Errorf("rewrite %q, row %d: %w", rows[i].Name, i+1, err)
		}
	}
	return rows, nil
}

// mend returns the address of the file behind one that a page gives, or "" if
// there is none: viewers are looked through, known readers and previews replaced,
// and a site that is being read over TLS is not asked without.
func mend(u, at *url.URL) string {
	if file := viewed(u); file != nil {
		u = file
	}
	if u.Scheme == "http" && at.Scheme == "https" && strings.EqualFold(u.Host, at.Host) {
		secure := *u
		secure.Scheme = "https"
		u = &secure
	}
	file := u.String()
	for _, row := range rewrites() {
		if found := row.match.FindStringSubmatchIndex(file); found != nil {
			file = string(row.match.ExpandString(nil, row.To, file, found))
		}
	}
	return file
}

// viewed returns the file that a viewer is told to show, or nil if u is none: pdf.js
// and its like take it as file=, Google's as url=.
func viewed(u *url.URL) *url.URL {
	path, name := strings.ToLower(u.Path), "file"
	switch {
	case u.Hostname() == "docs.google.com":
		name = "url"
	case !strings.Contains(path, "viewer") && !strings.Contains(path, "pdf.js") && !strings.Contains(path, "pdfjs"):
		return nil
	}
	ref := strings.TrimSpace(u.Query().Get(name))
	if ref == "" {
		return nil
	}
	file, err := u.Parse(strings.ReplaceAll(ref, " ", "%20"))
	if err != nil {
		return nil
	}
	return file
}

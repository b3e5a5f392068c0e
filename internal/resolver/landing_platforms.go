package resolver

import (
	_ "embed"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"

	"github.com/quire-dev/quire/paper"
)

//go:embed landing_platforms.yaml
var platformsYAML []byte

// platform is a row of the table as it is written. The head of the file says
// what the fields mean.
type platform struct {
	Name      string     `yaml:"platform"`
	Kind      paper.Kind `yaml:"kind"`
	Generator string     `yaml:"generator"`
	Meta      string     `yaml:"meta"`
	Page      string     `yaml:"page"`
	Link      string     `yaml:"link"`
	Class     []string   `yaml:"class"`
	Text      string     `yaml:"text"`
	To        string     `yaml:"to"`
	Source    string     `yaml:"source"`

	page, link, text *regexp.Regexp // nil if there is nothing to match
}

// platforms returns the shipped table, which is read when the first page is.
var platforms = sync.OnceValue(func() []platform { //nolint:gochecknoglobals // a table, never written
	rows, err := parsePlatforms(platformsYAML)
	if err != nil {
		panic("embedded landing_platforms.yaml: " + err.Error()) // a broken build; tests read the table
	}
	return rows
})

// parsePlatforms reads the table strictly.
func parsePlatforms(text []byte) ([]platform, error) {
	var rows []platform
	if err := yaml.UnmarshalWithOptions(text, &rows, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("parse platforms: %w", err)
	}
	for i := range rows {
		if err := rows[i].compile(); err != nil {
			return nil, fmt.Errorf("platform %q, row %d: %w", rows[i].Name, i+1, err)
		}
	}
	return rows, nil
}

func (p *platform) compile() error {
	if p.Kind == "" {
		p.Kind = paper.PDF
	}
	switch {
	case p.Name == "", p.To == "", p.Source == "":
		return errors.New("platform, to and source must be given")
	case p.Kind != paper.PDF && p.Kind != paper.XML && p.Kind != paper.HTML:
		return fmt.Errorf("kind is %q, must be pdf, xml or html", p.Kind)
	case p.Page == "" && p.Link == "":
		return errors.New("neither page nor link is given")
	case p.Link == "" && (len(p.Class) > 0 || p.Text != ""):
		return errors.New("class and text are of a link, which is missing")
	case p.Generator != strings.ToLower(p.Generator), p.Meta != strings.ToLower(p.Meta):
		return errors.New("generator and meta are in lower case")
	}
	for _, e := range []struct {
		text string
		to   **regexp.Regexp
	}{{p.Page, &p.page}, {p.Link, &p.link}, {p.Text, &p.text}} {
		if e.text == "" {
			continue
		}
		compiled, err := regexp.Compile(e.text)
		if err != nil {
			return err
		}
		*e.to = compiled
	}
	return nil
}

// byPlatform finds the files of one kind by the rules of the software that made
// the page, and says which it is.
func byPlatform(kind paper.Kind, p pageFacts) (refs []string, name string) {
	if p.dataset() {
		return nil, ""
	}
	for _, row := range platforms() {
		if row.Kind != kind || !row.made(p) {
			continue
		}
		if refs = row.find(p); len(refs) > 0 {
			return refs, row.Name
		}
	}
	return nil, ""
}

// made reports whether the page bears the platform's signs.
func (row *platform) made(p pageFacts) bool {
	return strings.Contains(strings.ToLower(p.doc.firstMeta("generator")), row.Generator) &&
		(row.Meta == "" || p.doc.firstMeta(row.Meta) != "") &&
		(row.page == nil || row.page.MatchString(p.address()))
}

func (row *platform) find(p pageFacts) []string {
	if row.link == nil {
		found := row.page.FindStringSubmatchIndex(p.address())
		return []string{string(row.page.ExpandString(nil, row.To, p.address(), found))}
	}
	var refs []string
	work, several := "", false
	for _, a := range p.doc.anchors {
		if !row.fits(a) {
			continue
		}
		target := p.resolve(a.href)
		found := row.link.FindStringSubmatchIndex(target)
		if found == nil || otherFile.MatchString(target) {
			continue
		}
		ref := string(row.link.ExpandString(nil, row.To, target, found))
		of := ref
		if i := row.link.SubexpIndex("work"); i > 0 {
			of = target[found[2*i]:found[2*i+1]]
		}
		several = several || work != "" && work != of
		work, refs = of, append(refs, ref)
	}
	if several {
		return nil
	}
	return refs
}

// fits reports whether a link has the classes and the text that the row asks for.
func (row *platform) fits(a pageLink) bool {
	if row.text != nil && !row.text.MatchString(strings.TrimSpace(a.text)) {
		return false
	}
	has := strings.Fields(strings.ToLower(a.class))
	return !slices.ContainsFunc(row.Class, func(c string) bool { return !slices.Contains(has, c) })
}

package cli

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire"
)

// zotero is an array as it stands in extensions.zotero.findPDFs.resolvers
// (https://www.zotero.org/support/kb/custom_pdf_resolvers), but for the names.
const zotero = `[{
    "name": "my-paper-source", "method": "GET", "url": "https://papers.example/{doi}",
    "mode": "html", "selector": "#pdf-link", "attribute": "href", "automatic": false
}, {
    "name": "my-unpaywall", "method": "GET", "url": "https://api.unpaywall.org/v2/{doi}?email=me@university.edu", "mode": "json",
    "selector": ".oa_locations", "mappings": {"url": "url_for_pdf", "pageURL": "url_for_landing_page"}, "automatic": true
}]`

func TestConfig_customOfZotero(t *testing.T) {
	for source, load := range map[string]func() (*loaded, error){
		"file": func() (*loaded, error) {
			return loadConfig(writeConfig(t, "resolvers:\n  custom: "+zotero+"\n"), true, nil, nil)
		},
		"environment": func() (*loaded, error) {
			return loadConfig("", false, []string{"QUIRE_RESOLVERS_CUSTOM=" + zotero}, nil)
		},
	} {
		t.Run(source, func(t *testing.T) {
			l, err := load()
			if err != nil {
				t.Fatal(err)
			}
			sources := l.Config.library().Sources
			at := slices.IndexFunc(sources, func(s quire.Source) bool { return s.Custom != nil })
			want := []quire.Source{
				{Name: "my-paper-source", Custom: &quire.CustomSource{
					URL: "https://papers.example/{doi}", Mode: "html", Selector: "#pdf-link", Attribute: "href", Mappings: map[string]string{},
				}},
				{Name: "my-unpaywall", Custom: &quire.CustomSource{
					URL: "https://api.unpaywall.org/v2/{doi}?email=me@university.edu", Mode: "json", Selector: ".oa_locations",
					Mappings: map[string]string{"url": "url_for_pdf", "pageURL": "url_for_landing_page"},
				}},
				{Name: "landing"},
				{Name: "wayback"},
			}
			if diff := cmp.Diff(want, sources[at:]); diff != "" {
				t.Errorf("the last sources (-want +got):\n%s", diff)
			}
			text, err := l.YAML()
			if err != nil {
				t.Fatal(err)
			}
			again, err := loadConfig(writeConfig(t, string(text)), true, nil, nil)
			if err != nil {
				t.Fatalf("what is shown as a file: %v\n%s", err, text)
			}
			if diff := cmp.Diff(l.Config.Resolvers.Custom, again.Config.Resolvers.Custom); diff != "" {
				t.Errorf("shown and read again (-want +got):\n%s", diff)
			}
		})
	}
}

// A source of one's own can be named wherever a built-in one can.
func TestConfig_customIsNamed(t *testing.T) {
	path := writeConfig(t, `limits: {'resolver:mine': {per_minute: 5}}
orchestrator: {max_per_resolver: {mine: 1}}
resolvers:
  order: [mine, pmc]
  custom: [{name: mine, url: 'https://x.example/{doi}', mode: html, selector: a}]
`)
	l, err := loadConfig(path, true, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"mine", "pmc"}, l.Config.Resolvers.active()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	allowed := l.Config.library().Allowances()
	if l := allowed.Of("resolver:mine"); l.InFlight != 1 || l.Every.String() != "12s" || !slices.Contains(allowed.Named(), "resolver:mine") {
		t.Errorf("allowance: %+v", l)
	}
}

// The environment replaces the file's list, with its origins.
func TestConfig_customIsReplaced(t *testing.T) {
	path := writeConfig(t, "resolvers:\n  custom: "+zotero+"\n")
	l, err := loadConfig(path, true, []string{"QUIRE_RESOLVERS_CUSTOM=[{name: mine, url: 'https://x.example/{doi}', mode: html, selector: a}]"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []Origin
	for _, o := range l.Origins() {
		if o.From == "env QUIRE_RESOLVERS_CUSTOM" {
			got = append(got, Origin{Path: o.Path, Value: o.Value})
		} else if o.From != "default" {
			t.Errorf("%+v is left of the file", o)
		}
	}
	want := []Origin{
		{Path: "resolvers.custom[0].name", Value: "mine"},
		{Path: "resolvers.custom[0].url", Value: "https://x.example/{doi}"},
		{Path: "resolvers.custom[0].mode", Value: "html"},
		{Path: "resolvers.custom[0].selector", Value: "a"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// uncomment takes away each # that stands right before a setting.
func uncomment(text string) string {
	return regexp.MustCompile(`(?m)^( *)#(\S)`).ReplaceAllString(text, "$1$2")
}

// validator compiles what config schema prints.
func validator(t *testing.T) *jsonschema.Schema {
	t.Helper()
	code, text, said := runQuire(t, nil, "config", "schema")
	if code != exitOK {
		t.Fatalf("config schema: exit code %d, %s", code, said)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("quire.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("quire.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// validate holds a file in YAML against a schema.
func validate(t *testing.T, schema *jsonschema.Schema, text string) error {
	t.Helper()
	inJSON, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(inJSON))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(doc)
}

// The file that init writes changes nothing, with the # and without, and both are
// what the schema says.
func TestFile_isTheDefaults(t *testing.T) {
	schema := validator(t)
	want := defaultConfig()
	l := &loaded{Config: want}
	for name, text := range map[string]string{"as written": l.File(), "uncommented": uncomment(l.File())} {
		t.Run(name, func(t *testing.T) {
			got, err := loadConfig(writeConfig(t, text), true, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got.Config, cmp.AllowUnexported(secret{})); diff != "" {
				t.Errorf("-default +read\n%s", diff)
			}
			if err := validate(t, schema, text); err != nil {
				t.Errorf("the schema: %v", err)
			}
		})
	}
}

// Each setting that may be in the file is there, once, with its documentation above
// it where its kind comes first.
func TestFile_hasEverySetting(t *testing.T) {
	text := (&loaded{Config: defaultConfig()}).File()
	tree, err := parseYAML([]byte(uncomment(text)), linesOf("quire.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	has := map[string]bool{}
	var visit func(n node, path string)
	visit = func(n node, path string) {
		for _, p := range n.pairs {
			has[join(path, p.key)] = true
			visit(p.value, join(path, p.key))
		}
	}
	visit(tree, "")
	for _, k := range knownPaths(reflect.TypeFor[Config](), "") {
		if want := !refusedPath(k.path) && !strings.HasSuffix(k.path, ".api_key"); has[k.path] != want {
			t.Errorf("%s is in the file: %v, want %v", k.path, has[k.path], want)
		}
	}
	for _, words := range []string{
		"# requests in flight at once, over all keys; from 1 to 1024\n  #max_workers: 32\n", "; from 1ms to 24h\n", "; of published, accepted, submitted\n",
		"QUIRE_RESOLVERS_IDCONV_API_KEY", "# works that one request may ask a resolver for", "# of unpaywall alone: an index",
	} {
		if !strings.Contains(text, words) {
			t.Errorf("%q is not in the file:\n%s", words, text)
		}
	}
}

// What the command line says is set in the file.
func TestFile_given(t *testing.T) {
	sets := []setting{
		{"limits.host:arxiv.org.every", "3s"},
		{"limits.default_host.daily", "1000"},
		{"orchestrator.max_per_resolver.pmc", "1"},
		{"accept.licenses", "cc-by-4.0,cc0-1.0"},
		{"resolvers.custom", "[{name: mine, url: 'https://x.example/{doi}', mode: html, selector: 'a:not(b)'}]"},
		{"http.user_agent", "a: b # c"},
	}
	l, err := loadConfig("", false, nil, map[string]string{"contact": "a@library.edu"}, sets...)
	if err != nil {
		t.Fatal(err)
	}
	again, err := loadConfig(writeConfig(t, l.File()), true, nil, nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, l.File())
	}
	if diff := cmp.Diff(l.Config, again.Config, cmp.AllowUnexported(secret{})); diff != "" {
		t.Errorf("-written +read\n%s", diff)
	}
	if err := validate(t, validator(t), l.File()); err != nil {
		t.Error(err)
	}
}

// TestSchema_judges holds files against the schema that the program reads or
// refuses, too.
func TestSchema_judges(t *testing.T) {
	full, err := os.ReadFile(filepath.Join("testdata", "config", "full.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	schema := validator(t)
	for text, good := range map[string]bool{
		string(full): true, "{}": true, "contact: a@b.org\nretry:\nhttp: {}\n": true,
		"accept: {licenses: any, versions: 'published, accepted', max_bytes: 1000}":                            true,
		"orchestrator: {max_per_resolver: 'pmc=1,arxiv=2'}":                                                    true,
		"limits: {'host:a.org': {in_flight: 1, every: 1h30m}, 'resolver:pmc': {batch: 5}, 'host:b.org': null}": true,
		"resolvers:\n  custom: " + zotero:                                                                      true,

		"orchestrator: {max_wokers: 3}":                false,
		"max_workers: 3":                               false,
		"orchestrator: {max_workers: 0}":               false,
		"orchestrator: {max_workers: 1025}":            false,
		"orchestrator: {max_workers: 1.5}":             false,
		"orchestrator: {max_workers: many}":            false,
		"orchestrator: {max_per_resolver: {pmc: 0}}":   false,
		"orchestrator: {max_per_resolver: pmc}":        false,
		"retry: {base: 10}":                            false,
		"retry: {base: soon}":                          false,
		"retry: {factor: 11}":                          false,
		"accept: {versions: [final]}":                  false,
		"accept: {versions: final}":                    false,
		"accept: {formats: [pdf, docx]}":               false,
		"accept: {max_bytes: 5 parsecs}":               false,
		"limits: {arxiv.org: {in_flight: 1}}":          false,
		"limits: {'host:a.org': {in_flight: 65}}":      false,
		"limits: {'host:a.org': {in_flght: 1}}":        false,
		"limits: {default_host: {per_second: 0}}":      false,
		"resolvers: {pmc: {api_key: hunter2}}":         false,
		"resolvers: {custom: [{name: a, mode: xml}]}":  false,
		"resolvers: {custom: [{name: a, selectr: b}]}": false,
		"robots: {obey: perhaps}":                      false,
		"- contact":                                    false,
	} {
		if err := validate(t, schema, text); (err == nil) != good {
			t.Errorf("the schema on\n%s\n%v, want good: %v", text, err, good)
		}
		if _, err := loadConfig(writeConfig(t, text), true, nil, nil); (err == nil) != good {
			t.Errorf("the program on\n%s\n%v, want good: %v", text, err, good)
		}
	}
}

func TestInit(t *testing.T) {
	data := filepath.Join(t.TempDir(), "a", "b")
	path := filepath.Join(data, "quire.yaml")
	run := func(args ...string) (int, string, string) {
		return runQuire(t, nil, append([]string{"init", "--data", data}, args...)...)
	}
	code, out, said := run("--json")
	var got initialized
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != exitOK || said != "" || got != (initialized{Data: data, Config: path}) {
		t.Fatalf("exit code %d, %q, %q", code, out, said)
	}
	first, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	code, out, said = run("--contact", "a@library.edu")
	if code != exitFailed || out != "" || said != "quire: init: write "+path+": it is there already; --force replaces it\n" {
		t.Errorf("a second time: exit code %d, %q, %q", code, out, said)
	}
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, first) {
		t.Errorf("the file was changed, %v", err)
	}
	if code, _, said := run("--force", "--contact", "a@library.edu"); code != exitOK {
		t.Errorf("--force: exit code %d, %q", code, said)
	}
	if code, _, said := runQuire(t, nil, "config", "check", "--data", data); code != exitOK {
		t.Errorf("config check: exit code %d, %q", code, said)
	}
	if left, err := filepath.Glob(filepath.Join(data, "*")); err != nil || len(left) != 1 {
		t.Errorf("in the directory: %v, %v", left, err)
	}
}

func TestInit_refused(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	file := writeConfig(t, "")
	for name, tt := range map[string]struct {
		args []string
		code int
		want string
	}{
		"an argument":   {[]string{"thesis"}, exitUsage, "quire init takes no arguments"},
		"a placeholder": {[]string{"--contact", "you@example.org"}, exitConfig, "flag --contact: contact: \"you@example.org\" is a placeholder"},
		"no address":    {[]string{"--contact", "nobody"}, exitConfig, "is not an e-mail address"},
		"a setting":     {[]string{"--set", "retry.base=10"}, exitConfig, "retry.base"},
		"two settings":  {[]string{"--set", "retry.base=2h"}, exitConfig, "retry.max"},
		"a secret":      {[]string{"--set", "resolvers.core.api_key=hunter2"}, exitConfig, "command line"},
		"below a file":  {[]string{"--data", filepath.Join(file, "x")}, exitFailed, "init: create data directory: mkdir " + file},
		"a directory":   {[]string{"--config", filepath.Dir(file), "--force"}, exitFailed, "init: "},
		"nowhere":       {[]string{"--config", filepath.Join(data, "no", "such", "x.yaml")}, exitFailed, "no such file or directory"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, said := runQuire(t, nil, append([]string{"init", "--data", data}, tt.args...)...)
			if code != tt.code || out != "" || strings.Count(said, "\n") != 1 || !strings.Contains(said, tt.want) || strings.Contains(said, "hunter") {
				t.Errorf("exit code %d, %q, %q; want %d, %q", code, out, said, tt.code, tt.want)
			}
		})
	}
	if _, err := os.Lstat(filepath.Join(data, "quire.yaml")); err == nil {
		t.Error("a file was made")
	}
}

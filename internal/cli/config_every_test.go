package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// everyKey says how a setting is tried: with a value of its own from the file, the
// environment and a flag.
type everyKey struct {
	values  [3]string // as they are shown: of the file, the environment, the flag
	given   string    // how a value is given, with %s; empty: as it is shown
	at      string    // where it shows, if that is below the path
	env     string    // the variable, if it has another name
	envs    string    // how a value is given there, if otherwise
	refused string    // it is refused wherever it comes from, and why
	secret  bool      // it is refused but from the environment
}

func (k everyKey) text(i int) string {
	form := k.given
	if i == 1 && k.envs != "" {
		form = k.envs
	}
	if form == "" {
		return k.values[i]
	}
	return fmt.Sprintf(form, k.values[i])
}

// values makes a row of the table.
func values(file, env, flag string) everyKey { return everyKey{values: [3]string{file, env, flag}} }

// everyKeyRows has a row for each setting whose name is fixed, for those of one
// host and of each resolver, and for the lists as a whole.
func everyKeyRows(t *testing.T) map[string]everyKey {
	rows := map[string]everyKey{
		"contact":                       values("a@library.edu", "b@library.edu", "c@library.edu"),
		"orchestrator.max_workers":      values("7", "8", "9"),
		"orchestrator.max_per_host":     values("1", "2", "3"),
		"orchestrator.max_per_domain":   values("16", "17", "18"),
		"orchestrator.max_per_resolver": {values: [3]string{"4", "5", "6"}, given: "pmc=%s", at: ".pmc"},
		"orchestrator.lease_ttl":        values("20m", "30m", "1h"),
		"orchestrator.heartbeat":        values("1m", "1m30s", "2m"),
		"orchestrator.grace":            values("1s", "2s", "1m"),
		"retry.max_attempts":            values("5", "6", "7"),
		"retry.base":                    values("5s", "6s", "7s"),
		"retry.factor":                  values("1.5", "2.5", "3"),
		"retry.max":                     values("2h", "3h", "720h"),
		"retry.breaker":                 values("5s", "6s", "7s"),
		"limits":                        {values: [3]string{"3", "4", "5"}, given: `{"host:arxiv.org": {in_flight: %s}}`, at: ".host:arxiv.org.in_flight"},
		"resolvers.order":               values("pmc,arxiv", "unpaywall", "arxiv,pmc"),
		"resolvers.custom": {
			values: [3]string{"mine", "yours", "theirs"}, at: "[0].name",
			given: "[{name: %s, url: 'https://papers.example/{doi}', mode: html, selector: a}]",
		},
		"accept.formats":       values("pdf,xml", "xml", "html"),
		"accept.versions":      values("published", "accepted", "published,submitted"),
		"accept.licenses":      values("cc-by-4.0", "cc0-1.0", "cc-by-4.0,cc0-1.0"),
		"accept.max_bytes":     values("1GiB", "2MiB", "1000B"),
		"http.connect_to":      values("a.org:443:127.0.0.1:8443", "::[::1]:1", "a.org:::2,b.org:::3"),
		"http.ca_file":         values(copyOf(t, "root.pem"), copyOf(t, "root.pem"), copyOf(t, "root.pem")),
		"http.allow_networks":  values("127.0.0.0/8", "::1/128", "10.0.0.0/8,::1/128"),
		"http.proxy":           values("http://a.example:1", "http://b.example:2", "http://c.example:3"),
		"http.http1_only":      values("false", "true", "false"),
		"http.user_agent":      values("a/1", "b/1 (mailto:b@library.edu)", "c/1"),
		"robots.obey":          values("false", "true", "false"),
		"works.sidecars":       values("false", "true", "false"),
		"http.timeouts.idle":   values("1s", "2s", "3s"),
		"http.timeouts.total":  values("20m", "30m", "40m"),
		"http.timeouts.header": values("1s", "2s", "3s"), "http.timeouts.connect": values("1s", "2s", "3s"),
	}
	for _, key := range []string{"default_host", "default_resolver", "host:arxiv.org"} {
		addLimitRows(rows, "limits."+key)
	}
	for _, name := range resolverNames() {
		addResolverRows(t, rows, name)
	}
	return rows
}

// addLimitRows adds those of one key.
func addLimitRows(rows map[string]everyKey, path string) {
	add := func(name string, k everyKey) {
		if key, ok := strings.CutPrefix(path, "limits.host:"); ok { // no variable has its name
			k.env, k.envs = "QUIRE_LIMITS", "{'host:"+key+"': {"+name+": %s}}"
		}
		rows[path+"."+name] = k
	}
	add("in_flight", values("3", "5", "6"))
	add("every", values("7s", "8s", "9s"))
	add("per_second", values("0.25", "0.5", "4"))
	add("per_minute", values("10", "11", "12"))
	add("burst", values("2", "3", "4"))
	add("daily", values("1000", "2000", "3000"))
	batch := values("20", "30", "40")
	if !strings.Contains(path, "resolver") {
		batch.refused = "is for resolvers"
	}
	add("batch", batch)
}

func addResolverRows(t *testing.T, rows map[string]everyKey, name string) {
	path := "resolvers." + name
	rows[path+".enabled"] = values("false", "true", "false")
	rows[path+".base_url"] = values("http://127.0.0.1:1/a", "http://127.0.0.1:1/b", "https://c.example")
	rows[path+".api_key"] = everyKey{values: [3]string{"hunter1", "hunter2", "hunter3"}, secret: true}
	rows[path+".api_key_file"] = values(copyOf(t, "key"), copyOf(t, "key"), copyOf(t, "key"))
	dump := values("/dumps/a.db", "/dumps/b.db", "/dumps/c.db")
	if name != "unpaywall" {
		dump.refused = "is for unpaywall alone"
	}
	rows[path+".dump"] = dump
	rows["orchestrator.max_per_resolver."+name] = values("4", "5", "6")
	addLimitRows(rows, "limits.resolver:"+name)
}

// copyOf makes a file of its own with what a file of testdata/config holds.
func copyOf(t *testing.T, name string) string {
	t.Helper()
	text := []byte("k-from-file\n")
	if name != "key" {
		var err error
		if text, err = os.ReadFile(filepath.Join("testdata", "config", name)); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// everyPath lists what must have a row: by reflection, so that a new setting does.
func everyPath() (paths []string) {
	for _, k := range knownPaths(reflect.TypeFor[Config](), "") {
		paths = append(paths, k.path)
	}
	for _, name := range namesOf(reflect.TypeFor[limitConfig]()) {
		paths = append(paths, "limits.host:arxiv.org."+name)
	}
	return append(paths, keyedPaths()...)
}

// TestConfig_everyKey sets each key by the file, by the environment, by --set and by
// its own flag if it has one, and finds the value and where it is from; of several
// the flag holds, then the environment, then the file.
func TestConfig_everyKey(t *testing.T) {
	rows, paths := everyKeyRows(t), everyPath()
	for path := range rows {
		if !slices.Contains(paths, path) {
			t.Errorf("%s has a row and is no setting", path)
		}
	}
	variables := map[string]string{}
	for _, path := range paths {
		k, ok := rows[path]
		if !ok {
			t.Errorf("%s has no row", path)
			continue
		}
		if other, twice := variables[envName(path)]; twice {
			t.Errorf("%s and %s have the same variable", path, other)
		}
		variables[envName(path)] = path
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			switch {
			case k.refused != "":
				k.wantRefusedEverywhere(t, path)
			case k.secret:
				k.wantFromEnvironment(t, path)
			default:
				k.wantFromEverywhere(t, path)
			}
		})
	}
}

// sources returns the arguments and the environment that set path by the sources
// whose letters are in which: file, environment, or --set.
func (k everyKey) sources(t *testing.T, path, which string) (args, environ []string) {
	t.Helper()
	args = []string{"--data", t.TempDir()}
	if strings.Contains(which, "f") {
		args = append(args, "--config", writeConfig(t, asYAML(path, k.text(0))))
	}
	if strings.Contains(which, "e") {
		variable := k.env
		if variable == "" {
			variable = envName(path)
		}
		environ = append(environ, variable+"="+k.text(1))
	}
	if strings.Contains(which, "s") {
		args = append(args, "--set", path+"="+k.text(2))
	}
	return args, environ
}

func (k everyKey) wantFromEverywhere(t *testing.T, path string) {
	shown := path + k.at
	was, ok := showConfig(t, nil, "--data", t.TempDir())[shown]
	if ok && was.From != "default" {
		t.Errorf("nobody has set it, and it is %+v", was)
	}
	for which, want := range map[string]struct{ value, from string }{
		"f": {k.values[0], "quire.yaml:"}, "e": {k.values[1], "env QUIRE_"}, "s": {k.values[2], "flag --set"},
		"fe": {k.values[1], "env QUIRE_"}, "fs": {k.values[2], "flag --set"}, "es": {k.values[2], "flag --set"}, "fes": {k.values[2], "flag --set"},
	} {
		args, environ := k.sources(t, path, which)
		got := showConfig(t, environ, args...)[shown]
		if got.Value != want.value || !strings.Contains(got.From, want.from) {
			t.Errorf("from %s: %s is %q from %s, want %q from %s", which, shown, got.Value, got.From, want.value, want.from)
		}
	}
	if own := ownFlag(path); own != "" {
		k.wantFromOwnFlag(t, path, own)
	}
}

// wantFromOwnFlag checks the flag that sets path alone.
func (k everyKey) wantFromOwnFlag(t *testing.T, path, own string) {
	flags := map[string]string{path: k.values[2]}
	l, err := loadConfig(writeConfig(t, asYAML(path, k.text(0))), true, []string{envName(path) + "=" + k.text(1)}, flags)
	if err != nil {
		t.Fatal(err)
	}
	if i := slices.Index(l.Origins(), Origin{Path: path, Value: k.values[2], From: "flag --" + own}); i < 0 {
		t.Errorf("--%s: %+v", own, l.origins[path])
	}
	_, err = loadConfig("", false, nil, flags, setting{path, k.text(2)})
	quiet := &app{env: Env{Stderr: new(bytes.Buffer)}}
	if code := quiet.exitCode(err); code != exitUsage || !strings.Contains(err.Error(), "--"+own+" and --set "+path) {
		t.Errorf("--%s and --set: exit code %d, %v", own, code, err)
	}
}

func (k everyKey) wantRefusedEverywhere(t *testing.T, path string) {
	for _, which := range []string{"f", "e", "s"} {
		args, environ := k.sources(t, path, which)
		wantProgramRefuses(t, environ, args, path, k.refused)
	}
}

func (k everyKey) wantFromEnvironment(t *testing.T, path string) {
	args, environ := k.sources(t, path, "e")
	if got, want := showConfig(t, environ, args...)[path], (Origin{path, "***", "env " + envName(path)}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	args, _ = k.sources(t, path, "f")
	wantProgramRefuses(t, nil, args, path, "is not read from this file", envName(path), "api_key_file")
	args, _ = k.sources(t, path, "s")
	wantProgramRefuses(t, nil, args, path, "command line", envName(path), "api_key_file")
	group, _ := strings.CutSuffix(path, ".api_key")
	wantProgramRefuses(t, nil, []string{"--data", t.TempDir(), "--set", group + "={enabled: true, api_key: hunter3}"}, path, "command line")
}

// runConfig runs quire config show in this process.
func runConfig(t *testing.T, environ []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, said bytes.Buffer
	code = Run(t.Context(), append([]string{"config", "show", "--json"}, args...), Env{Stdout: &out, Stderr: &said, Environ: environ})
	return code, out.String(), said.String()
}

func showConfig(t *testing.T, environ []string, args ...string) map[string]Origin {
	t.Helper()
	code, out, said := runConfig(t, environ, args...)
	var list []Origin
	if err := json.Unmarshal([]byte(out), &list); err != nil || code != exitOK {
		t.Fatalf("config show %q with %q: exit code %d, %s %v", args, environ, code, said, err)
	}
	shown := map[string]Origin{}
	for _, o := range list {
		shown[o.Path] = o
	}
	return shown
}

// wantProgramRefuses asserts exit code 4 and one line that has words and no secret.
func wantProgramRefuses(t *testing.T, environ, args []string, words ...string) {
	t.Helper()
	code, out, said := runConfig(t, environ, args...)
	if code != exitConfig || out != "" || strings.Count(said, "\n") != 1 || strings.Contains(said, "hunter") {
		t.Errorf("%q with %q: exit code %d, %q", args, environ, code, said)
	}
	for _, word := range words {
		if !strings.Contains(said, word) {
			t.Errorf("%q with %q: %q is not in %q", args, environ, word, said)
		}
	}
}

// asYAML writes a path as nested mappings.
func asYAML(path, value string) string {
	var text strings.Builder
	for depth, name := range steps(path, value) {
		text.WriteString("\n" + strings.Repeat("  ", depth) + name + ":")
	}
	if !strings.HasPrefix(value, "{") && !strings.HasPrefix(value, "[") {
		value = "'" + value + "'"
	}
	return text.String() + " " + value + "\n"
}

// Every setting of a source of one's own is read, from each source.
func TestConfig_everyKeyOfCustom(t *testing.T) {
	given := map[string]string{
		"name": "mine", "method": "GET", "url": "https://papers.example/{doi}", "mode": "html", "selector": "a",
		"attribute": "href", "index": "1", "automatic": "true",
		"mappings.url": "b", "mappings.pageURL": "c", "mappings.version": "d", "mappings.license": "e",
	}
	var names []string
	for _, k := range knownPaths(reflect.TypeFor[customConfig](), "") {
		names = append(names, k.path)
	}
	if want := slices.Sorted(maps.Keys(given)); !slices.Equal(slices.Sorted(slices.Values(names)), want) {
		t.Fatalf("settings %v, tried %v", names, want)
	}
	const list = `[{name: mine, method: GET, url: "https://papers.example/{doi}", mode: html, selector: a, attribute: href, index: 1, automatic: true},
		{name: other, url: "https://papers.example/{doi}", mode: json, selector: .a, mappings: {url: b, pageURL: c, version: d, license: e}}]`
	k := everyKey{values: [3]string{list, list, list}}
	for _, which := range []string{"f", "e", "s"} {
		args, environ := k.sources(t, "resolvers.custom", which)
		shown := showConfig(t, environ, args...)
		for name, want := range given {
			at := "resolvers.custom[0]."
			if strings.HasPrefix(name, "mappings.") {
				at = "resolvers.custom[1]."
			}
			if got := shown[at+name]; got.Value != want || got.From == "default" {
				t.Errorf("from %s: %s is %+v, want %q", which, name, got, want)
			}
		}
	}
}

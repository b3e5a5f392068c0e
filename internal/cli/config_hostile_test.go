package cli

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestConfig_refused has what a configuration must not say, by the number of the
// case, and what the message must tell.
func TestConfig_refused(t *testing.T) {
	tests := map[string]struct {
		text string
		want []string
	}{
		"146 unknown key":            {"contact: a@b.org\norchestrator:\n  max_wokers: 3\n", []string{"quire.yaml:3: orchestrator.max_wokers", "max_workers"}},
		"146 unknown section":        {"orchestator: {}", []string{"quire.yaml:1: orchestator", "nearest known is orchestrator"}},
		"146 key of another section": {"max_workers: 3", []string{"orchestrator.max_workers"}},
		"146 unknown kind of limit":  {"limits: {defaulthost: {}}", []string{"default_host"}},
		"146 limit without kind":     {"limits: {arxiv.org: {}}", []string{"host:arxiv.org"}},
		"dump of another source":     {"resolvers: {crossref: {dump: x.db}}", []string{"resolvers.crossref.dump", "unpaywall alone"}},
		"custom without a name":      {"resolvers: {custom: [{url: 'https://x.example/{doi}', mode: html, selector: a}]}", []string{"resolvers.custom[0]", "name"}},
		"custom, name taken":         {"resolvers:\n  custom:\n  - {name: pmc, url: 'https://x.example/{doi}', mode: html, selector: a}", []string{"quire.yaml:3: resolvers.custom[0]", `"pmc" is taken`}},
		"custom, name twice":         {"resolvers:\n  custom:\n  - {name: a, url: 'https://x.example/{doi}', mode: html, selector: a}\n  - {name: a, url: 'https://y.example/{doi}', mode: html, selector: a}", []string{"quire.yaml:4: resolvers.custom[1]", `"a" is taken`}},
		"custom without {doi}":       {"resolvers: {custom: [{name: a, url: 'https://x.example/', mode: html, selector: a}]}", []string{"resolvers.custom[0]", "{doi}"}},
		"custom, bad selector":       {"resolvers: {custom: [{name: a, url: 'https://x.example/{doi}', mode: html, selector: 'a:has(b)'}]}", []string{"resolvers.custom[0]", ":has(b)"}},
		"custom, bad path":           {"resolvers: {custom: [{name: a, url: 'https://x.example/{doi}', mode: json, selector: 'a{b}'}]}", []string{"resolvers.custom[0]", "no"}},
		"custom, unknown mode":       {"resolvers: {custom: [{name: a, url: 'https://x.example/{doi}', mode: xml, selector: a}]}", []string{"resolvers.custom[0].mode", "html, json"}},
		"custom, POST":               {"resolvers: {custom: [{name: a, method: POST, url: 'https://x.example/{doi}', mode: html, selector: a}]}", []string{"resolvers.custom[0].method", "GET"}},
		"custom, unknown key":        {"resolvers: {custom: [{name: a, selectr: a}]}", []string{"resolvers.custom[0].selectr", "selector"}},
		"custom, unknown mapping":    {"resolvers: {custom: [{name: a, mappings: {pdf: a}}]}", []string{"resolvers.custom[0].mappings.pdf", "nearest known"}},
		"custom as a mapping":        {"resolvers: {custom: {name: a}}", []string{"resolvers.custom", "a list is expected"}},
		"custom as a word":           {"resolvers: {custom: [a]}", []string{"resolvers.custom[0]", "a mapping is expected"}},
		"146 resolver in a cap":      {"orchestrator: {max_per_resolver: {crosref: 1}}", []string{"max_per_resolver.crosref", "nearest known is crossref"}},
		"146 near one of one's own":  {"resolvers: {order: [my-sorce], custom: [{name: my-source, url: 'https://x.example/{doi}', mode: html, selector: a}]}", []string{"nearest known is my-source"}},
		"146 unknown resolver":       {"limits: {'resolver:crosref': {}}", []string{"nearest known is crossref"}},
		"146 resolver in a list":     {"resolvers: {order: [pmc, arkiv]}", []string{"nearest known is arxiv"}},
		"147 duplicate key":          {"contact: a@b.org\ncontact: c@d.org\n", []string{"quire.yaml:2: contact", "quire.yaml:1"}},
		"147 duplicate below":        {"retry:\n  base: 1s\n  base: 2s\n", []string{"quire.yaml:3: retry.base"}},
		"147 duplicate host":         {"limits:\n  host:a.org: {in_flight: 1}\n  host:A.ORG.:443: {in_flight: 2}\n", []string{"quire.yaml:3", "host:a.org"}},
		"147 duplicate in a list":    {"resolvers: {order: [pmc, pmc]}", []string{"given twice"}},
		"148 negative workers":       {"orchestrator: {max_workers: -1}", []string{"from 1 to 1024"}},
		"148 no workers":             {"orchestrator: {max_workers: 0}", []string{"from 1 to 1024"}},
		"148 huge workers":           {"orchestrator: {max_workers: 99999999999999999999}", []string{"from 1 to 1024"}},
		"148 half a worker":          {"orchestrator: {max_workers: 1.5}", []string{"whole number"}},
		"148 per resolver":           {"orchestrator: {max_per_resolver: {pmc: 0}}", []string{"max_per_resolver.pmc", "from 1 to 64"}},
		"149 NaN":                    {"limits: {default_host: {per_second: .nan}}", []string{"limits.default_host.per_second", "not a number"}},
		"149 NaN spelt out":          {"limits: {default_host: {per_second: NaN}}", []string{"not a number"}},
		"149 infinite":               {"limits: {default_host: {per_second: Inf}}", []string{"out of range"}},
		"149 1e309":                  {"limits: {default_host: {per_second: 1e309}}", []string{"out of range"}},
		"149 zero":                   {"limits: {default_host: {per_second: 0}}", []string{"out of range"}},
		"149 two paces":              {"limits: {'host:a.org': {every: 1s, per_second: 1}}", []string{"every and per_second are both given"}},
		"149 no burst":               {"limits: {'host:a.org': {burst: 0}}", []string{"limits.host:a.org.burst", "from 1 to 1000"}},
		"149 no day":                 {"limits: {default_host: {daily: -1}}", []string{"limits.default_host.daily", "from 1 to 1000000000"}},
		"149 huge batch":             {"limits: {'resolver:crossref': {batch: 5000}}", []string{"limits.resolver:crossref.batch", "from 1 to 1000"}},
		"149 batch of a host":        {"limits:\n  host:a.org: {batch: 5}", []string{"quire.yaml:2: limits.host:a.org.batch", "is for resolvers"}},
		"149 batch of all hosts":     {"limits: {default_host: {batch: 5}}", []string{"limits.default_host.batch", "is for resolvers"}},
		"149 narrow domain":          {"orchestrator: {max_per_host: 6, max_per_domain: 5}", []string{"orchestrator.max_per_domain", "less than orchestrator.max_per_host"}},
		"150 no unit":                {"retry: {base: 10}", []string{"retry.base", "no unit", "10s"}},
		"150 negative":               {"retry: {base: -5s}", []string{"out of range"}},
		"150 huge":                   {"orchestrator: {lease_ttl: 9999999h}", []string{"orchestrator.lease_ttl"}},
		"150 no duration":            {"retry: {base: soon}", []string{"not a duration"}},
		"150 no size":                {"accept: {max_bytes: 1e5 parsecs}", []string{"not a size"}},
		"151 heartbeat":              {"orchestrator:\n  heartbeat: 5m\n", []string{"quire.yaml:2: orchestrator.heartbeat", "under half", "10m"}},
		"151 lease":                  {"orchestrator: {lease_ttl: 30s, heartbeat: 20s}", []string{"orchestrator.heartbeat", "half of orchestrator.lease_ttl"}},
		"152 grace":                  {"orchestrator: {grace: 11m}", []string{"orchestrator.grace", "orchestrator.lease_ttl"}},
		"152 header over total":      {"http: {timeouts: {header: 1h}}", []string{"http.timeouts.header", "http.timeouts.total"}},
		"152 retry":                  {"retry: {base: 2h}", []string{"retry.base", "retry.max"}},
		"154 NUL":                    {"contact: a@b.org\n\x00", []string{"quire.yaml:2", "control character"}},
		"154 UTF-16":                 {"\xff\xfec\x00", []string{"UTF-16"}},
		"154 not UTF-8":              {"contact: \xe9", []string{"UTF-8"}},
		"154 too large":              {strings.Repeat("# filler\n", maxConfigBytes/9+1), []string{"larger than 1MiB"}},
		"154 broken":                 {"contact: [", []string{"quire.yaml:1"}},
		"154 no mapping":             {"- contact", []string{"a list", "a mapping"}},
		"154 two documents":          {"contact: a@b.org\n---\ncontact: c@d.org\n", []string{"only one document"}},
		"156 key in the file":        {"resolvers: {openalex: {api_key: hunter2}}", []string{"api_key_file", "QUIRE_RESOLVERS_OPENALEX_API_KEY"}},
		"157 contact with CRLF":      {`contact: "a@b.org\r\nX-Injected: 1"`, []string{"not an e-mail address"}},
		"157 user agent with CRLF":   {`http: {user_agent: "x\r\ny"}`, []string{"printable"}},
		"158 wildcard":               {"limits: {'host:*.edu': {in_flight: 1}}", []string{"default_host"}},
		"159 anchors":                {"contact: &a a@b.org\nrobots: *a\n", []string{"quire.yaml:1", "anchors"}},
		"159 date":                   {"orchestrator: {max_workers: 2026-01-01}", []string{"whole number"}},
		"159 tag":                    {"contact: !!binary aGk=", []string{"not read here"}},
		"159 brackets":               {"contact: " + strings.Repeat("[", 100_000), []string{"nested too deeply"}},
		"159 braces":                 {strings.Repeat("{a: ", 100_000), []string{"nested too deeply"}},
		"159 dashes":                 {strings.Repeat("- ", 100_000), []string{"nested too deeply"}},
		"159 colons":                 {strings.Repeat("a: ", 100_000), nil},
		"159 colons in braces":       {"{" + strings.Repeat("a: ", 100_000), nil},
		"connect_to":                 {"http: {connect_to: ['a:b']}", []string{"HOST1:PORT1:HOST2:PORT2"}},
		"proxy with password":        {"http: {proxy: 'http://u:hunter2@h:1/'}", []string{"http.proxy", "password"}},
		"proxy of another kind":      {"http: {proxy: 'socks5://h:1'}", []string{"http.proxy", "http://HOST:PORT"}},
		"network":                    {"http: {allow_networks: [10.0.0.0]}", []string{"http.allow_networks"}},
		"base URL":                   {"resolvers: {pmc: {base_url: 'file:///etc'}}", []string{"http"}},
		"base URL with password":     {"resolvers: {pmc: {base_url: 'http://u:hunter2@h/'}}", []string{"password"}},
		"no trust roots":             {"http: {ca_file: quire.yaml}", []string{"http.ca_file", "no PEM certificate"}},
		"empty list":                 {"accept: {versions: []}", []string{"accept.versions", "empty"}},
		"licences":                   {"accept: {licenses: [any, cc0-1.0]}", []string{"any stands alone"}},
		"boolean":                    {"robots: {obey: yes}", []string{"true or false"}},
		"word":                       {"accept: {versions: [final]}", []string{"published, accepted, submitted"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			_, err := loadConfig(writeConfig(t, tt.text), true, nil, nil)
			wantRefused(t, err, tt.want...)
			if strings.Contains(fmt.Sprint(err), "hunter2") {
				t.Errorf("the message tells a secret: %v", err)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("refusing it took %v", took)
			}
		})
	}
}

// G 159: a file as large as may be is read or refused in a moment.
func TestConfig_large(t *testing.T) {
	fill := func(format string) string {
		var text strings.Builder
		for i := 0; text.Len() < maxConfigBytes-100; i++ {
			fmt.Fprintf(&text, format, i)
		}
		return text.String()
	}
	for name, text := range map[string]string{
		"hosts":        "limits:\n" + fill("  host:h%d.org: {in_flight: 1}\n"),
		"unknown keys": fill("key%d: 1\n"),
		"list":         "accept:\n  licenses: [" + fill("l%d, ") + "z]\n",
		"long list":    "accept:\n  licenses:\n" + fill("  - l%d\n"),
		"one text":     "contact: \"" + fill("%d") + "\"\n",
		"one plain":    "contact: " + fill("%d") + "\n",
		"lines":        "contact: a\n" + fill("  b%d\n"),
		"comments":     fill("# %d\n"),
		"most keys":    strings.Repeat("#\n", 100_000) + "limits:\n" + strings.Join(strings.SplitAfter(fill("  host:h%d.org: {in_flight: 1}\n"), "\n")[:5000], ""),
		"quotes":       fill("\"%d\" "),
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			_, err := loadConfig(writeConfig(t, text), true, nil, nil)
			if err != nil {
				wantRefused(t, err)
			}
			if fits := name == "most keys" || name == "comments"; fits != (err == nil) {
				t.Errorf("refused: %v", err)
			}
			took := time.Since(began)
			t.Logf("%d bytes in %v", len(text), took)
			if took > 20*time.Second {
				t.Error("that is too long")
			}
		})
	}
}

// G 154: what is no file that can be read.
func TestConfig_unreadable(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skipf("make a FIFO: %v", err)
	}
	for path, word := range map[string]string{
		dir: "is a directory", pipe: "not a regular file", "/dev/zero": "not a regular file",
		filepath.Join(dir, "missing"): "no such file",
	} {
		_, err := loadConfig(path, true, nil, nil)
		wantRefused(t, err, path, word)
	}
	if _, err := loadConfig(filepath.Join(dir, "missing"), false, nil, nil); err != nil {
		t.Errorf("a file that need not be there: %v", err)
	}
	closed := writeConfig(t, "")
	if err := os.Chmod(closed, 0); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() != 0 { // root reads everything
		_, err := loadConfig(closed, true, nil, nil)
		wantRefused(t, err, closed, "permission denied")
	}
}

// G 154: how editors save text.
func TestConfig_acceptedText(t *testing.T) {
	for name, text := range map[string]string{
		"byte order mark": "\uFEFFcontact: a@b.org\n", "CRLF": "contact: a@b.org\r\nrobots:\r\n  obey: true\r\n",
		"lone CR": "contact: a@b.org\rrobots: {obey: true}\r", "no final newline": "contact: a@b.org",
		"comments": "# mine\ncontact: a@b.org # yes\n", "document marks": "---\ncontact: a@b.org\n...\n",
		"nothing said": "contact: a@b.org\nretry:\nhttp: {}\nrobots: {obey: }\n",
		"quotes":       `"contact": 'a@b.org'`,
	} {
		l, err := loadConfig(writeConfig(t, text), true, nil, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if l.Config.Contact != "a@b.org" || !l.Config.Robots.Obey {
			t.Errorf("%s: got %+v", name, l.Config)
		}
	}
	for name, text := range map[string]string{"empty": "", "only comments": "# nothing\n", "null": "null\n", "only marks": "---\n"} {
		if _, err := loadConfig(writeConfig(t, text), true, nil, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestConfig_allProblemsAtOnce(t *testing.T) {
	_, err := loadConfig(writeConfig(t, "retry: {base: 10}\nrobots: {obey: maybe}\n"), true, []string{"QUIRE_RETRY_MAX=x"}, nil)
	wantRefused(t, err, "retry.base", "robots.obey", "env QUIRE_RETRY_MAX: retry.max")
}

func TestConfig_environment(t *testing.T) {
	for variable, want := range map[string]string{
		"QUIRE_ORCHESTRATOR_MAX_WOKERS=3":              "QUIRE_ORCHESTRATOR_MAX_WORKERS",
		"QUIRE_CONTAC=a@b.org":                         "QUIRE_CONTACT",
		"QUIRE_DATE=x":                                 "QUIRE_DATA",
		"QUIRE_ORCHESTRATOR_MAX_PER_RESOLVER=pmc":      "NAME=VALUE",
		"QUIRE_ORCHESTRATOR_MAX_PER_RESOLVER=pcm=1":    "pmc",
		"QUIRE_LIMITS=host:a.org":                      "a mapping is expected",
		"QUIRE_LIMITS={host:a.org":                     "env QUIRE_LIMITS",
		"QUIRE_LIMITS={'host:a.org': {per_second: 0}}": "env QUIRE_LIMITS: limits.host:a.org.per_second",
		"QUIRE_RESOLVERS_ORDER=pmc,arkiv":              "arxiv",
		"QUIRE_RESOLVERS_PMC_API_KEY_FILE=/nowhere/k":  "no such file",
		"QUIRE_ORCHESTRATOR_MAX_WORKERS={a: b}":        "whole number",
		"QUIRE_HTTP_TIMEOUTS_CONNECT=10\x1b[31m":       "http.timeouts.connect",
		"QUIRE_RESOLVERS_OPENALEX_API_KEY=hun\nter2":   "no key has",
		"QUIRE_HTTP_CONNECT_TO=a.org:443:b.org:999999": "port",
	} {
		_, err := loadConfig("", false, []string{variable}, nil)
		wantRefused(t, err, want)
		if strings.Contains(err.Error(), "ter2") {
			t.Errorf("the message tells a secret: %v", err)
		}
	}
	others := []string{"QUIRE_DATA=/x", "QUIRE_CONFIG=y", "QUIRE_LOG_LEVEL=info", "QUIRE_TEST_REQUIRE=postgres", "QUIRE=1", "=", "PATH"}
	if _, err := loadConfig("", false, others, nil); err != nil {
		t.Errorf("variables that mean something else: %v", err)
	}
	_, err := loadConfig("", false, nil, nil, setting{"orchestrator.max_wokers", "3"})
	wantRefused(t, err, "flag --set", "max_workers")
}

// G 155, 156: keys come from files and the environment and are shown to nobody.
func TestConfig_secrets(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"open": 0o644, "closed": 0o600} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("hunter2\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	config := filepath.Join(dir, "quire.yaml")
	text := "resolvers:\n  openalex: {api_key_file: open}\n  unpaywall: {api_key_file: closed}\n  crossref: {api_key_file: open}\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := loadConfig(config, true, []string{"QUIRE_RESOLVERS_CROSSREF_API_KEY=from-env"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := l.Config.Resolvers
	if r.OpenAlex.APIKey.reveal() != "hunter2" || r.Unpaywall.APIKey.reveal() != "hunter2" || r.Crossref.APIKey.reveal() != "from-env" {
		t.Error("the keys were not read")
	}
	if runtime.GOOS != "windows" && (len(l.Warnings) != 1 || !strings.Contains(l.Warnings[0], "open")) {
		t.Errorf("warnings: %q; want one, about the open file", l.Warnings)
	}
	yaml, err := l.YAML()
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "config", l.Config, "key", r.OpenAlex.APIKey)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "config", l.Config, "key", r.OpenAlex.APIKey)
	shown := string(yaml) + log.String() + fmt.Sprint(l.Origins()) +
		fmt.Sprintf("%v %+v %#v %s %q %x", l.Config, l.Config, l.Config, r.OpenAlex.APIKey, r.OpenAlex.APIKey, r.OpenAlex.APIKey)
	if strings.Contains(shown, "hunter2") || strings.Contains(shown, "68756e74657232") || !strings.Contains(shown, "***") {
		t.Errorf("a key is shown:\n%s", shown)
	}
}

func TestContact(t *testing.T) {
	for address, ok := range map[string]bool{
		"a.reader@university.edu": true, "a+b@x-y.co.uk": true, "you@university.edu": true,
		"": false, "reader": false, "reader@localhost": false, "@a.org": false, "a@b.org\r\nX: y": false, "a b@c.org": false,
		"A <a@b.org>": false, "a@b..org": false, "a@-b.org": false, "ä@b.org": false, "a@b.org,c@d.org": false,
		"you@example.com": false, "you@example.org": false, "you@mail.example.net": false, "you@EXAMPLE.edu": false,
		"you@example.co.uk": false, "you@a.test": false, "you@a.invalid": false, strings.Repeat("a", 250) + "@b.org": false,
	} {
		err := checkContact(address, origin{rank: byFile, where: "quire.yaml:1"})
		if (err == nil) != ok {
			t.Errorf("checkContact(%q) = %v", address, err)
		}
		if err != nil {
			wantRefused(t, err, "quire.yaml:1: contact: ")
		}
	}
	if _, err := loadConfig("", false, []string{"QUIRE_CONTACT=you@example.org"}, nil); err != nil {
		t.Errorf("a placeholder is at fault only when the network is used: %v", err)
	}
}

// FuzzConfig reads any text as a configuration: it is refused with one plain
// line, or what it amounts to can be shown and read again.
func FuzzConfig(f *testing.F) {
	full, err := os.ReadFile(filepath.Join("testdata", "config", "full.yaml"))
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		string(full), "contact: |\n  a\n", "? a\n: b\n", "{a: [b, {c: d}]}", "a: &x 1\nb: *x\n", "- - - a",
		"\"\\x00\": 1", "a: >-\n b", "limits: {'host:b.org': {every: 1s}}", "http: {user_agent: \"# x: \", allow_networks: [::/0]}",
	} {
		f.Add([]byte(seed))
	}
	load := func(text []byte) (*loaded, error) {
		file, err := parseYAML(text, linesOf("quire.yaml"))
		if err != nil {
			return nil, &configError{problems: []error{err}}
		}
		return compose(file, nil, nil, nil)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if strings.Contains(string(text), "_file") {
			t.Skip("names files of this machine")
		}
		l, err := load(text)
		if err != nil {
			wantRefused(t, err)
			return
		}
		shown, err := l.YAML()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := load(shown); err != nil {
			t.Errorf("accepted, shown and refused: %v\n%s", err, shown)
		}
	})
}

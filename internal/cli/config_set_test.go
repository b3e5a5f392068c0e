package cli

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// runQuire runs the program in this process, with a data directory of its own.
func runQuire(t *testing.T, environ []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, said bytes.Buffer
	args = slices.Concat([]string{"--data", t.TempDir()}, args)
	code = Run(t.Context(), args, Env{Stdout: &out, Stderr: &said, Environ: environ})
	return code, out.String(), said.String()
}

// TestSet_refused has what --set and the variables must not say, with the exit code
// and the one line that tells of it.
func TestSet_refused(t *testing.T) {
	check := func(more ...string) []string { return append([]string{"config", "check"}, more...) }
	set := func(settings ...string) (args []string) {
		for _, s := range settings {
			args = append(args, "--set", s)
		}
		return check(args...)
	}
	tests := map[string]struct {
		args []string
		env  string
		code int
		want string
	}{
		"no value":          {args: set("robots.obey"), code: exitUsage, want: `--set "robots.obey": must be PATH=VALUE, such as --set orchestrator.max_workers=8`},
		"no path":           {args: set("=3"), code: exitUsage, want: `--set "": must be PATH=VALUE`},
		"no argument":       {args: check("--set"), code: exitUsage, want: "flag needs an argument: --set"},
		"a colon":           {args: set("resolvers.core.api_key:hunter2"), code: exitUsage, want: `--set "resolvers.core.api_key…": must be PATH=VALUE`},
		"own flag too":      {args: check("--contact", "a@b.org", "--set", "contact=c@d.org"), code: exitUsage, want: "--contact and --set contact are both given; one is enough"},
		"own flag and all":  {args: []string{"queue", "run", "--max-workers", "3", "--set", "orchestrator={max_workers: 4}"}, code: exitUsage, want: "--max-workers and --set orchestrator.max_workers are both given"},
		"own flag, get":     {args: []string{"get", "--order", "pmc", "--set", "resolvers.order=arxiv"}, code: exitUsage, want: "--order and --set resolvers.order are both given"},
		"unknown":           {args: set("orchestrator.max_wokers=3"), want: "flag --set: orchestrator.max_wokers: unknown key; the nearest known is max_workers"},
		"no section":        {args: set("max_workers=3"), want: "flag --set: max_workers: unknown key; the nearest known is orchestrator.max_workers"},
		"of other commands": {args: []string{"version", "--set", "max_workers=3"}, want: "unknown key"},
		"nothing of a key":  {args: set("orchestrator..max_workers=3"), want: "unknown key"},
		"range":             {args: set("orchestrator.max_workers=0"), want: `orchestrator.max_workers: "0" is out of range; it must be from 1 to 1024`},
		"range, own flag":   {args: []string{"queue", "run", "--max-workers", "3000"}, want: `flag --max-workers: orchestrator.max_workers: "3000" is out of range`},
		"unit":              {args: set("retry.base=10"), want: `retry.base: "10" has no unit; write 10s, 10m or 10h`},
		"empty":             {args: set("retry.base="), want: `retry.base: "" is out of range`},
		"a group":           {args: set("orchestrator=8"), want: "flag --set: orchestrator: is a value; a mapping is expected"},
		"a value, deeper":   {args: set("robots.obey.always=true"), want: "flag --set: robots.obey: is a mapping; a value is expected"},
		"a host, a value":   {args: set("limits.host:arxiv.org=3s"), want: "limits.host:arxiv.org: is a value; a mapping is expected"},
		"a host, mistyped":  {args: set("limits.host:arxiv.org.evry=3s"), want: "limits.host:arxiv.org.evry: unknown key; the nearest known is every"},
		"a host, bare":      {args: set("limits.arxiv.org.every=3s"), want: `limits.arxiv.org: is no key; that of a host is "host:arxiv.org"`},
		"kind of key":       {args: set("limits.defaulthost.every=3s"), want: "limits.defaulthost: unknown key; the nearest known is default_host"},
		"two paces":         {args: set("limits.host:a.org.every=3s", "limits.host:a.org.per_second=3"), want: "limits.host:a.org: every and per_second are both given"},
		"braces":            {args: set("retry={max: 2h"), want: "flag --set: retry: "},
		"braces, secret":    {args: set(`resolvers.core={api_key: "hunter2`), want: "flag --set: resolvers.core: "},
		"secret":            {args: set("resolvers.core.api_key=hunter2"), want: "resolvers.core.api_key: is not taken from the command line, which everybody on this machine can read; use api_key_file or QUIRE_RESOLVERS_CORE_API_KEY"},
		"secret, group":     {args: set("resolvers={core: {api_key: hunter2}}"), want: "resolvers.core.api_key: is not taken from the command line"},
		"secret, mistyped":  {args: set("resolvers.core.api_kye=hunter2"), want: "unknown key; the nearest known is api_key"},
		"password":          {args: set("http.proxy=http://u:hunter2@h:1"), want: "http.proxy: "},
		"element":           {args: set("resolvers.custom[0].url=x"), want: "unknown key; the nearest known is custom"},
		"resolver":          {args: set("orchestrator.max_per_resolver.crosref=1"), want: `unknown resolver "crosref"; the nearest known is crossref`},
		"hostile":           {args: set("a\x1b[31m\n=1"), want: `"a\x1b[31m\n": unknown key`},
		"with others":       {args: set("orchestrator.heartbeat=5m"), want: "flag --set: orchestrator.heartbeat: 5m must be under half of orchestrator.lease_ttl"},
		"placeholder":       {args: set("contact=you@example.org"), want: `flag --set: contact: "you@example.org" is a placeholder`},
		"no contact":        {args: check(), want: "contact: an e-mail address is needed before the network is used"},

		"variable, mistyped":    {args: check(), env: "QUIRE_ORCHESTRATOR_MAX_WOKERS=3", want: "env QUIRE_ORCHESTRATOR_MAX_WOKERS: sets nothing; the nearest known is QUIRE_ORCHESTRATOR_MAX_WORKERS"},
		"variable, resolver":    {args: check(), env: "QUIRE_LIMITS_RESOLVER_CROSREF_EVERY=3s", want: "the nearest known is QUIRE_LIMITS_RESOLVER_CROSSREF_EVERY"},
		"variable, host":        {args: check(), env: "QUIRE_LIMITS_HOST_ARXIV_ORG_EVERY=3s", want: "a host's limits are set by QUIRE_LIMITS, such as {'host:arxiv.org': {every: 3s}}"},
		"variable, no pair":     {args: check(), env: "QUIRE_ORCHESTRATOR_MAX_PER_RESOLVER=pmc", want: `env QUIRE_ORCHESTRATOR_MAX_PER_RESOLVER: orchestrator.max_per_resolver: "pmc" is not NAME=VALUE`},
		"variable, placeholder": {args: check(), env: "QUIRE_CONTACT=you@example.org", want: `env QUIRE_CONTACT: contact: "you@example.org" is a placeholder`},
		"variable, secret":      {args: check(), env: "QUIRE_RESOLVERS_CORE_API_KEY=hunter2\nter", want: "resolvers.core.api_key: has characters that no key has"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if tt.code == 0 {
				tt.code = exitConfig
			}
			code, out, said := runQuire(t, []string{tt.env}, tt.args...)
			if code != tt.code || out != "" || !strings.HasPrefix(said, "quire: ") || strings.Count(said, "\n") != 1 || strings.Contains(said, "hunter") {
				t.Errorf("exit code %d, %q and %q; want %d and one line", code, out, said, tt.code)
			}
			if !strings.Contains(said, printable(tt.want)) {
				t.Errorf("said %q, want %q", said, tt.want)
			}
		})
	}
}

// Of two for the same setting the later holds; what one leaves open another may say,
// in any form that a variable has.
func TestSet_together(t *testing.T) {
	shown := showConfig(t, nil, "--data", t.TempDir(),
		"--set", "retry.max=2h", "--set", "retry={max: 3h, base: 5s}", "--set", "retry.base=6s",
		"--set", "limits.host:ARXIV.org={in_flight: 1, every: 3s}", "--set", "limits.host:arxiv.org.burst=2",
		"--set", "limits.host:[::1]:8080.every=2s", "--set", "limits.host:127.0.0.1:8080.every=2s",
		"--set", "orchestrator.max_per_resolver={pmc: 3}", "--set", "orchestrator.max_per_resolver.arxiv=1",
		"--set", "accept.licenses=cc-by-4.0, cc0-1.0", "--set", "accept.versions=[published]", "--set", "http.connect_to=",
		"--set", "http.user_agent=a=b {c}")
	for path, want := range map[string]string{
		"retry.max": "3h", "retry.base": "6s",
		"limits.host:arxiv.org.in_flight": "1", "limits.host:arxiv.org.every": "3s", "limits.host:arxiv.org.burst": "2",
		"limits.host:[::1]:8080.every": "2s", "limits.host:127.0.0.1:8080.every": "2s",
		"orchestrator.max_per_resolver.pmc": "3", "orchestrator.max_per_resolver.arxiv": "1", "orchestrator.max_per_resolver.crossref": "3",
		"accept.licenses": "cc-by-4.0,cc0-1.0", "accept.versions": "published", "http.connect_to": "", "http.user_agent": "a=b {c}",
	} {
		if got := shown[path]; got.Value != want {
			t.Errorf("%s is %q from %s, want %q", path, got.Value, got.From, want)
		}
	}
}

// FuzzSet gives any text to --set: it is refused with one plain line, or taken.
func FuzzSet(f *testing.F) {
	for _, seed := range []string{
		"retry.max=2h", "limits.host:arxiv.org={in_flight: 1, every: 3s}", "limits.host:arxiv.org.every=3s", "limits.=", ".=", "limits...=1",
		"resolvers.custom=[{name: a}]", "limits.host:[::1]:1.burst=2", "orchestrator={", "orchestrator.max_per_resolver=a=1,b", "limits.resolver:.every=1s",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "_file") {
			t.Skip("names files of this machine")
		}
		sets, err := parseSettings([]string{text})
		if err != nil {
			return
		}
		if _, err := compose(node{kind: nullNode}, nil, nil, sets); err != nil {
			wantRefused(t, err)
		}
	})
}

package cli

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// writeConfig makes a configuration file that only its owner can read.
func writeConfig(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "quire.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// wantRefused asserts that a configuration is refused with one line that holds
// all of words.
func wantRefused(t *testing.T, err error, words ...string) {
	t.Helper()
	if _, ok := errors.AsType[*configError](err); !ok {
		t.Fatalf("got %v, want a configError", err)
	}
	if text := err.Error(); strings.ContainsAny(text, "\n\r\x1b\x00") {
		t.Errorf("the message is not one plain line: %q", text)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q is not in the message: %v", word, err)
		}
	}
}

func TestConfig_defaultsPassTheirOwnChecks(t *testing.T) {
	l, err := loadConfig("", false, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range l.Origins() {
		if o.From != "default" {
			t.Errorf("%s comes from %s", o.Path, o.From)
		}
	}
	text, err := l.YAML()
	if err != nil {
		t.Fatal(err)
	}
	again, err := loadConfig(writeConfig(t, string(text)), true, nil, nil)
	if err != nil {
		t.Fatalf("the defaults as a file: %v\n%s", err, text)
	}
	opt := cmp.AllowUnexported(secret{})
	if diff := cmp.Diff(l.Config.Limits, again.Config.Limits, opt); diff != "" {
		t.Error(diff)
	}
	againText, err := again.YAML()
	if diff := cmp.Diff(string(text), string(againText)); diff != "" || err != nil {
		t.Errorf("written, read and written again (%v):\n%s", err, diff)
	}
}

func TestConfig_contractExample(t *testing.T) {
	l, err := loadConfig(filepath.Join("testdata", "config", "full.yaml"), true, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := l.Config
	if got, want := c.Limits.Keys["host:arxiv.org"], (&limitConfig{InFlight: 1, Every: duration(3e9)}); !reflect.DeepEqual(got, want) {
		t.Errorf("limits of arxiv.org: got %+v, want %+v", got, want)
	}
	if got := c.Limits.Keys["resolver:crossref"].interval().String(); got != "100ms" {
		t.Errorf("crossref's interval: got %s, want 100ms", got)
	}
	want := []string{"pmc", "arxiv", "europepmc", "unpaywall", "openalex", "crossref"}
	if got := c.Resolvers.active(); !slices.Equal(got, want) {
		t.Errorf("resolvers: got %v, want %v", got, want)
	}
	if c.Accept.MaxBytes != 256<<20 || c.Retry.Factor != 2 || string(c.Contact) != "you@university.edu" {
		t.Errorf("got %+v", c)
	}
}

// G 153: flag over environment over file over default.
func TestConfig_precedence(t *testing.T) {
	path := writeConfig(t, "orchestrator:\n  max_workers: 2\n  max_per_host: 2\n  grace: 2s\n")
	l, err := loadConfig(path, true,
		[]string{"QUIRE_ORCHESTRATOR_MAX_WORKERS=3", "QUIRE_ORCHESTRATOR_MAX_PER_HOST=3", "QUIRE_CONTACT=", "HOME=/"},
		map[string]string{"orchestrator.max_workers": "4"}, setting{"retry.max_attempts", "5"})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, o := range l.Origins() {
		got[o.Path] = o.Value + " " + o.From
	}
	for setting, want := range map[string]string{
		"orchestrator.max_workers":  "4 flag --max-workers",
		"orchestrator.max_per_host": "3 env QUIRE_ORCHESTRATOR_MAX_PER_HOST",
		"orchestrator.grace":        "2s " + path + ":4",
		"orchestrator.heartbeat":    "30s default",
		"retry.max_attempts":        "5 flag --set",
		"contact":                   " default",
	} {
		if got[setting] != want {
			t.Errorf("%s: got %q, want %q", setting, got[setting], want)
		}
	}
}

func TestConfig_pacesOfDifferentSources(t *testing.T) {
	path := writeConfig(t, "limits: {default_host: {every: 3s}, 'host:a.org': {per_minute: 30}}")
	l, err := loadConfig(path, true, []string{"QUIRE_LIMITS={'host:A.org.': {per_second: 4}}"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := l.Config.Limits.DefaultHost, (limitConfig{Every: duration(3e9)}); got != want {
		t.Errorf("default_host: got %+v, want %+v", got, want)
	}
	if got, want := *l.Config.Limits.Keys["host:a.org"], (limitConfig{PerSecond: 4}); got != want {
		t.Errorf("host:a.org: got %+v, want %+v", got, want)
	}
}

func TestHostKey(t *testing.T) {
	tests := map[string]string{
		"arXiv.org": "arxiv.org", "arxiv.org.": "arxiv.org", "ARXIV.org:443": "arxiv.org", "arxiv.org:80": "arxiv.org",
		"arxiv.org:8443": "arxiv.org:8443", "bücher.example": "xn--bcher-kva.example",
		"127.0.0.1:8080": "127.0.0.1:8080", "[::1]:8080": "[::1]:8080",
		"": "", "a b": "", "*.edu": "", "a.org/x": "", "user@a.org": "", "a.org:0": "", "a.org:70000": "", "a..b": "", "a.org?": "",
	}
	for text, want := range tests {
		got, err := hostKey(text)
		if (err != nil) != (want == "") || err == nil && got != "host:"+want {
			t.Errorf("hostKey(%q) = %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestNearest(t *testing.T) {
	tests := []struct{ text, want string }{
		{"max_wokers", "max_workers"}, {"hartbeat", "heartbeat"}, {"", "grace"}, {"zzz", "grace"},
	}
	for _, tt := range tests {
		if got := nearest(tt.text, []string{"max_workers", "heartbeat", "grace"}); got != tt.want {
			t.Errorf("nearest(%q) = %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestConfig_limits(t *testing.T) {
	path := writeConfig(t, "orchestrator: {max_per_host: 12}\nlimits: {'resolver:crossref': {batch: 20, daily: 500}, 'host:a.org': {burst: 3}}")
	l, err := loadConfig(path, true, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg := l.Config.library()
	crossref, host := cfg.Limits["resolver:crossref"], cfg.Limits["host:a.org"]
	if *crossref.Batch != 20 || *crossref.Daily != 500 || crossref.Burst != nil || crossref.InFlight != nil || *host.Burst != 3 {
		t.Errorf("crossref %+v, host %+v", crossref, host)
	}
	if cfg.MaxPerDomain != 12 {
		t.Errorf("a domain may have %d, want as many as the 12 of a host", cfg.MaxPerDomain)
	}
}

func TestConfig_defaultsGiveWay(t *testing.T) {
	l, err := loadConfig(writeConfig(t, "orchestrator: {lease_ttl: 3s}\nretry: {max: 2s}\nhttp: {timeouts: {total: 5s}}\n"), true, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	o, to := l.Config.Orchestrator, l.Config.HTTP.Timeouts
	got := []duration{o.Heartbeat, o.Grace, l.Config.Retry.Base, to.Connect, to.Header, to.Idle}
	for i, most := range []duration{duration(1500 * time.Millisecond), duration(3 * time.Second), duration(2 * time.Second), to.Total, to.Total, to.Total} {
		if got[i] <= 0 || got[i] > most {
			t.Errorf("default %d became %s, want it within %s", i, got[i], most)
		}
	}
}

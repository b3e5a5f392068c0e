package resolver_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quire-dev/quire/internal/resolver"
)

func TestLimits(t *testing.T) {
	limits := resolver.Limits()
	keys, hosts := map[string]bool{}, map[string]bool{}
	for _, l := range limits {
		kind, name, _ := strings.Cut(l.Key, ":")
		if keys[l.Key] || kind != "host" && kind != "resolver" || name == "" {
			t.Errorf("key %q is repeated or of no kind", l.Key)
		}
		keys[l.Key] = true
		if l.InFlight < 1 || l.Every <= 0 || l.Source == "" {
			t.Errorf("%s: incomplete: %+v", l.Key, l)
		}
		if _, err := time.Parse("2006-01", l.VerifiedOn); err != nil {
			t.Errorf("%s: verified_on: %v", l.Key, err)
		}
		if kind == "resolver" {
			if !slices.Contains(resolver.Names(), name) || !l.API {
				t.Errorf("%s: no such resolver, or no API", l.Key)
			}
			continue
		}
		for _, h := range append([]string{name}, l.Hosts...) {
			if hosts[h] || h != strings.ToLower(h) {
				t.Errorf("host %q has two keys or is not in lower case", h)
			}
			hosts[h] = true
		}
	}
	for _, name := range resolver.Names() {
		if !keys["resolver:"+name] && name != "arxiv" && name != "landing" {
			t.Errorf("resolver %s has no limit", name)
		}
	}
}

func TestLimits_ArXivIsOneEveryThreeSeconds(t *testing.T) {
	for _, l := range resolver.Limits() {
		if l.Key != "host:arxiv.org" {
			continue
		}
		if l.InFlight != 1 || l.Every != 3*time.Second || !slices.Contains(l.Hosts, "export.arxiv.org") {
			t.Errorf("got %+v", l)
		}
		return
	}
	t.Error("no limit for host:arxiv.org")
}

package main

import (
	"cmp"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/testweb"
	"github.com/quire-dev/quire/queue"
)

// contact is told to the web's services, which take no placeholder.
const contact = "live@quire.dev"

func (c config) caFile() string { return filepath.Join(c.dir, "ca.pem") }

func (c config) writeWorks(world testweb.World) error {
	return os.WriteFile(filepath.Join(c.dir, "works.txt"), []byte(strings.Join(world.Identifiers(), "\n")+"\n"), 0o600)
}

// scaled divides a wait by the scale.
func (c config) scaled(d time.Duration) time.Duration {
	return max(time.Millisecond, time.Duration(float64(d)/c.scale).Round(time.Millisecond))
}

// retry is the default policy, scaled: 60 s become 6.
func (c config) retry() queue.RetryPolicy {
	return queue.RetryPolicy{MaxAttempts: 3, Base: c.scaled(time.Minute), Max: c.scaled(time.Hour)}
}

// limits are the shipped ones with their paces scaled.
func (c config) limits() map[string]quire.Limit {
	limits := make(map[string]quire.Limit)
	allowances := quire.Config{}.Allowances()
	for _, key := range append(allowances.Named(), "default_host", "default_resolver") {
		every := c.scaled(cmp.Or(allowances.Of(key).Every, time.Second/2))
		limits[key] = quire.Limit{Every: &every}
	}
	return limits
}

// settings are those that writeConfig writes.
func (c config) settings(web *testweb.Web) quire.Config {
	return quire.Config{
		Data: filepath.Join(c.dir, fmt.Sprintf("data-%d", c.seed)), Contact: contact, Workers: c.workers,
		Retry: c.retry(), Breaker: c.scaled(30 * time.Second), Limits: c.limits(),
		HTTP: quire.HTTP{
			ConnectTo: web.ConnectTo(), CAFile: c.caFile(),
			AllowNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		},
	}
}

// writeConfig writes a configuration that finds every host in web.
func (c config) writeConfig(web *testweb.Web) error {
	var b strings.Builder
	fmt.Fprintf(&b, "contact: %s\norchestrator: {max_workers: %d}\n", contact, c.workers)
	fmt.Fprintf(&b, "http:\n  connect_to: [\"%s\"]\n  ca_file: %q\n  allow_networks: [127.0.0.0/8]\n",
		strings.Join(web.ConnectTo(), `", "`), c.caFile())
	r := c.retry()
	fmt.Fprintf(&b, "retry: {max_attempts: %d, base: %s, max: %s, breaker: %s}\nlimits:\n", r.MaxAttempts, r.Base, r.Max, c.scaled(30*time.Second))
	for key, l := range c.limits() {
		fmt.Fprintf(&b, "  %s: {every: %s}\n", key, l.Every)
	}
	return os.WriteFile(filepath.Join(c.dir, "quire.yaml"), []byte(b.String()), 0o600)
}

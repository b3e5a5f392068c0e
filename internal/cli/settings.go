package cli

import (
	"time"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/fetch"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// settings returns the library's configuration for commands that make no request.
func (a *app) settings(flags map[string]string) (quire.Config, error) { //nolint:unparam // of the shape of its siblings
	l, err := a.read(flags)
	if err != nil {
		return quire.Config{}, err
	}
	return l.Config.library(), nil
}

// read is load for commands that use the settings: it tells what is doubtful.
func (a *app) read(flags map[string]string) (*loaded, error) {
	l, err := a.load(flags)
	if err != nil {
		return nil, err
	}
	for _, warning := range l.Warnings {
		a.note("quire: warning: %s", warning)
	}
	return l, nil
}

// readForNetwork is read for commands that talk to the network: hosts and sources
// must be told whom to write to.
func (a *app) readForNetwork(flags map[string]string) (*loaded, error) {
	l, err := a.read(flags)
	if err != nil {
		return nil, err
	}
	if err := checkContact(string(l.Config.Contact), l.origins["contact"]); err != nil {
		return nil, err
	}
	return l, nil
}

// networkSettings is settings for commands that talk to the network.
func (a *app) networkSettings(flags map[string]string) (quire.Config, error) {
	l, err := a.readForNetwork(flags)
	if err != nil {
		return quire.Config{}, err
	}
	return l.Config.library(), nil
}

// library turns the program's settings into the library's.
func (c Config) library() quire.Config {
	o := c.Orchestrator
	cfg := quire.Config{
		Contact: string(c.Contact),
		Workers: o.MaxWorkers, MaxPerHost: o.MaxPerHost, MaxPerDomain: o.MaxPerDomain, MaxPerResolver: o.MaxPerResolver,
		LeaseTTL: time.Duration(o.LeaseTTL), Heartbeat: time.Duration(o.Heartbeat), Grace: time.Duration(o.Grace),
		Retry: queue.RetryPolicy{
			MaxAttempts: c.Retry.MaxAttempts, Base: time.Duration(c.Retry.Base),
			Factor: c.Retry.Factor, Max: time.Duration(c.Retry.Max),
		},
		Breaker:      time.Duration(c.Retry.Breaker),
		Limits:       c.Limits.library(),
		Accept:       c.Accept.library(),
		HTTP:         c.HTTP.library(),
		IgnoreRobots: !c.Robots.Obey,
		NoSidecars:   !c.Works.Sidecars,
	}
	for _, name := range c.Resolvers.active() {
		r := c.Resolvers.named(name)
		if r == nil {
			cfg.Sources = append(cfg.Sources, quire.Source{Name: name, Custom: c.Resolvers.custom(name)})
			continue
		}
		cfg.Sources = append(cfg.Sources, quire.Source{
			Name: name, BaseURL: string(r.BaseURL), APIKey: r.APIKey.reveal(), Dump: string(r.Dump),
		})
	}
	return cfg
}

func (c limitsConfig) library() map[string]quire.Limit {
	limits := map[string]quire.Limit{
		"default_host":     c.DefaultHost.library(),
		"default_resolver": c.DefaultResolver.library(),
	}
	for key, l := range c.Keys {
		limits[key] = l.library()
	}
	return limits
}

func (l limitConfig) library() quire.Limit {
	return quire.Limit{
		InFlight: unlessZero(l.InFlight), Every: unlessZero(l.interval()),
		Burst: unlessZero(l.Burst), Batch: unlessZero(l.Batch), Daily: unlessZero(l.Daily),
	}
}

func unlessZero[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

func (c acceptConfig) library() quire.Accept {
	accept := quire.Accept{MaxBytes: int64(c.MaxBytes)}
	for _, f := range c.Formats {
		accept.Formats = append(accept.Formats, paper.Kind(f))
	}
	for _, v := range c.Versions {
		accept.Versions = append(accept.Versions, paper.Version(v))
	}
	for _, l := range c.Licenses {
		if l == "any" {
			accept.Licenses = nil
			break
		}
		accept.Licenses = append(accept.Licenses, l)
	}
	return accept
}

func (c httpConfig) library() quire.HTTP {
	h := quire.HTTP{
		UserAgent: string(c.UserAgent), CAFile: string(c.CAFile), AllowNetworks: c.AllowNetworks,
		Proxy: string(c.Proxy), HTTP2: !c.HTTP1Only,
		Timeouts: fetch.Timeouts{
			Connect: time.Duration(c.Timeouts.Connect), Header: time.Duration(c.Timeouts.Header),
			Idle: time.Duration(c.Timeouts.Idle), Total: time.Duration(c.Timeouts.Total),
		},
	}
	for _, rule := range c.ConnectTo {
		h.ConnectTo = append(h.ConnectTo, string(rule))
	}
	return h
}

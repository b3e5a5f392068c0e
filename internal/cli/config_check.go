package cli

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// check finds settings that are right by themselves and wrong together.
func (l *layers) check(c *Config) {
	l.giveWay(c)
	o := c.Orchestrator
	l.refuse(2*o.Heartbeat >= o.LeaseTTL, fmt.Sprintf(
		"%s must be under half of orchestrator.lease_ttl, which is %s: a lease must outlive one lost heartbeat", o.Heartbeat, o.LeaseTTL),
		"orchestrator.heartbeat", "orchestrator.lease_ttl")
	l.refuse(o.Grace > o.LeaseTTL, fmt.Sprintf("%s is more than orchestrator.lease_ttl, which is %s", o.Grace, o.LeaseTTL),
		"orchestrator.grace", "orchestrator.lease_ttl")
	l.refuse(o.MaxPerDomain < o.MaxPerHost, fmt.Sprintf("%d is less than orchestrator.max_per_host, which is %d", o.MaxPerDomain, o.MaxPerHost),
		"orchestrator.max_per_domain", "orchestrator.max_per_host")
	l.refuse(c.Retry.Base > c.Retry.Max, fmt.Sprintf("%s is more than retry.max, which is %s", c.Retry.Base, c.Retry.Max),
		"retry.base", "retry.max")

	t := c.HTTP.Timeouts
	for _, part := range []struct {
		name string
		time duration
	}{{"connect", t.Connect}, {"header", t.Header}, {"idle", t.Idle}} {
		l.refuse(part.time > t.Total, fmt.Sprintf("%s is more than http.timeouts.total, which is %s", part.time, t.Total),
			"http.timeouts."+part.name, "http.timeouts.total")
	}
	l.refuse(len(c.Accept.Licenses) > 1 && slices.Contains(c.Accept.Licenses, "any"), "any stands alone", "accept.licenses")
	for name, list := range map[string]int{
		"accept.formats": len(c.Accept.Formats), "accept.versions": len(c.Accept.Versions),
		"accept.licenses": len(c.Accept.Licenses), "resolvers.order": len(c.Resolvers.Order),
	} {
		l.refuse(list == 0, "is empty; nothing could ever be found", name)
	}
	l.checkLimits(&c.Limits)
	l.checkCustom(&c.Resolvers)
	l.checkNames(c)
	l.checkDumps(&c.Resolvers)
	l.checkRoots(c.HTTP.CAFile)
}

// giveWay moves defaults that a setting has left no room for: whoever sets one
// limit need not know of the others.
func (l *layers) giveWay(c *Config) {
	o, t := &c.Orchestrator, &c.HTTP.Timeouts
	for _, d := range []struct {
		path  string
		value *duration
		most  duration
	}{
		{"orchestrator.heartbeat", &o.Heartbeat, (o.LeaseTTL - 1) / 2},
		{"orchestrator.grace", &o.Grace, o.LeaseTTL},
		{"retry.base", &c.Retry.Base, c.Retry.Max},
		{"http.timeouts.connect", &t.Connect, t.Total},
		{"http.timeouts.header", &t.Header, t.Total},
		{"http.timeouts.idle", &t.Idle, t.Total},
	} {
		if l.origins[d.path].rank != byDefault || *d.value <= d.most {
			continue
		}
		*d.value = d.most
		if d.path == "orchestrator.heartbeat" {
			*d.value = o.LeaseTTL / 3
		}
	}
	if l.origins["orchestrator.max_per_domain"].rank == byDefault {
		o.MaxPerDomain = max(o.MaxPerDomain, o.MaxPerHost)
	}
}

// refuse notes a problem if there is one. Of the settings that are part of it,
// the one set last, by rank, is blamed.
func (l *layers) refuse(wrong bool, why string, paths ...string) {
	if !wrong {
		return
	}
	blamed := paths[0]
	for _, path := range paths[1:] {
		if l.origins[path].rank > l.origins[blamed].rank {
			blamed = path
		}
	}
	if blamed != paths[0] {
		why = paths[0] + ": " + why
	}
	l.fail(l.origins[blamed], blamed, errors.New(why))
}

// checkLimits sees to it that each limit makes sense.
func (l *layers) checkLimits(c *limitsConfig) {
	l.settlePace(&c.DefaultHost, "limits.default_host")
	l.settlePace(&c.DefaultResolver, "limits.default_resolver")
	l.refuseBatch(c.DefaultHost, "limits.default_host")
	for key, limit := range c.Keys {
		l.settlePace(limit, "limits."+key)
		if strings.HasPrefix(key, "host:") {
			l.refuseBatch(*limit, "limits."+key)
		}
	}
}

func (l *layers) refuseBatch(limit limitConfig, path string) {
	l.refuse(limit.Batch > 0, "is for resolvers: a host is asked for one file at a time", path+".batch")
}

// settlePace sees to it that a limit has one pace. Of every, per_second and
// per_minute from different sources the one of highest rank holds; two from the
// same source contradict each other.
func (l *layers) settlePace(limit *limitConfig, path string) {
	var best origin
	var given string
	for _, name := range []string{"every", "per_second", "per_minute"} {
		from, ok := l.origins[path+"."+name]
		switch {
		case !ok:
			continue
		case given != "" && from.rank == best.rank:
			l.fail(from, path, fmt.Errorf("%s and %s are both given; one is enough", given, name))
		case given == "" || from.rank > best.rank:
			best, given = from, name
		}
	}
	if given == "" {
		return
	}
	limit.Every = keepIf(given == "every", limit.Every)
	limit.PerSecond = keepIf(given == "per_second", limit.PerSecond)
	limit.PerMinute = keepIf(given == "per_minute", limit.PerMinute)
}

func keepIf[T duration | float64](keep bool, v T) T {
	if keep {
		return v
	}
	return 0
}

// checkRoots reads the extra trust roots, to complain before a run begins and
// not in the middle of it.
func (l *layers) checkRoots(path filePath) {
	if path == "" {
		return
	}
	pem, err := readSmall(string(path), maxConfigBytes)
	if err == nil && !x509.NewCertPool().AppendCertsFromPEM(pem) {
		err = fmt.Errorf("%s has no PEM certificate", path)
	}
	if err != nil {
		l.fail(l.origins["http.ca_file"], "http.ca_file", err)
	}
}

package cli

import (
	"strings"
	"time"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/report"
)

// Where values of limits are from, beside the places that config show tells of.
const (
	fromDefault = "default"
	fromTable   = "shipped table"
)

// limit makes the shape of what is in force at a key: what is allowed, as far as
// the key's state in now, which may be empty, does not narrow it.
func (l *loaded) limit(a quire.Allowance, now quire.KeyState) report.Limit {
	r := report.Limit{
		Key: a.Key, Hosts: append([]string{}, a.Hosts...),
		InFlight: unlessZero(a.InFlight), Start: unlessZero(a.Start), Burst: max(a.Burst, 1), Batch: max(a.Batch, 1),
		Daily: unlessZero(a.Daily), Group: unlessZero(a.Group), GroupInFlight: unlessZero(a.GroupInFlight),
		VerifiedOn: unlessZero(a.VerifiedOn), Source: unlessZero(a.Source),
		From: report.LimitFrom{
			InFlight: l.limitOrigin(a, a.From.InFlight, "in_flight"), PerSecond: l.limitOrigin(a, a.From.Every, "every", "per_second", "per_minute"),
			Burst: l.limitOrigin(a, a.From.Burst, "burst"), Batch: l.limitOrigin(a, a.From.Batch, "batch"),
			Daily: l.limitOrigin(a, a.From.Daily, "daily"), Group: l.limitOrigin(a, a.From.Group),
		},
	}
	r.PerSecond, r.EverySeconds = unlessZero(a.PerSecond()), unlessZero(a.Every.Seconds())
	if now.Key == "" {
		return r
	}
	narrow(&r, a, now)
	r.Now = &report.LimitNow{GateSeconds: now.Gate.Seconds(), GateReason: unlessZero(now.Reason), Breaker: now.Breaker}
	if a.Daily > 0 {
		r.Now.Today = &now.Today
	}
	return r
}

// narrow takes over what was announced and learnt.
func narrow(r *report.Limit, a quire.Allowance, now quire.KeyState) {
	if now.From != "configured" && now.PerSecond > 0 {
		every := time.Duration(float64(time.Second) / now.PerSecond).Seconds()
		r.PerSecond, r.EverySeconds, r.From.PerSecond = &now.PerSecond, &every, now.From
	}
	start := a.InFlight
	if a.Start > 0 {
		start = a.Start
	}
	switch now.Cap {
	case start: // nothing has been learnt
	case a.InFlight:
		r.Start = nil
	default:
		r.InFlight, r.Start, r.From.InFlight = unlessZero(now.Cap), nil, "announced or learnt"
	}
}

// limitOrigin says where a value is from, by what the library says of it and by
// the names that the value has in the configuration.
func (l *loaded) limitOrigin(a quire.Allowance, from string, names ...string) string {
	var paths []string
	switch from {
	case quire.FromDefault:
		return fromDefault
	case quire.FromTable:
		return fromTable
	case quire.FromResolver:
		return from
	case "MaxPerHost":
		paths = []string{"orchestrator.max_per_host"}
	case "MaxPerDomain":
		paths = []string{"orchestrator.max_per_domain"}
	case "MaxPerResolver":
		paths = []string{"orchestrator.max_per_resolver." + strings.TrimPrefix(a.Key, "resolver:")}
	default: // a key of the limits
		for _, name := range names {
			paths = append(paths, "limits."+from+"."+name)
		}
	}
	var best origin
	for _, path := range paths {
		if o := l.origins[path]; o.rank > best.rank {
			best = o
		}
	}
	return best.String()
}

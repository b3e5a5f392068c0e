package quire

import (
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"

	"github.com/quire-dev/quire/internal/harvest"
	"github.com/quire-dev/quire/internal/resolver"
	"github.com/quire-dev/quire/orchestrator"
)

// Limit overrides the allowance of a key. A nil field keeps what is in force.
type Limit struct {
	InFlight *int           // requests at once
	Every    *time.Duration // least time between two starts
	Burst    *int           // starts that may come at once after a rest
	Batch    *int           // works that one request may ask a resolver for; what it can't take it is not asked
	Daily    *int           // requests in a day of UTC; 0 for any number
}

// Allowance is what a run starts with at a key. What the key announces and what
// the run learns there narrow it.
type Allowance struct {
	orchestrator.Limit
	Key   string
	Hosts []string // other hosts that share it; of a resolver: those of its API
	From  AllowanceFrom

	// Of the row in the shipped table; empty if there is none.
	VerifiedOn string // month, as 2026-11
	Source     string // what is documented, and what inferred
}

// AllowanceFrom tells where the values of an [Allowance] are from: [FromDefault],
// [FromTable], [FromResolver], the name of a field of [Config] such as MaxPerHost,
// or a key of Config.Limits.
type AllowanceFrom struct{ InFlight, Every, Burst, Batch, Daily, Group string }

// Where a value of an [Allowance] may be from.
const (
	FromDefault  = "default"
	FromTable    = "table"
	FromResolver = "resolver" // it can take no more
)

const (
	// startAt is how many requests at once a host gets that nobody has said anything
	// of, until it has answered well for a while.
	startAt = 2
	// perDomain is the default of Config.MaxPerDomain: two hosts' worth, as sites put
	// many hosts before few machines.
	perDomain = 8
)

// Allowances tells what a [Config] allows at each key. Its methods are safe for
// concurrent use.
type Allowances struct {
	cfg       Config
	shipped   map[string]resolver.Limit
	overrides map[string]override // by the key that they hold for
	hosts     hostKeys
	batches   map[string]int // the most works that a resolver can be asked for at once, by name
}

// override is an entry of Config.Limits.
type override struct {
	Limit
	name string // there
}

// Allowances returns what c allows.
func (c Config) Allowances() *Allowances {
	if full, err := c.withDefaults(); err == nil {
		c = full
	}
	a := &Allowances{
		cfg: c, shipped: make(map[string]resolver.Limit), overrides: make(map[string]override),
		hosts: newHostKeys(), batches: make(map[string]int),
	}
	for _, l := range resolver.Limits() {
		a.shipped[l.Key] = l
	}
	for _, key := range slices.Sorted(maps.Keys(c.Limits)) {
		service := a.hosts.service(key)
		if _, own := c.Limits[service]; own && service != key {
			continue // of two names of a service its own counts
		}
		a.overrides[service] = override{c.Limits[key], key}
	}
	for _, name := range resolver.Names() {
		if r, err := resolver.New(name, resolver.Config{Contact: noContact}, nil); err == nil {
			a.batches[name] = r.Batch()
		}
	}
	return a
}

// Named returns the keys that the shipped table or Config.Limits names, and those
// of sources of the user's own, sorted.
func (a *Allowances) Named() []string {
	keys := slices.Collect(maps.Keys(a.shipped))
	for key := range a.overrides {
		if strings.Contains(key, ":") { // no default
			keys = append(keys, key)
		}
	}
	for _, s := range a.cfg.Sources {
		if s.Custom != nil {
			keys = append(keys, "resolver:"+s.Name)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// Of returns what is allowed at a key. That of a host which shares another key
// stands for that one.
func (a *Allowances) Of(key string) Allowance {
	key = a.hosts.service(key)
	if key == harvest.Nowhere {
		return Allowance{Key: key}
	}
	kind, name, _ := strings.Cut(key, ":")
	l := Allowance{
		Key: key, Limit: orchestrator.Limit{InFlight: a.cfg.MaxPerHost, Every: time.Second / 2, Break: a.cfg.Breaker},
		From: AllowanceFrom{"MaxPerHost", FromDefault, FromDefault, FromDefault, FromDefault, FromDefault},
	}
	l.override(a.overrides["default_"+kind])
	row, shipped := a.shipped[key]
	if shipped {
		l.ship(row)
		if kind == "host" && l.InFlight > a.cfg.MaxPerHost {
			l.InFlight, l.From.InFlight = a.cfg.MaxPerHost, "MaxPerHost"
		}
	}
	if n := a.cfg.MaxPerResolver[name]; kind == "resolver" && n > 0 {
		l.InFlight, l.From.InFlight = n, "MaxPerResolver"
	}
	l.override(a.overrides[key])
	if kind == "resolver" {
		if most := max(a.batches[name], 1); l.Batch > most {
			l.Batch, l.From.Batch = most, FromResolver
		}
		return l
	}
	l.Batch, l.From.Batch = 0, FromDefault // a host is asked for one file at a time
	if !shipped {
		a.unknown(&l, name)
	}
	return l
}

// unknown narrows the allowance of a host that the table does not know: it starts
// low unless somebody has said how many requests it bears, and shares a cap with
// the other hosts of its domain, unless it was allowed more than that by name.
func (a *Allowances) unknown(l *Allowance, host string) {
	if l.From.InFlight == "MaxPerHost" && l.InFlight > startAt {
		l.Start = startAt
	}
	most := max(a.cfg.MaxPerDomain, a.cfg.MaxPerHost)
	if n := a.overrides["default_host"].InFlight; n != nil {
		most = max(most, *n)
	}
	if domain := domainOf(host); domain != "" && l.InFlight <= most {
		l.Group, l.GroupInFlight, l.From.Group = "domain:"+domain, most, "MaxPerDomain"
	}
}

// domainOf returns the domain that somebody has registered of which host, NAME or
// NAME:PORT, is part; "" if there is none, as for an address.
func domainOf(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil || !strings.Contains(host, ".") {
		return ""
	}
	domain, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil {
		return "" // a suffix under which everybody can register
	}
	return domain
}

// ship takes over a row of the shipped table.
func (l *Allowance) ship(row resolver.Limit) {
	l.Hosts, l.VerifiedOn, l.Source = row.Hosts, row.VerifiedOn, row.Source
	l.InFlight, l.Every, l.Burst, l.Batch, l.Daily = row.InFlight, row.Every, row.Burst, row.Batch, row.Daily
	said := func(n int) string {
		if n > 0 {
			return FromTable
		}
		return FromDefault
	}
	l.From = AllowanceFrom{FromTable, FromTable, said(row.Burst), said(row.Batch), said(row.Daily), FromDefault}
}

func (l *Allowance) override(by override) {
	overrideValue(by.InFlight, by.name, &l.InFlight, &l.From.InFlight)
	overrideValue(by.Every, by.name, &l.Every, &l.From.Every)
	overrideValue(by.Burst, by.name, &l.Burst, &l.From.Burst)
	overrideValue(by.Batch, by.name, &l.Batch, &l.From.Batch)
	overrideValue(by.Daily, by.name, &l.Daily, &l.From.Daily)
}

func overrideValue[T any](by *T, name string, value *T, from *string) {
	if by != nil {
		*value, *from = *by, name
	}
}

// limit returns the allowance of a key as a run wants it.
func (a *Allowances) limit(key string) orchestrator.Limit { return a.Of(key).Limit }

// SetLimits puts in force what cfg says of limits: Limits, MaxPerHost, MaxPerDomain,
// MaxPerResolver and Breaker. What else it says is not looked at. A Run that is going
// on obeys it from now on at every key, whether cfg still names it or not; what it
// newly allows starts within about a second. What keys have announced, and what the
// run has learnt of them, stays.
func (s *System) SetLimits(cfg Config) {
	limits := s.cfg
	limits.Limits, limits.Breaker = cfg.Limits, cfg.Breaker
	limits.MaxPerHost, limits.MaxPerDomain, limits.MaxPerResolver = cfg.MaxPerHost, cfg.MaxPerDomain, cfg.MaxPerResolver
	s.allowed.Store(limits.Allowances())
	if orch := s.running.Load(); orch != nil {
		orch.SetLimits(s.limit)
	}
}

// limit returns the allowance of a key that is in force now.
func (s *System) limit(key string) orchestrator.Limit { return s.allowed.Load().limit(key) }

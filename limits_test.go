package quire_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/orchestrator"
)

// allow returns an override of some values.
func allow(inFlight int, every time.Duration) quire.Limit {
	var l quire.Limit
	if inFlight > 0 {
		l.InFlight = &inFlight
	}
	if every > 0 {
		l.Every = &every
	}
	return l
}

func TestAllowances_Of(t *testing.T) {
	five, nine, thousand := 5, 9, 1000
	more := quire.Limit{Burst: &five, Batch: &nine, Daily: &nine}
	const half = time.Second / 2
	tests := map[string]struct {
		cfg  quire.Config
		key  string
		want orchestrator.Limit
	}{
		"a host that nobody knows": {
			quire.Config{},
			"host:repo.uni.ac.uk",
			orchestrator.Limit{InFlight: 4, Start: 2, Every: half, Group: "domain:uni.ac.uk", GroupInFlight: 8},
		},
		"at a port": {
			quire.Config{},
			"host:repo.uni.example:8443",
			orchestrator.Limit{InFlight: 4, Start: 2, Every: half, Group: "domain:uni.example", GroupInFlight: 8},
		},
		"a suffix under which everybody registers": {
			quire.Config{},
			"host:someone.github.io",
			orchestrator.Limit{InFlight: 4, Start: 2, Every: half, Group: "domain:someone.github.io", GroupInFlight: 8},
		},
		"that suffix itself": {quire.Config{}, "host:github.io", orchestrator.Limit{InFlight: 4, Start: 2, Every: half}},
		"an address":         {quire.Config{}, "host:192.0.2.1", orchestrator.Limit{InFlight: 4, Start: 2, Every: half}},
		"an IPv6 address":    {quire.Config{}, "host:[2001:db8::1]:8080", orchestrator.Limit{InFlight: 4, Start: 2, Every: half}},
		"a single label":     {quire.Config{}, "host:localhost:8080", orchestrator.Limit{InFlight: 4, Start: 2, Every: half}},
		"a cap that is the start already": {
			quire.Config{MaxPerHost: 2},
			"host:a.example",
			orchestrator.Limit{InFlight: 2, Every: half, Group: "domain:a.example", GroupInFlight: 8},
		},
		"a group is never narrower than a host": {
			quire.Config{MaxPerHost: 12, MaxPerDomain: 3},
			"host:a.example",
			orchestrator.Limit{InFlight: 12, Start: 2, Every: half, Group: "domain:a.example", GroupInFlight: 12},
		},
		"the configuration gives all hosts a cap": {
			quire.Config{Limits: map[string]quire.Limit{"default_host": allow(9, 0)}},
			"host:a.example",
			orchestrator.Limit{InFlight: 9, Every: half, Group: "domain:a.example", GroupInFlight: 9},
		},
		"the configuration gives this host a cap": {
			quire.Config{Limits: map[string]quire.Limit{"host:a.example": allow(3, 0)}},
			"host:a.example",
			orchestrator.Limit{InFlight: 3, Every: half, Group: "domain:a.example", GroupInFlight: 8},
		},
		"by name it may have more than its domain": {
			quire.Config{Limits: map[string]quire.Limit{"host:a.example": allow(20, time.Second)}},
			"host:a.example",
			orchestrator.Limit{InFlight: 20, Every: time.Second},
		},
		"a pace alone leaves the start": {
			quire.Config{MaxPerDomain: 5, Limits: map[string]quire.Limit{"host:a.example": allow(0, time.Second)}},
			"host:a.example",
			orchestrator.Limit{InFlight: 4, Start: 2, Every: time.Second, Group: "domain:a.example", GroupInFlight: 5},
		},
		"all that a host can be given": {
			quire.Config{Limits: map[string]quire.Limit{"host:a.example": more}},
			"host:a.example",
			orchestrator.Limit{InFlight: 4, Start: 2, Every: half, Burst: 5, Daily: 9, Group: "domain:a.example", GroupInFlight: 8},
		},
		"a host with a row of its own": {quire.Config{}, "host:arxiv.org", orchestrator.Limit{InFlight: 1, Every: 3 * time.Second}},
		"one that shares it":           {quire.Config{}, "host:export.arxiv.org", orchestrator.Limit{InFlight: 1, Every: 3 * time.Second}},
		"overridden by the name that shares it": {
			quire.Config{Limits: map[string]quire.Limit{"host:export.arxiv.org": allow(0, time.Minute)}},
			"host:arxiv.org",
			orchestrator.Limit{InFlight: 1, Every: time.Minute},
		},
		"overridden by both": {
			quire.Config{Limits: map[string]quire.Limit{"host:export.arxiv.org": allow(0, time.Minute), "host:arxiv.org": allow(0, time.Hour)}},
			"host:arxiv.org",
			orchestrator.Limit{InFlight: 1, Every: time.Hour},
		},
		"the table's cap, and a lower one for all hosts": {
			quire.Config{MaxPerHost: 1}, "host:europepmc.org", orchestrator.Limit{InFlight: 1, Every: half},
		},
		"a burst of the table": {quire.Config{}, "resolver:osf", orchestrator.Limit{InFlight: 1, Every: 45 * time.Second, Burst: 10}},
		"a resolver":           {quire.Config{}, "resolver:unpaywall", orchestrator.Limit{InFlight: 4, Every: time.Second / 8, Daily: 100_000}},
		"a resolver's cap": {
			quire.Config{MaxPerResolver: map[string]int{"unpaywall": 2}},
			"resolver:unpaywall",
			orchestrator.Limit{InFlight: 2, Every: time.Second / 8, Daily: 100_000},
		},
		"batches": {
			quire.Config{}, "resolver:semanticscholar", orchestrator.Limit{InFlight: 1, Every: time.Second, Batch: 500},
		},
		"smaller batches": {
			quire.Config{Limits: map[string]quire.Limit{"resolver:crossref": {Batch: &nine}}},
			"resolver:crossref",
			orchestrator.Limit{InFlight: 3, Every: time.Second / 3, Batch: 9},
		},
		"no larger than the resolver can take": {
			quire.Config{Limits: map[string]quire.Limit{"resolver:crossref": {Batch: &thousand}}},
			"resolver:crossref",
			orchestrator.Limit{InFlight: 3, Every: time.Second / 3, Batch: 50},
		},
		"a resolver that takes one": {
			quire.Config{Limits: map[string]quire.Limit{"resolver:unpaywall": {Batch: &thousand}}},
			"resolver:unpaywall",
			orchestrator.Limit{InFlight: 4, Every: time.Second / 8, Daily: 100_000, Batch: 1},
		},
		"nowhere": {quire.Config{}, "resolver:none", orchestrator.Limit{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.cfg.Allowances().Of(tt.key).Limit); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestAllowances_From(t *testing.T) {
	five := 5
	cfg := quire.Config{
		MaxPerResolver: map[string]int{"crossref": 2},
		Limits: map[string]quire.Limit{
			"default_host": allow(0, time.Second), "host:export.arxiv.org": {Burst: &five}, "default_resolver": allow(0, time.Hour),
		},
	}
	tests := map[string]quire.AllowanceFrom{
		"host:a.example":     {InFlight: "MaxPerHost", Every: "default_host", Burst: "default", Batch: "default", Daily: "default", Group: "MaxPerDomain"},
		"host:192.0.2.1":     {InFlight: "MaxPerHost", Every: "default_host", Burst: "default", Batch: "default", Daily: "default", Group: "default"},
		"host:www.arxiv.org": {InFlight: "table", Every: "table", Burst: "host:export.arxiv.org", Batch: "default", Daily: "default", Group: "default"},
		"resolver:unpaywall": {InFlight: "table", Every: "table", Burst: "default", Batch: "default", Daily: "table", Group: "default"},
		"resolver:newcomer":  {InFlight: "MaxPerHost", Every: "default_resolver", Burst: "default", Batch: "default", Daily: "default", Group: "default"},
	}
	for key, want := range tests {
		if diff := cmp.Diff(want, cfg.Allowances().Of(key).From); diff != "" {
			t.Errorf("%s: -want +got\n%s", key, diff)
		}
	}
	arxiv := cfg.Allowances().Of("host:www.arxiv.org")
	if arxiv.Key != "host:arxiv.org" || !slices.Contains(arxiv.Hosts, "export.arxiv.org") || arxiv.VerifiedOn == "" || arxiv.Source == "" {
		t.Errorf("of www.arxiv.org: %+v", arxiv)
	}
}

func TestAllowances_Named(t *testing.T) {
	cfg := quire.Config{Limits: map[string]quire.Limit{
		"host:a.example": allow(1, 0), "host:arxiv.org": allow(1, 0), "default_host": allow(1, 0),
	}}
	named, shipped := cfg.Allowances().Named(), quire.Config{}.Allowances().Named()
	if !slices.IsSorted(named) || !slices.Contains(named, "host:a.example") || len(named) != len(shipped)+1 {
		t.Errorf("named are %v, shipped %v; want one more", named, shipped)
	}
}

package report_test

import (
	"context"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/quire-dev/quire/internal/report"
	"github.com/quire-dev/quire/paper"
)

// planSource is a resolver for planning: it must not be asked, unless it is local.
type planSource struct {
	name    string
	accepts func(paper.IDs) bool
	url     string // of a local one
}

func (s planSource) Name() string                  { return s.name }
func (s planSource) Accepts(a paper.Artifact) bool { return s.accepts(a.IDs) }
func (s planSource) Local() bool                   { return s.url != "" }
func (s planSource) Batch() int                    { return 1 }

func (s planSource) Resolve(_ context.Context, as []paper.Artifact) ([]paper.Answer, error) {
	if !s.Local() {
		panic("a plan asks nobody")
	}
	return []paper.Answer{{Candidates: []paper.Candidate{{URL: s.url + as[0].ID}}}}, nil
}

func hasDOI(ids paper.IDs) bool { return ids.DOI != "" }

// planSources are a few of the real ones.
func planSources() []paper.Resolver {
	return []paper.Resolver{
		planSource{name: "idconv", accepts: func(ids paper.IDs) bool { return ids.DOI != "" && ids.PMCID == "" }},
		planSource{name: "pmc", accepts: func(ids paper.IDs) bool { return ids.PMCID != "" }},
		planSource{name: "arxiv", accepts: func(ids paper.IDs) bool { return ids.ArXiv != "" }, url: "https://arxiv.example/"},
		planSource{name: "unpaywall", accepts: hasDOI},
	}
}

func planLimits(key string) report.PlanLimit {
	l := map[string]report.PlanLimit{
		"resolver:idconv":    {PerSecond: 3, InFlight: 3, Batch: 200},
		"resolver:pmc":       {PerSecond: 10},
		"resolver:unpaywall": {PerSecond: 8, Daily: 100},
		"host:arxiv.example": {PerSecond: 1. / 3, InFlight: 1},
	}[key]
	l.Key = key
	return l
}

func plan(t *testing.T, works ...paper.IDs) report.Plan {
	t.Helper()
	p := report.NewPlanner(planSources(), planLimits, 32)
	for _, ids := range works {
		p.Add(t.Context(), paper.Artifact{ID: "x", IDs: ids})
	}
	return p.Plan()
}

func many(n int, ids paper.IDs) []paper.IDs {
	list := make([]paper.IDs, n)
	for i := range list {
		list[i] = ids
	}
	return list
}

// By hand: of 1,000 DOIs 150 are in PMC, which gives 116.7 files for two requests
// each; 883.3 are left for Unpaywall, which gives 38.5 % of them.
func TestPlanner_sources(t *testing.T) {
	p := plan(t, append(many(1000, paper.IDs{DOI: "10.5555/a"}), many(10, paper.IDs{ArXiv: "2101.00001"})...)...)
	key := func(name string) *string { name = "resolver:" + name; return &name }
	want := []report.PlanSource{
		{Name: "idconv", Key: key("idconv"), Batch: 200, Asked: report.Range{Min: 1000, Expected: 1000, Max: 1000}, Calls: report.Range{Min: 5, Expected: 5, Max: 5}},
		{Name: "pmc", Key: key("pmc"), Batch: 1, Asked: report.Range{Expected: 150, Max: 1000}, Calls: report.Range{Expected: 300, Max: 2000}, Files: 116.7},
		{Name: "arxiv", Batch: 1, Asked: report.Range{Min: 10, Expected: 10, Max: 10}, Files: 9},
		{Name: "unpaywall", Key: key("unpaywall"), Batch: 1, Asked: report.Range{Expected: 883.3, Max: 1000}, Calls: report.Range{Expected: 884, Max: 1000}, Files: 340.0705},
	}
	if diff := cmp.Diff(want, p.Sources, cmpopts.EquateApprox(0, 1e-6)); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
	if want := math.Round(1.43e6 * (116.7 + 9 + 340.0705)); p.Bytes != want {
		t.Errorf("%.0f bytes, want %.0f", p.Bytes, want)
	}
}

// By hand: 884 requests at 100 a day are eight whole days and 84 at 8 a second; the
// files of arXiv take three seconds each.
func TestPlanner_keys(t *testing.T) {
	p := plan(t, append(many(1000, paper.IDs{DOI: "10.5555/a"}), many(10, paper.IDs{ArXiv: "2101.00001"})...)...)
	got := map[string]report.PlanKey{}
	for _, k := range p.Keys {
		got[k.Key] = k
	}
	for key, want := range map[string]struct {
		seconds, requests float64
		binds             string
	}{
		"resolver:unpaywall": {8*86400 + 84./8, 884, report.BindsDaily},
		"resolver:idconv":    {5. / 3, 5, report.BindsPace},
		"resolver:pmc":       {30, 300, report.BindsPace},
		"host:*":             {0, 43, report.BindsPace},
		"host:arxiv.example": {30, 10, report.BindsPace},
		"max_workers":        {(1189*0.34 + (10+142+826)*1.95) / 32, 1189 + 10 + 142 + 826, report.BindsWorkers},
	} {
		k := got[key]
		if math.Abs(k.Seconds.Expected-want.seconds) > 1e-6 || k.Requests.Expected != want.requests || k.Binds != want.binds {
			t.Errorf("%s takes %v s for %v requests, bound by %s; want %+v", key, k.Seconds.Expected, k.Requests.Expected, k.Binds, want)
		}
	}
	if p.BoundKey == nil || *p.BoundKey != "resolver:unpaywall" || p.Seconds.Expected != got["resolver:unpaywall"].Seconds.Expected {
		t.Errorf("bound by %v: %+v", p.BoundKey, p.Seconds)
	}
	if p.Seconds.Min != 30 { // arXiv's, which nothing shortens
		t.Errorf("takes %v s in the best case, want 30", p.Seconds.Min)
	}
	if a := got["resolver:unpaywall"].Advice; a == nil || got["resolver:pmc"].Advice != nil {
		t.Error("advice is for keys that take more than an hour, and only for them")
	}
}

// What is expected lies between the bounds, at every source and key.
func TestPlanner_bounds(t *testing.T) {
	p := plan(t, append(many(300, paper.IDs{DOI: "10.5555/a", PMCID: "PMC1"}), many(700, paper.IDs{DOI: "10.5555/a", ArXiv: "2101.00001"})...)...)
	between := func(what string, r report.Range) {
		if r.Min > r.Expected || r.Expected > r.Max {
			t.Errorf("%s: %+v", what, r)
		}
	}
	for _, s := range p.Sources {
		between(s.Name, s.Asked)
		between(s.Name, s.Calls)
	}
	for _, k := range p.Keys {
		between(k.Key, k.Requests)
		between(k.Key, k.Seconds)
	}
	between("all", p.Seconds)
}

func TestPlanner_nothing(t *testing.T) {
	for name, p := range map[string]report.Plan{"no work": plan(t), "no source takes it": plan(t, paper.IDs{URL: "https://a.example/"})} {
		if p.BoundKey != nil || p.Files != 0 || len(p.Keys) != 0 || p.Keys == nil || p.Sources == nil || len(p.Assumptions) == 0 {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

// Every assumption says where it is from, once.
func TestPlan_assumptions(t *testing.T) {
	seen := map[string]bool{}
	for _, a := range plan(t).Assumptions {
		if seen[a.Name] || a.Source == "" || a.Unit == "" || a.Value <= 0 {
			t.Errorf("%+v", a)
		}
		seen[a.Name] = true
	}
}

package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
)

// report gathers the figures of all runs.
type report struct {
	Conditions []string `json:"conditions"`
	Notes      []string `json:"notes"`
	Lines      []*line  `json:"lines"`
	bases      []string // variants that the others are compared with
}

// line is one metric of one workload on one variant.
type line struct {
	Workload string             `json:"workload"`
	About    string             `json:"about"`
	Metric   string             `json:"metric"`
	Unit     string             `json:"unit"`
	Less     bool               `json:"less_is_better"`
	Variant  string             `json:"variant"`
	Runs     []float64          `json:"runs"`
	Median   float64            `json:"median"`
	Ahead    map[string]float64 `json:"ahead,omitempty"` // by the base's name: how many times better it is
	Failures []string           `json:"failures,omitempty"`
}

func newReport(c config) *report {
	r := &report{Notes: []string{}, Conditions: []string{
		fmt.Sprintf("%s, %s/%s, %d CPUs", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0)),
		fmt.Sprintf("%d jobs, measured for %v at most, medians of %d rounds", c.n, c.limit, c.rounds),
		"full: fsync before the answer (SQLite synchronous=FULL, PostgreSQL synchronous_commit=on, Redis appendfsync always)",
		"normal: a loss of power may lose the last jobs (SQLite NORMAL, PostgreSQL off, Redis everysec)",
	}}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if slices.Contains([]string{
				"maragu.dev/goqite", "github.com/mikestefanello/backlite", "github.com/riverqueue/river",
				"github.com/hibiken/asynq", "modernc.org/sqlite", "github.com/jackc/pgx/v5",
			}, m.Path) {
				r.Conditions = append(r.Conditions, m.Path+" "+m.Version)
			}
		}
	}
	return r
}

func (r *report) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// condition adds a line to the conditions, unless it is there.
func (r *report) condition(says string) {
	if says != "" && !slices.Contains(r.Conditions, says) {
		r.Conditions = append(r.Conditions, says)
	}
}

// add notes one run.
func (r *report) add(v variant, w workload, metrics []metric, failure error) {
	if v.base && !slices.Contains(r.bases, v.name) {
		r.bases = append(r.bases, v.name)
	}
	if failure != nil {
		r.note("%s on %s: %v", w.name, v.name, failure)
		l := r.line(v, w, metric{Name: "failed"})
		l.Failures = append(l.Failures, failure.Error())
	}
	for _, m := range metrics {
		l := r.line(v, w, m)
		l.Runs = append(l.Runs, m.Value)
		sorted := slices.Sorted(slices.Values(l.Runs))
		l.Median = (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
	}
}

// line returns the line of a metric, a new one if there is none.
func (r *report) line(v variant, w workload, m metric) *line {
	if l := r.find(v.name, w.name, m.Name); l != nil {
		return l
	}
	l := &line{Workload: w.name, About: w.about, Metric: m.Name, Unit: m.Unit, Less: m.Less, Variant: v.name}
	r.Lines = append(r.Lines, l)
	return l
}

func (r *report) find(variant, workload, metric string) *line {
	i := slices.IndexFunc(r.Lines, func(l *line) bool {
		return l.Variant == variant && l.Workload == workload && l.Metric == metric
	})
	if i < 0 {
		return nil
	}
	return r.Lines[i]
}

func (r *report) failed() bool {
	return slices.ContainsFunc(r.Lines, func(l *line) bool { return len(l.Failures) > 0 })
}

// compare sorts the lines by workload, metric and variant, and fills in Ahead.
func (r *report) compare() {
	order := map[string]int{}
	for i, w := range workloads() {
		order[w.name] = i
	}
	for i, v := range variants() {
		order[v.name] = i
	}
	slices.SortStableFunc(r.Lines, func(a, b *line) int {
		if a.Workload != b.Workload {
			return order[a.Workload] - order[b.Workload]
		}
		if a.Metric != b.Metric { // p50 before p99, last after p50
			return strings.Compare(b.Metric[:1], a.Metric[:1])*2 + strings.Compare(a.Metric, b.Metric)
		}
		return order[a.Variant] - order[b.Variant]
	})
	for _, l := range r.Lines {
		l.Ahead = map[string]float64{}
		for _, name := range r.bases {
			base := r.find(name, l.Workload, l.Metric)
			if base == nil || base.Median == 0 || l.Median == 0 {
				continue
			}
			l.Ahead[name] = base.Median / l.Median
			if l.Less {
				l.Ahead[name] = l.Median / base.Median
			}
		}
	}
}

package report

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// Yield is the JSON shape of what became of a collection.
type Yield struct {
	Run          *string  `json:"run"` // the batch; null: all jobs
	At           Time     `json:"at"`
	QuireVersion string   `json:"quire_version"`
	Queued       int      `json:"queued"`
	InProgress   int      `json:"in_progress"`
	Done         int      `json:"done"`
	Skipped      int      `json:"skipped"`
	Error        int      `json:"error"`
	Total        int      `json:"total"`
	YieldPercent *float64 `json:"yield_percent"` // Done of Total, to a tenth; null without jobs
	Bytes        int64    `json:"bytes"`         // of the files, one that several works share counted for each
	Tables       Tables   `json:"tables"`
	Next         []Advice `json:"next"`
}

// Tables are the tables of a [Yield]. All works are in State and in Registrant;
// each is, besides, in exactly one of Source, Missing and Waiting.
type Tables struct {
	State      Table `json:"state"`
	Source     Table `json:"source"`     // files, by the resolver that gave them
	Host       Table `json:"host"`       // files, by the host that the last redirect led to
	Registrant Table `json:"registrant"` // works, by DOI prefix; null: no DOI is known
	License    Table `json:"license"`    // files
	Version    Table `json:"version"`    // files
	Missing    Table `json:"missing"`    // skipped and failed works, by failure class, or by reason if they have none
	Waiting    Table `json:"waiting"`    // works that are not finished, by the key of their next step
}

// YieldTally adds up a [Yield], job by job, in memory that does not grow with their
// number. It is not safe for concurrent use.
type YieldTally struct {
	records paper.Catalog
	states  map[queue.State]*Row
	missing *Misses

	sources, hosts, registrants, licenses, versions, waiting tally
}

// NewYieldTally returns an empty tally. records tells the DOIs of works that were
// asked for by another identifier; nil if that is not wanted.
func NewYieldTally(records paper.Catalog) *YieldTally {
	t := &YieldTally{records: records, states: make(map[queue.State]*Row), missing: NewMisses()}
	for _, one := range []*tally{&t.sources, &t.hosts, &t.registrants, &t.licenses, &t.versions, &t.waiting} {
		*one = newTally()
	}
	for _, s := range queue.States() {
		t.states[s] = &Row{Name: known(string(s))}
	}
	return t
}

// Add counts a job.
func (t *YieldTally) Add(ctx context.Context, j queue.Job) error {
	done := j.State == queue.Done
	var f paper.File
	if done && len(j.Result) > 0 && json.Unmarshal(j.Result, &f) != nil {
		f = paper.File{} // another handler's result: a file of which nothing is known
	}
	f.Bytes = max(f.Bytes, 0)
	registrant, err := t.registrant(ctx, j)
	if err != nil {
		return err
	}
	t.registrants.add(registrant, done, f.Bytes)
	if s := t.states[j.State]; s != nil {
		s.Count++
		if done {
			s.Done++
			s.Bytes += f.Bytes
		}
	}
	switch {
	case done:
		t.sources.add(f.Resolver, true, f.Bytes)
		t.hosts.add(hostOf(f.URL), true, f.Bytes)
		t.licenses.add(f.License, true, f.Bytes)
		t.versions.add(string(f.Version), true, f.Bytes)
	case j.State.Terminal():
		t.missing.Add(j)
	default:
		t.waiting.add(j.Key, false, 0)
	}
	return nil
}

// registrant is the prefix of a work's DOI, or "". The record is looked up only
// where the artifact's id does not say: it costs a query.
func (t *YieldTally) registrant(ctx context.Context, j queue.Job) (string, error) {
	doi, ok := strings.CutPrefix(j.ArtifactID, "doi:")
	if !ok && t.records != nil && j.State.Terminal() {
		rec, err := t.records.Get(ctx, j.ArtifactID)
		if err != nil && !errors.Is(err, paper.ErrNotFound) {
			return "", fmt.Errorf("read record: %w", err)
		}
		doi = rec.IDs.DOI
	} else if !ok {
		doi = ""
	}
	prefix, _, _ := strings.Cut(doi, "/")
	return prefix, nil
}

// hostOf is the host of a URL, without a port; "" if it has none.
func hostOf(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// Yield returns what was added up. run is the name of the batch, empty for all;
// at is when the jobs were read, and version that of the program.
func (t *YieldTally) Yield(run string, at time.Time, version string) Yield {
	y := Yield{
		Run: known(run), At: Time(at), QuireVersion: version,
		Queued: t.states[queue.Queued].Count, InProgress: t.states[queue.InProgress].Count,
		Done: t.states[queue.Done].Count, Skipped: t.states[queue.Skipped].Count, Error: t.states[queue.Error].Count,
		Bytes: t.states[queue.Done].Bytes,
		Tables: Tables{
			State: t.stateTable(), Source: t.sources.table(), Host: t.hosts.table(), Registrant: t.registrants.table(),
			License: t.licenses.table(), Version: t.versions.table(), Missing: t.missing.ways.table(), Waiting: t.waiting.table(),
		},
	}
	y.Total = y.Tables.State.Count
	if y.Total > 0 {
		done := y.Tables.State.Rows[doneRow()].Percent
		y.YieldPercent = &done
	}
	y.Next = append(append([]Advice{}, t.missing.advice(run, y.Tables.Missing)...), adviseWaiting(y.Tables.Waiting)...)
	return y
}

// stateTable has a row for each state, in the order of a job's life.
func (t *YieldTally) stateTable() Table {
	var v Table
	for _, s := range queue.States() {
		v.Rows = append(v.Rows, *t.states[s])
	}
	v.share()
	return v
}

// doneRow is the place of [queue.Done] in a table of states.
func doneRow() int {
	for i, s := range queue.States() {
		if s == queue.Done {
			return i
		}
	}
	return 0
}

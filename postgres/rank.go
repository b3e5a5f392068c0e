package postgres

import (
	"cmp"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
)

// A share is what a run got at a key.
type share struct{ key, run string }

// A line is where jobs of one priority stand at a key.
type line struct {
	key      string
	priority int64
}

// ranks gives jobs their [queue.Job.Rank] as they arrive in one transaction. It
// is exact but for other transactions under way.
type ranks struct {
	last   map[share]int64 // the greatest rank of the run at the key, if it got one
	head   map[line]int64  // rank of the first ready job, if there is one
	served map[string]int64
	gave   map[share]int64 // what is to be kept
}

func newRanks() *ranks {
	return &ranks{
		last: make(map[share]int64), head: make(map[line]int64),
		served: make(map[string]int64), gave: make(map[share]int64),
	}
}

// An arrival is a job that comes to a key.
type arrival struct {
	share
	priority int64
}

const ranksQuery = `
	SELECT a.key, a.run, a.priority,
		(SELECT s.rank FROM quire.shares s WHERE s.key = a.key AND s.run = a.run),
		(SELECT h.rank FROM quire.queued h WHERE h.key = a.key AND h.priority = a.priority
			AND NOT h.delayed ORDER BY h.rank, h.id LIMIT 1),
		(SELECT v.rank FROM quire.served v WHERE v.key = a.key)
	FROM unnest($1::text[], $2::text[], $3::bigint[]) AS a(key, run, priority)`

// know reads, at the next flush, what ranks of the arrivals depend on.
func (r *ranks) know(t *tx, arrivals []arrival) {
	var keys, runs []string
	var priorities []int64
	seen := make(map[arrival]bool)
	for _, a := range arrivals {
		if seen[a] {
			continue
		}
		seen[a] = true
		keys, runs, priorities = append(keys, a.key), append(runs, a.run), append(priorities, a.priority)
	}
	t.queue(ranksQuery, r.scan, keys, runs, priorities)
}

func (r *ranks) scan(rows pgx.Rows) error {
	var a arrival
	var last, head, served *int64
	err := rows.Scan(&a.key, &a.run, &a.priority, &last, &head, &served)
	r.found(a, last, head, served)
	return err
}

func (r *ranks) found(a arrival, last, head, served *int64) {
	if last != nil {
		r.last[a.share] = *last
	}
	if head != nil {
		r.head[line{a.key, a.priority}] = *head
	}
	if served != nil {
		r.served[a.key] = *served
	}
}

// arrive gives the next job of a run its rank.
func (r *ranks) arrive(a arrival, ready bool) int64 {
	l := line{a.key, a.priority}
	rank, found := r.head[l]
	switch served := r.served[a.key]; {
	case !found:
		rank = served
	case served < rank:
		rank--
	}
	if last, got := r.last[a.share]; got {
		rank = max(rank, last+1)
	}
	r.last[a.share], r.gave[a.share] = rank, rank
	if ready {
		r.stay(l, rank)
	}
	return rank
}

// stay notes that a job of a rank is ready.
func (r *ranks) stay(l line, rank int64) {
	if head, found := r.head[l]; !found || rank < head {
		r.head[l] = rank
	}
}

// keep writes down, at the next flush, what runs got. Transactions that do so
// wait for each other, so it comes last, and in the same order everywhere.
func (r *ranks) keep(t *tx) {
	const query = `
	INSERT INTO quire.shares AS s (key, run, rank) SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[])
	ON CONFLICT (key, run) DO UPDATE SET rank = greatest(s.rank, excluded.rank)`
	var keys, runs []string
	var last []int64
	sorted := slices.SortedFunc(maps.Keys(r.gave), func(a, b share) int {
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.run, b.run))
	})
	for _, s := range sorted {
		keys, runs, last = append(keys, s.key), append(runs, s.run), append(last, r.gave[s])
	}
	if len(keys) > 0 {
		t.queue(query, nil, keys, runs, last)
	}
}

package report

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

const (
	// maxNames is how many names a table of a [Yield] tells apart; those that come
	// up later are counted together. 61 million harvested works had 178,536 hosts (the
	// sandcrawler project's statistics of 2023), so that five million seldom have more.
	maxNames = 100_000
	// maxName is how long a name may be, in bytes: as long as a host's (RFC 1035
	// section 2.3.4, without the bytes that only the wire has).
	maxName = 253
	// shown is how many rows people see of a table.
	shown = 20
)

// Table is the JSON shape of a table. The percentages of all its rows, and of
// Overflow, add up to exactly 100, if it counts anything.
type Table struct {
	Count    int   `json:"count"`    // sum over the rows and Overflow
	Rows     []Row `json:"rows"`     // those with most first; of the states, in the order of a job's life
	Overflow *Row  `json:"overflow"` // all names after the first 100,000 together; null: there are none
}

// Row is the JSON shape of a row of a [Table].
type Row struct {
	Name    *string `json:"name"` // null: unknown
	Count   int     `json:"count"`
	Percent float64 `json:"percent"` // of the table's count, to a tenth
	Done    int     `json:"done"`    // of Count, how many have their file
	Bytes   int64   `json:"bytes"`   // of these files

	tenths int
}

// tally counts works by name, in bounded memory.
type tally struct {
	rows     map[string]*Row
	overflow *Row
	most     int
}

func newTally() tally { return tally{rows: make(map[string]*Row), most: maxNames} }

// add counts a work, and its file if it has one. An empty name is unknown.
func (t *tally) add(name string, done bool, bytes int64) {
	if len(name) > maxName {
		name = strings.ToValidUTF8(name[:maxName-len("…")], "") + "…"
	}
	row := t.rows[name]
	switch {
	case row != nil:
	case len(t.rows) < t.most:
		row = &Row{Name: known(strings.Clone(name))} // the name must not keep its whole record in memory
		t.rows[strings.Clone(name)] = row
	default:
		if t.overflow == nil {
			t.overflow = &Row{}
		}
		row = t.overflow
	}
	row.Count++
	if done {
		row.Done++
		row.Bytes += bytes
	}
}

// table sorts and shares out what was counted.
func (t *tally) table() Table {
	byCount := func(a, b *Row) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(orEmpty(a.Name), orEmpty(b.Name)))
	}
	v := Table{Rows: []Row{}}
	for _, r := range slices.SortedFunc(maps.Values(t.rows), byCount) {
		v.Rows = append(v.Rows, *r)
	}
	if t.overflow != nil {
		last := *t.overflow
		v.Overflow = &last
	}
	v.share()
	return v
}

// share gives each row its percentage: first to those that people see and to the
// rest as a whole, so that their table adds up, and then within the rest.
func (t *Table) share() {
	all := make([]*Row, 0, len(t.Rows)+1)
	for i := range t.Rows {
		all = append(all, &t.Rows[i])
	}
	if t.Overflow != nil {
		all = append(all, t.Overflow)
	}
	t.Count = count(all)
	head, tail := all[:min(len(t.Rows), shown)], all[min(len(t.Rows), shown):]
	top := shares(append(counts(head), count(tail)), whole)
	for i, tenths := range slices.Concat(top[:len(head)], shares(counts(tail), top[len(head)])) {
		all[i].tenths, all[i].Percent = tenths, percent(tenths)
	}
}

func counts(rows []*Row) []int {
	list := make([]int, len(rows))
	for i, r := range rows {
		list[i] = r.Count
	}
	return list
}

func count(rows []*Row) (sum int) {
	for _, n := range counts(rows) {
		sum += n
	}
	return sum
}

// head returns the rows that people see, and the sum of the others, if there are any.
func (t *Table) head() (rows []Row, other *Row) {
	rows, rest := t.Rows[:min(len(t.Rows), shown)], t.Rows[min(len(t.Rows), shown):]
	if t.Overflow != nil {
		rest = append(slices.Clip(rest), *t.Overflow)
	}
	for _, r := range rest {
		if other == nil {
			other = &Row{}
		}
		other.Count += r.Count
		other.Done += r.Done
		other.Bytes += r.Bytes
		other.tenths += r.tenths
		other.Percent = percent(other.tenths)
	}
	return rows, other
}

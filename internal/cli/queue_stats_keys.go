package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/quire-dev/quire/internal/report"
)

const (
	mostKeys  = 50 // people are shown
	keyCells  = 44 // a key's column takes at most, where there is room
	fewCells  = 28 // and at least, where there is none
	whyCells  = 24 // are left for what keeps a key, if anything does
	leastWhy  = 8  // with fewer it is not told
	unlimited = 0  // columns of what is no terminal
)

// keyColumn is a column of the table of keys, beside the key itself.
type keyColumn struct {
	name  string
	cells int
	of    func(report.KeyStats) string
	rank  int // where there is no room those of the highest go first
}

func keyColumns() []keyColumn {
	return []keyColumn{
		{"ready", 8, func(k report.KeyStats) string { return strconv.Itoa(k.Ready) }, 1},
		{"delayed", 8, func(k report.KeyStats) string { return strconv.Itoa(k.Delayed) }, 2},
		{"in flight", 13, func(k report.KeyStats) string { return fmt.Sprintf("%d/%s", k.InFlight, capText(k)) }, 3},
		{"a second", 9, rateOf, 5},
		{"head", 11, func(k report.KeyStats) string { return ifAny(k.HeadAgeSeconds) }, 4},
		{"left", 11, func(k report.KeyStats) string { return ifAny(k.LeftSeconds) }, 0},
	}
}

// keyLines is the table of keys, those with most left first: at most so many
// lines with its heading, none longer than a terminal has columns.
func keyLines(keys []report.KeyStats, columns, lines int) []string {
	if len(keys) == 0 || lines < 2 {
		return nil
	}
	keys = slices.SortedFunc(slices.Values(keys), func(a, b report.KeyStats) int {
		return cmp.Or(cmp.Compare(b.LeftSeconds, a.LeftSeconds), cmp.Compare(b.Delayed, a.Delayed), cmp.Compare(a.Key, b.Key))
	})
	shown := keys[:min(len(keys), lines-1, mostKeys)]
	if len(shown) < len(keys) { // the last line tells how many more
		shown = keys[:max(1, min(len(shown), lines-2))]
	}
	table := fitKeys(shown, columns)
	text := []string{table.heading()}
	for _, k := range shown {
		text = append(text, table.row(k))
	}
	if more := len(keys) - len(shown); more > 0 && len(text) < lines {
		text = append(text, fmt.Sprintf("… and %d more keys", more))
	}
	return text
}

// keyTable is how the keys are laid out.
type keyTable struct {
	columns int // of the terminal
	key     int // cells
	others  []keyColumn
}

// fitKeys leaves out columns until the rest has room.
func fitKeys(keys []report.KeyStats, columns int) keyTable {
	t := keyTable{columns: columns, key: keyCells, others: keyColumns()}
	if columns == unlimited {
		return t
	}
	longest, why := len("key"), 0
	for _, k := range keys {
		longest, why = max(longest, ansi.StringWidth(printable(k.Key))), max(why, ansi.StringWidth(printable(keptBy(k))))
	}
	t.key = min(longest, keyCells)
	if why > 0 {
		why = min(why, whyCells) + 2
	}
	for t.cells()+why > columns && len(t.others) > 1 {
		last := 0
		for i, c := range t.others {
			if c.rank > t.others[last].rank {
				last = i
			}
		}
		t.others = slices.Delete(t.others, last, last+1)
	}
	if over := t.cells() + why - columns; over > 0 {
		t.key = max(t.key-over, min(t.key, fewCells))
	}
	return t
}

// cells is how many a row takes without what keeps the key.
func (t keyTable) cells() int {
	n := t.key
	for _, c := range t.others {
		n += 1 + c.cells
	}
	return n
}

func (t keyTable) heading() string {
	return t.fit(t.cellsOf("key", func(c keyColumn) string { return c.name }))
}

func (t keyTable) row(k report.KeyStats) string {
	line := t.cellsOf(printable(k.Key), func(c keyColumn) string { return c.of(k) })
	if why := keptBy(k); why != "" && (t.columns == unlimited || ansi.StringWidth(line)+2+leastWhy <= t.columns) {
		line += "  " + printable(why)
	}
	return t.fit(line)
}

// cellsOf is a row: what is in its first cell, and in the others.
func (t keyTable) cellsOf(first string, other func(keyColumn) string) string {
	if t.columns != unlimited {
		first = ansi.Truncate(first, t.key, "…")
	}
	var line strings.Builder
	line.WriteString(first)
	line.WriteString(strings.Repeat(" ", max(0, t.key-ansi.StringWidth(first))))
	for _, c := range t.others {
		fmt.Fprintf(&line, " %*s", c.cells, other(c))
	}
	return line.String()
}

func (t keyTable) fit(line string) string {
	if t.columns == unlimited {
		return line
	}
	return ansi.Truncate(line, t.columns, "…")
}

// capText is the most requests at once, and the jobs in each.
func capText(k report.KeyStats) string {
	text := "any"
	if k.Cap > 0 {
		text = strconv.Itoa(k.Cap)
	}
	if k.Batch > 1 {
		text += fmt.Sprintf(" x %d", k.Batch)
	}
	return text
}

func rateOf(k report.KeyStats) string {
	if k.PerSecond == nil {
		return "any"
	}
	return rateText(*k.PerSecond)
}

// ifAny is a time that is not 0.
func ifAny(s float64) string {
	if s <= 0 {
		return "-"
	}
	return report.Span(report.Seconds(s))
}

// keptBy tells what is not as usual at a key.
func keptBy(k report.KeyStats) string {
	var words []string
	if k.GateReason != nil {
		words = append(words, fmt.Sprintf("gated %s: %s", report.Span(report.Seconds(k.GateSeconds)), *k.GateReason))
	}
	if k.Breaker != "closed" {
		words = append(words, "breaker "+k.Breaker)
	}
	if k.Paused {
		words = append(words, "paused")
	}
	if k.RateFrom != "configured" {
		words = append(words, "pace "+k.RateFrom)
	}
	return strings.Join(words, ", ")
}

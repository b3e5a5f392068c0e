package cli

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/quire-dev/quire/internal/report"
)

// The texts of plans for people.

func writePlan(w io.Writer, p report.Plan) error {
	fmt.Fprintf(w, "%s\n", planHead(p))
	if p.Works == 0 {
		return nil
	}
	fmt.Fprintf(w, "%s\n\nSources, in the order in which they are asked\n", planYield(p))
	rows := [][]string{{"source", "works", "batch", "calls", "least", "most", "files"}}
	for _, s := range p.Sources {
		row := []string{s.Name, whole(s.Asked.Expected), strconv.Itoa(s.Batch), "-", "-", "-", whole(s.Files)}
		if s.Key != nil {
			row[3], row[4], row[5] = whole(s.Calls.Expected), whole(s.Calls.Min), whole(s.Calls.Max)
		}
		rows = append(rows, row)
	}
	report.WriteAligned(w, rows)
	fmt.Fprint(w, "\nKeys, those that take longest first\n")
	rows = [][]string{{"key", "requests", "take", "least", "most", "by"}}
	for _, k := range p.Keys {
		rows = append(rows, []string{
			printable(k.Key), whole(k.Requests.Expected), spanOf(k.Seconds.Expected), spanOf(k.Seconds.Min), spanOf(k.Seconds.Max), bindsText(k),
		})
	}
	report.WriteAligned(w, rows, 5)
	writePlanAdvice(w, p)
	return writeAssumptions(w, p.Assumptions)
}

// planHead counts the works.
func planHead(p report.Plan) string {
	head := fmt.Sprintf("%d works to get", p.Works)
	if p.Works == 1 {
		head = "1 work to get"
	}
	for _, left := range []struct {
		n    int
		what string
	}{
		{p.Done, "got already"},
		{p.Ended, "skipped or failed before: see quire report"},
		{p.Duplicates, "named again"},
		{p.Rejected, "of no use: see quire queue import --dry-run"},
	} {
		if left.n > 0 {
			head += fmt.Sprintf("\n  not counted: %d %s", left.n, left.what)
		}
	}
	return head
}

// planYield tells what comes of it, and how long it takes.
func planYield(p report.Plan) string {
	text := fmt.Sprintf("Expected: %s files (%.0f %%), %s", whole(p.Files), 100*p.Files/float64(p.Works), report.Size(int64(p.Bytes)))
	if p.BoundKey == nil {
		return text
	}
	return fmt.Sprintf("%s; %s at least, bound by %s (best case %s, worst %s)", text, spanOf(p.Seconds.Expected), printable(*p.BoundKey),
		spanOf(p.Seconds.Min), spanOf(p.Seconds.Max))
}

// bindsText tells why a key takes so long.
func bindsText(k report.PlanKey) string {
	switch {
	case k.Binds == report.BindsDaily:
		return strconv.Itoa(*k.Daily) + " a day"
	case k.Binds == report.BindsWorkers:
		return strconv.Itoa(*k.InFlight) + " at once, over all keys"
	case k.Binds == report.BindsInFlight:
		return strconv.Itoa(*k.InFlight) + " at once"
	case k.Every != nil && *k.Every < 1:
		return rateText(1 / *k.Every) + " a second"
	case k.Every != nil:
		return "one in " + report.Span(report.Seconds(*k.Every).Round(10*time.Millisecond))
	}
	return "nothing"
}

// mostAdvice is of how many keys people are told what to do about them.
const mostAdvice = 5

// writePlanAdvice tells of each key that takes long what to do about it.
func writePlanAdvice(w io.Writer, p report.Plan) {
	head := "\nWhat to do\n"
	for _, k := range p.Keys[:min(len(p.Keys), mostAdvice)] {
		if k.Advice == nil {
			continue
		}
		fmt.Fprintf(w, "%s  %s alone: %s at %s: %s.\n", head, printable(k.Key), spanOf(k.Seconds.Expected), bindsText(k), printable(*k.Advice))
		head = ""
	}
}

func writeAssumptions(w io.Writer, list []report.Assumption) error {
	fmt.Fprint(w, "\nAssumed\n")
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, a := range list {
		value, unit := strconv.FormatFloat(a.Value, 'g', 3, 64), a.Unit
		if part, ok := strings.CutPrefix(unit, "of "); ok {
			value, unit = strconv.FormatFloat(100*a.Value, 'f', 1, 64)+" %", "of "+part
		}
		if unit == "bytes" {
			value, unit = fmt.Sprintf("%.2f", a.Value/1e6), "MB"
		}
		fmt.Fprintf(table, "  %s\t%s %s\t%s\n", a.Name, value, unit, a.Source)
	}
	return table.Flush()
}

// whole is a number of works or requests. What is expected is seldom whole.
func whole(n float64) string { return strconv.FormatFloat(math.Round(n), 'f', 0, 64) }

func spanOf(s float64) string { return report.Span(report.Seconds(s)) }

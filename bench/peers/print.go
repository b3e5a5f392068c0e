package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

func (r *report) json(w io.Writer) error {
	r.compare()
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(r)
}

// text prints a table for each metric. Above 1 the base is ahead of the line's
// system, whatever the metric.
func (r *report) text(w io.Writer) error {
	r.compare()
	fmt.Fprintln(w, strings.Join(r.Conditions, "\n"))
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	group := ""
	for _, l := range r.Lines {
		if head := l.Workload + " " + l.Metric; head != group && l.Metric != "failed" {
			group = head
			fmt.Fprintf(table, "\n%s, %s: %s\n", head, l.Unit, l.About)
			fmt.Fprint(table, "\tmedian\tleast\tmost")
			for _, name := range r.bases {
				system, _, _ := strings.Cut(name, "/")
				fmt.Fprintf(table, "\t%s ahead", system)
			}
			fmt.Fprint(table, "\t  system\n")
		}
		if l.Metric == "failed" {
			continue // told of in the notes
		}
		fmt.Fprintf(table, "\t%s\t%s\t%s", digits(l.Median), digits(slices.Min(l.Runs)), digits(slices.Max(l.Runs)))
		for _, name := range r.bases {
			fmt.Fprintf(table, "\t%.2f×", l.Ahead[name])
		}
		fmt.Fprintf(table, "\t  %s\n", l.Variant)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, note := range r.Notes {
		fmt.Fprintln(w, "note:", note)
	}
	return nil
}

// digits prints a figure with as many as it deserves.
func digits(f float64) string {
	if f < 100 {
		return fmt.Sprintf("%.2f", f)
	}
	return fmt.Sprintf("%.0f", f)
}

// brief is one run on one line.
func brief(metrics []metric, failure error) string {
	if failure != nil {
		return failure.Error()
	}
	var words []string
	for _, m := range metrics {
		words = append(words, fmt.Sprintf("%s %s %s", m.Name, digits(m.Value), m.Unit))
	}
	return strings.Join(words, ", ")
}

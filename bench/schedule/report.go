package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

func writeJSON(w io.Writer, results []result) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(results)
}

// writeTable prints a line per run. Times of the trickle and of waits are in the
// workload's own time, that is before scaling.
func writeTable(w io.Writer, c config, results []result) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "\tdesign\tdone\tratio\thealthy\tlast\tleast s\tbound by\thot\tuse %\tturn ms\tp99 ms\tidle %\tcap\tgap\tgate\t429\t429 %\tdead\trepeated\tcold p99 s\ttrickle p50 s\tp99 s\ttimes\tCPU µs/job\tMB\twall s\t")
	for _, r := range results {
		fmt.Fprintf(table, "%s\t%s\t%d/%d\t%s\t%s\t%s\t%.2f\t%s\t%s\t%.1f\t%.1f\t%.1f\t%.1f\t%s\t%s\t%s\t%d\t%.1f\t%d\t%d\t%s\t%s\t%s\t%s\t%d\t%d\t%.1f%s\t\n",
			r.Workload, r.Design, r.Done, r.Jobs, ratio(r.Ratio), ratio(r.Healthy), r.Last, r.Least.Seconds(), r.BoundBy,
			r.Hot, 100*r.HotUse, ms(r.Turn50), ms(r.Turn99), 100*r.Idle, r.Cap, r.Gap, r.Gate, r.Refused, 100*float64(r.Refused)/float64(max(1, r.Requests)), r.Dead, r.Repeated,
			c.unscaled(r.Cold99), c.unscaled(r.Trickle.P50), c.unscaled(r.Trickle.P99), ratio(r.Trickle.Times),
			r.CPU.Microseconds(), r.Peak>>20, r.Wall.Seconds(), map[bool]string{true: " cut"}[r.Cut])
	}
	return table.Flush()
}

// String shows what the server saw, and in brackets what is beyond its clock's
// doubt.
func (b breach) String() string { return fmt.Sprintf("%d (%d)", b.Raw, b.Sure) }

func ratio(f float64) string {
	if f == 0 {
		return "–"
	}
	return fmt.Sprintf("%.3f", f)
}

// unscaled is a measured time in the time of the workload, in seconds.
func (c config) unscaled(d time.Duration) string {
	switch {
	case d == 0:
		return "–"
	case d > 1<<60:
		return "not served"
	}
	return fmt.Sprintf("%.2f", d.Seconds()*c.scale)
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

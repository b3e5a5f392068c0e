package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/quire-dev/quire/internal/report"
)

// The texts of limits for people.

// limitValue is one value of a limit with where it is from.
type limitValue struct{ name, value, from string }

func limitValues(r report.Limit) []limitValue {
	return []limitValue{
		{"in flight", inFlightText(r), r.From.InFlight},
		{"pace", paceText(r), r.From.PerSecond},
		{"burst", strconv.Itoa(r.Burst), r.From.Burst},
		{"batch", strconv.Itoa(r.Batch), r.From.Batch},
		{"daily", countText(r.Daily, "any"), r.From.Daily},
		{"group", groupText(r), r.From.Group},
	}
}

// writeLimit writes all there is to know of a key.
func writeLimit(w io.Writer, r report.Limit) {
	fmt.Fprintln(w, printable(r.Key))
	for _, v := range limitValues(r) {
		fmt.Fprintf(w, "  %s\t%s\t%s\n", v.name, v.value, printable(v.from))
	}
	if len(r.Hosts) > 0 {
		fmt.Fprintf(w, "  hosts\t%s\n", printable(strings.Join(r.Hosts, ", ")))
	}
	if r.Source != nil {
		fmt.Fprintf(w, "  table\tof %s: %s\n", printable(*r.VerifiedOn), printable(*r.Source))
	}
	if n := r.Now; n != nil {
		if n.GateReason != nil {
			fmt.Fprintf(w, "  gate\t%s: %s\n", report.Span(report.Seconds(n.GateSeconds)), printable(*n.GateReason))
		}
		if n.Breaker != "closed" {
			fmt.Fprintf(w, "  breaker\t%s\n", printable(n.Breaker))
		}
		if n.Today != nil {
			fmt.Fprintf(w, "  today\t%d\n", *n.Today)
		}
	}
}

func inFlightText(r report.Limit) string {
	if r.Start != nil && r.InFlight != nil {
		return fmt.Sprintf("%d to %d", *r.Start, *r.InFlight)
	}
	return countText(r.InFlight, "any")
}

// paceText writes paces of several requests a second as such, and slower ones as
// the time between two.
func paceText(r report.Limit) string {
	switch {
	case r.PerSecond == nil:
		return "any"
	case *r.PerSecond > 1:
		return rateText(*r.PerSecond) + "/s"
	}
	return "every " + report.Span(report.Seconds(*r.EverySeconds).Round(10*time.Millisecond))
}

// rateText writes a number of starts a second with three digits or more.
func rateText(perSecond float64) string {
	if perSecond >= 100 {
		return strconv.FormatFloat(perSecond, 'f', 0, 64)
	}
	return strconv.FormatFloat(perSecond, 'g', 3, 64)
}

func countText(n *int, none string) string {
	if n == nil {
		return none
	}
	return strconv.Itoa(*n)
}

func groupText(r report.Limit) string {
	if r.Group == nil {
		return "-"
	}
	return fmt.Sprintf("%s, %d at once", printable(*r.Group), *r.GroupInFlight)
}

// summedUp tells in a few words where the values are from, apart from those of
// which nobody has said anything.
func summedUp(r report.Limit) string {
	var origins []string
	names := make(map[string][]string)
	for _, v := range limitValues(r) {
		if v.from == fromDefault {
			continue
		}
		if names[v.from] == nil {
			origins = append(origins, v.from)
		}
		names[v.from] = append(names[v.from], v.name)
	}
	for i, from := range origins {
		origins[i] = fmt.Sprintf("%s (%s)", from, strings.Join(names[from], ", "))
	}
	if len(origins) == 0 {
		return fromDefault
	}
	return strings.Join(origins, ", ")
}

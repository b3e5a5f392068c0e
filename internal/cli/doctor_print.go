package cli

import (
	"fmt"
	"maps"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/doctor"
	"github.com/quire-dev/quire/internal/fetch"
	"github.com/quire-dev/quire/internal/manual"
	"github.com/quire-dev/quire/internal/report"
)

// checkShape is the JSON shape of a check.
type checkShape struct {
	Check    string  `json:"check"`
	Subject  *string `json:"subject"`
	Status   string  `json:"status"` // ok, warn, fail, skipped
	Found    string  `json:"found"`
	Next     *string `json:"next"`     // what to do; null: nothing
	Settings bool    `json:"settings"` // of a fail: the configuration or a credential is at fault
}

// sourceCheckShape is the JSON shape of what came of asking a source.
type sourceCheckShape struct {
	Source   string  `json:"source"`
	Key      string  `json:"key"`
	Status   string  `json:"status"`
	Found    string  `json:"found"`
	Next     *string `json:"next"`
	Settings bool    `json:"settings"`

	Host       *string           `json:"host"`        // that was asked; null: none was
	HTTPStatus *int              `json:"http_status"` // null: no answer
	Seconds    *float64          `json:"seconds"`     // until the answer
	Headers    map[string]string `json:"headers"`     // those of the answer that tell of limits
	Announced  announcedShape    `json:"announced"`
	Limit      report.Limit      `json:"limit"` // in force
}

// announcedShape is what the answer of a source announces; null: nothing.
type announcedShape struct {
	PerSecond   *float64 `json:"per_second"`
	InFlight    *int     `json:"in_flight"`
	WaitSeconds *float64 `json:"wait_seconds"`
}

func shapeOf(c quire.Check) checkShape {
	return checkShape{c.Name, unlessZero(c.Subject), string(c.Status), c.Found, unlessZero(c.Next), c.Settings}
}

func (o *examineCommand) print(l *loaded, found quire.Examination) error {
	limits := o.limitsOf(l, found)
	if !o.json {
		o.text(found, limits)
		return nil
	}
	doc := struct {
		OK      bool               `json:"ok"`
		Checks  []checkShape       `json:"checks"`
		Sources []sourceCheckShape `json:"sources"`
	}{verdict(found) == nil, []checkShape{}, []sourceCheckShape{}}
	for _, c := range found.Checks {
		doc.Checks = append(doc.Checks, shapeOf(c))
	}
	for i, s := range found.Sources {
		shape := sourceCheckShape{
			Source: s.Name, Key: s.Subject, Status: string(s.Status), Found: s.Found, Next: unlessZero(s.Next), Settings: s.Settings,
			Host: unlessZero(s.Host), HTTPStatus: unlessZero(s.HTTP), Headers: map[string]string{}, Limit: limits[i],
			Announced: announcedShape{unlessZero(announcedRate(s)), unlessZero(s.Announced.InFlight), unlessZero(s.Announced.Wait.Seconds())},
		}
		if s.HTTP != 0 {
			shape.Seconds = unlessZero(s.Latency.Seconds())
		}
		maps.Copy(shape.Headers, s.Fields)
		doc.Sources = append(doc.Sources, shape)
	}
	return o.printJSON(doc)
}

// limitsOf returns what is in force at the keys of the sources, in their order.
func (o *examineCommand) limitsOf(l *loaded, found quire.Examination) (limits []report.Limit) {
	if l == nil {
		return nil
	}
	all := o.place(l.Config.library()).Allowances()
	for _, s := range found.Sources {
		limits = append(limits, l.limit(all.Of(s.Subject), found.Keys[s.Subject]))
	}
	return limits
}

// announcedRate is the rate as it was announced, in starts a second; 0: none was.
func announcedRate(s quire.SourceCheck) float64 {
	if s.Announced.Every <= 0 {
		return 0
	}
	const exact = 1e6 // intervals are whole nanoseconds, so the last digits mean nothing
	return math.Round(exact*float64(time.Second)/(float64(s.Announced.Every)*fetch.PaceShare)) / exact
}

// width is that of a terminal that nobody has made wider.
const width = 80

// text prints all for people.
func (o *examineCommand) text(found quire.Examination, limits []report.Limit) {
	const column = 18 // of what it is; a source's name is shorter
	for _, c := range found.Checks {
		what := c.Found
		if c.Subject != "" {
			what = c.Subject + ": " + what
		}
		o.row(fmt.Sprintf("%-6s%-*s", word(c.Status), column, c.Name), what, c.Next)
	}
	const columns = "%-6s%-16s%-24s%-17s"
	if len(found.Sources) > 0 {
		o.printf("\n"+columns+"%s\n", "", "source", "in force", "announced", "answer")
	}
	for i, s := range found.Sources {
		head := fmt.Sprintf(columns, word(s.Status), s.Name, inForce(limits[i]), announced(s))
		if s.Next != "" || utf8.RuneCountInString(head+s.Found) > width {
			o.printf("%s\n", printable(strings.TrimRight(head, " ")))
			head = fmt.Sprintf("%-*s", 6+column, "")
		}
		o.row(head, s.Found, s.Next)
	}
	counts := map[doctor.Status]int{}
	for _, c := range found.Checks {
		counts[c.Status]++
	}
	for _, s := range found.Sources {
		counts[s.Status]++
	}
	o.printf("\n%d ok, %d warn, %d fail, %d skipped\n", counts[doctor.OK], counts[doctor.Warn], counts[doctor.Fail], counts[doctor.Skipped])
}

// row prints what was found behind its head, and below it what to do, in lines that
// fit a terminal.
func (o *examineCommand) row(head, found, next string) {
	indent := utf8.RuneCountInString(head)
	lines := manual.Wrap(printable(found), width-indent)
	for i, line := range lines {
		if i > 0 {
			head = strings.Repeat(" ", indent)
		}
		o.printf("%s%s\n", printable(head), line)
	}
	if next == "" {
		return
	}
	for i, line := range manual.Wrap(printable(next), width-indent-3) {
		arrow := "-> "
		if i > 0 {
			arrow = "   "
		}
		o.printf("%s%s%s\n", strings.Repeat(" ", indent), arrow, line)
	}
}

func word(s doctor.Status) string {
	if s == doctor.Skipped {
		return "skip"
	}
	return string(s)
}

func inForce(r report.Limit) string { return paceText(r) + ", " + inFlightText(r) + " at once" }

// announced is what a source says that it bears.
func announced(s quire.SourceCheck) string {
	var parts []string
	if perSecond := announcedRate(s); perSecond > 0 {
		parts = append(parts, rateText(perSecond)+"/s")
	}
	if n := s.Announced.InFlight; n > 0 {
		parts = append(parts, fmt.Sprintf("%d at once", n))
	}
	if len(parts) == 0 {
		return "-"
	}
	return strings.Join(parts, ", ")
}

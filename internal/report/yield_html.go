package report

import (
	"bufio"
	"crypto/sha256"
	_ "embed" // the page and its style
	"encoding/base64"
	"fmt"
	"html/template"
	"io"

	"github.com/quire-dev/quire/queue"
)

//go:embed yield.html
var yieldPage string

//go:embed yield.css
var yieldStyle string

// page is what the template of a yield shows.
type page struct {
	Style           template.CSS
	StyleHash       string // as the content security policy names it
	Headline, About string
	States          []stateBar
	Sections        []pageSection
	Next            []Advice
}

// stateBar is a part of the bar of states, in thousandths of its width.
type stateBar struct {
	line
	X, Width int
}

type pageSection struct {
	Title   string
	Columns []string
	Rows    []pageRow
	Sum     []string
}

type pageRow struct {
	line
	Numbers []string
}

// WriteHTML shows the yield as one page that needs nothing else: no script, no
// font, no request, which its content security policy makes sure of. Whatever came
// from outside is text there.
func (y Yield) WriteHTML(w io.Writer) error {
	t, err := template.New("yield").Parse(yieldPage)
	if err != nil {
		return fmt.Errorf("parse page: %w", err)
	}
	sum := sha256.Sum256([]byte(yieldStyle))
	p := page{
		Style:     template.CSS(yieldStyle), // ours
		StyleHash: "sha256-" + base64.StdEncoding.EncodeToString(sum[:]),
		Headline:  y.headline(), About: y.about(), Next: shownAdvice(y.Next),
	}
	for i, s := range y.sections() {
		if i == 0 {
			p.States = stateBars(s)
			continue
		}
		p.Sections = append(p.Sections, newPageSection(s))
	}
	b := bufio.NewWriter(w)
	if err := t.Execute(b, p); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	return b.Flush()
}

func newPageSection(s section) pageSection {
	v := pageSection{Title: s.Title, Columns: s.columns(), Sum: s.cells(s.sum())[1:]}
	for _, l := range s.lines() {
		v.Rows = append(v.Rows, pageRow{l, s.cells(l)[1:]})
	}
	return v
}

// stateBars puts what is got to the left and what is still to come to the right.
func stateBars(s section) (bars []stateBar) {
	x := 0
	for _, state := range []queue.State{queue.Done, queue.Skipped, queue.Error, queue.InProgress, queue.Queued} {
		for _, l := range s.lines() {
			if l.Class == string(state) {
				bars = append(bars, stateBar{l, x, l.Tenths})
				x += l.Tenths
			}
		}
	}
	return bars
}

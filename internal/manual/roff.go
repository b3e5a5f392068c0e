package manual

import (
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// Source says what a man page is of. A zero Date is left out, so that the page is
// the same whenever it is made.
type Source struct {
	Program string // with its version
	Manual  string // the title of the whole
	Date    time.Time
}

// Roff returns the page in the language of man pages, man(7).
func (p Page) Roff(from Source) []byte {
	var b strings.Builder
	date := ""
	if !from.Date.IsZero() {
		date = from.Date.UTC().Format(time.DateOnly)
	}
	fmt.Fprintf(&b, ".TH %s %d \"%s\" %s %s\n", quoted(strings.ToUpper(p.Name)), p.Section, date, quoted(from.Program), quoted(from.Manual))
	b.WriteString(".nh\n.ad l\n") // identifiers and flags must not be broken, or stretched
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", exact(p.Name), prose(p.Short))
	for _, part := range p.Parts {
		fmt.Fprintf(&b, ".SH %s\n", strings.ToUpper(prose(part.Title)))
		all := blocks(part.Text)
		if part.Code != "" {
			all = append(all, block{dedent(part.Code), true})
		}
		for i, bl := range all {
			if i > 0 {
				b.WriteString(".PP\n")
			}
			if bl.code {
				verbatim(&b, bl.text)
				continue
			}
			b.WriteString(lines(prose(bl.text)))
		}
		for _, t := range part.Terms {
			t.roff(&b)
		}
	}
	return []byte(b.String())
}

func (t Term) roff(b *strings.Builder) {
	fmt.Fprintf(b, ".TP\n%s", line(`\fB`+exact(t.Name)+`\fR`))
	if t.Text == "" {
		b.WriteString("\\&\n")
	} else {
		b.WriteString(lines(prose(t.Text)))
	}
	var facts []string
	for _, f := range t.Facts {
		if f.Value == "" {
			continue
		}
		value := prose(f.Value)
		if f.Code {
			value = strings.ReplaceAll(exact(f.Value), ",", `,\:`) // a long list may be broken there
		}
		facts = append(facts, f.Label+": "+value)
	}
	if len(facts) > 0 {
		b.WriteString(".br\n" + lines(`\fI`+strings.Join(facts, `\fR; \fI`)+`\fR`))
	}
}

func verbatim(b *strings.Builder, text string) {
	b.WriteString(".RS 2\n.nf\n")
	for each := range strings.SplitSeq(text, "\n") {
		b.WriteString(line(exact(each)))
	}
	b.WriteString(".fi\n.RE\n")
}

// lines is text in lines of its own, which is broken anew when it is shown.
func lines(text string) string {
	var b strings.Builder
	for _, each := range Wrap(text, 80) {
		b.WriteString(line(each))
	}
	return b.String()
}

// line is a line of text. A dot or quote at its start would make it a request.
func line(text string) string {
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text + "\n"
}

// quoted is an argument of a macro.
func quoted(text string) string { return `"` + strings.ReplaceAll(exact(text), `"`, `\(dq`) + `"` }

// exact is text that may be typed: its signs must come out as the ones on a keyboard.
func exact(text string) string {
	return ascii(strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`).Replace(text))
}

// ascii writes other characters in a way that needs no encoding to be known.
func ascii(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r < utf8.RuneSelf {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, `\[u%04X]`, r)
		}
	}
	return b.String()
}

// prose is text to be read. What stands in it between backquotes may be typed,
// and so may flags.
func prose(text string) string {
	var b strings.Builder
	for i, part := range strings.Split(text, "`") {
		if i%2 == 1 {
			b.WriteString(`\fB` + exact(part) + `\fR`)
			continue
		}
		part = ascii(strings.NewReplacer(`\`, `\e`, "'", `\(aq`, "^", `\(ha`, "~", `\(ti`).Replace(part))
		b.WriteString(typed().ReplaceAllStringFunc(part, func(s string) string { return strings.ReplaceAll(s, "-", `\-`) }))
	}
	return b.String()
}

// typed finds what may be typed in prose: words that begin with a hyphen, and
// names with hyphens in them such as host:a-b.
func typed() *regexp.Regexp { return regexp.MustCompile(`--?[a-z][a-z-]*|\S*[:/.=]\S*`) }

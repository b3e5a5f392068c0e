package manual_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/manual"
)

// page has everything that a format could take for a sign of its own.
func page() manual.Page {
	return manual.Page{
		Name: "quire-odd", Section: 1, Short: "Does *odd* things",
		Parts: []manual.Part{
			{
				Title: "Description",
				Text:  ".dots and 'quotes' at the\nstart, <angles>, `a-b` and --flags-too, C:\\dir:\n\n  code -x 'y'  \\n\n\n  more … ~\n\nThe end.",
				Code:  "  quire odd | cat",
			},
			{What: "flag", Title: "Options", Terms: []manual.Term{
				{Name: "--a FILE|-", Text: "this | that"},
				{Name: "--b", Text: "", Facts: []manual.Fact{{"default", "", true}, {"environment", "QUIRE_B", true}}},
				{Name: "--c", Text: "c", Facts: []manual.Fact{{"default", "x,y", true}, {"environment", "", true}}},
			}},
		},
	}
}

func TestPage_Roff(t *testing.T) {
	want := `.TH "QUIRE\-ODD" 1 "2026-09-21" "quire 1" "The ""Manual"
.nh
.ad l
.SH NAME
quire\-odd \- Does *odd* things
.SH DESCRIPTION
\&.dots and \(aqquotes\(aq at the start, <angles>, \fBa\-b\fR and \-\-flags\-too,
C:\edir:
.PP
.RS 2
.nf
code \-x \(aqy\(aq  \en

more \[u2026] \(ti
.fi
.RE
.PP
The end.
.PP
.RS 2
.nf
quire odd | cat
.fi
.RE
.SH OPTIONS
.TP
\fB\-\-a FILE|\-\fR
this | that
.TP
\fB\-\-b\fR
\&
.br
\fIenvironment: QUIRE_B\fR
.TP
\fB\-\-c\fR
c
.br
\fIdefault: x,\:y\fR
`
	want = strings.Replace(want, `"The ""Manual"`, `"The \(dqManual"`, 1)
	from := manual.Source{Program: "quire 1", Manual: `The "Manual`, Date: time.Unix(1790000000, 0)}
	if diff := cmp.Diff(want, string(page().Roff(from))); diff != "" {
		t.Errorf("Roff (-want +got):\n%s", diff)
	}
}

func TestPage_Markdown(t *testing.T) {
	want := `## quire-odd

Does \*odd\* things.

### Description

.dots and 'quotes' at the start, &lt;angles>, 'a-b' and --flags-too, C:\\dir:

''text
code -x 'y'  \n

more … ~
''

The end.

''text
quire odd | cat
''

### Options

| flag | what it is | default | environment |
| --- | --- | --- | --- |
| '--a FILE\|-' | this \| that |  |  |
| '--b' |  |  | 'QUIRE_B' |
| '--c' | c | 'x,y' |  |
`
	got := strings.NewReplacer("```", "''", "`", "'").Replace(string(page().Markdown(2)))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Markdown (-want +got):\n%s", diff)
	}
}

func TestPlain(t *testing.T) {
	got := manual.Plain("One two three four\nfive.\nSix\n  code that stays  as it is\n\n  and goes on\nseven", 10)
	want := "One two\nthree four\nfive. Six\n\n  code that stays  as it is\n\n  and goes on\n\nseven"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Plain (-want +got):\n%s", diff)
	}
	if got := manual.Plain("", 10); got != "" {
		t.Errorf("of nothing: %q", got)
	}
}

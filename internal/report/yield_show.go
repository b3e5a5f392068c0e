package report

import (
	"fmt"
	"slices"
	"strconv"
)

// section is a table as people are shown it.
type section struct {
	Title   string
	Name    string // of the first column
	Unknown string // stands for a name that is not known
	files   bool   // what is counted are files, which have bytes; else works, of which some are got
	table   Table
}

// sections are the tables of a yield in the order in which they are shown. Those
// that count nothing are left out.
func (y Yield) sections() (list []section) {
	t := y.Tables
	for _, s := range []section{
		{"Works by state", "state", "", true, t.State},
		{"Files by source", "source", "unknown", true, t.Source},
		{"Files by host", "host", "unknown", true, t.Host},
		{"Works by registrant", "DOI prefix", "no DOI", false, t.Registrant},
		{"Files by licence", "licence", "unknown", true, t.License},
		{"Files by version", "version", "unknown", true, t.Version},
		{"Not got, by reason", "reason", "unknown", true, t.Missing},
		{"Not finished, by what they wait for", "key", "unknown", true, t.Waiting},
	} {
		if s.table.Count > 0 {
			list = append(list, s)
		}
	}
	return list
}

// line is a row as people are shown it.
type line struct {
	Name             string // printable
	Count, Share     string
	Size, Got, Yield string // empty where there is nothing to say
	Tenths           int    // the share, for drawing
	Other            bool   // the sum of the rows that are not shown
	Class            string // of a row of states: which
}

// lines are the rows that are shown: the first twenty and the sum of the others.
func (s section) lines() (list []line) {
	rows, other := s.table.head()
	for _, r := range rows {
		l := s.line(r)
		l.Name, l.Class = Printable(name(r, s.Unknown)), orEmpty(r.Name)
		list = append(list, l)
	}
	if other != nil {
		l := s.line(*other)
		l.Name, l.Other = "other", true
		if s.table.Overflow == nil {
			l.Name = others(len(s.table.Rows) - len(rows))
		}
		list = append(list, l)
	}
	return list
}

func (s section) line(r Row) line {
	l := line{Count: strconv.Itoa(r.Count), Share: share(r.tenths), Tenths: r.tenths}
	switch {
	case !s.files:
		l.Got, l.Yield = strconv.Itoa(r.Done), share((r.Done*whole+r.Count/2)/max(r.Count, 1))
	case r.Bytes > 0:
		l.Size = Size(r.Bytes)
	}
	return l
}

// sum is the last line of a section.
func (s section) sum() line {
	all := Row{tenths: whole}
	rows, other := s.table.head()
	if other != nil {
		rows = append(slices.Clip(rows), *other)
	}
	for _, r := range rows {
		all.Count += r.Count
		all.Done += r.Done
		all.Bytes += r.Bytes
	}
	l := s.line(all)
	l.Name = "sum"
	return l
}

// columns are the heads of the columns, of which the first is that of the names.
func (s section) columns() []string {
	switch {
	case !s.files:
		return []string{s.Name, "works", "%", "got", "yield %"}
	case s.sum().Size == "":
		return []string{s.Name, "works", "%"}
	case s.Name == "state":
		return []string{s.Name, "works", "%", "size"}
	}
	return []string{s.Name, "files", "%", "size"}
}

// cells are the cells of a line, one for each column.
func (s section) cells(l line) []string {
	switch {
	case !s.files:
		return []string{l.Name, l.Count, l.Share, l.Got, l.Yield}
	case len(s.columns()) == 3:
		return []string{l.Name, l.Count, l.Share}
	}
	return []string{l.Name, l.Count, l.Share, l.Size}
}

// shownAdvice is what to do, printable, with a command for several only at the first.
func shownAdvice(list []Advice) []Advice {
	list = slices.Clone(list)
	last := ""
	for i := range list {
		a := &list[i]
		a.Text = Printable(a.Text)
		if a.Command == nil {
			continue
		}
		command := Printable(*a.Command)
		if a.Command = &command; command == last {
			a.Command = nil
		}
		last = command
	}
	return list
}

// about says what the yield is of.
func (y Yield) about() string {
	of := "all works"
	if y.Run != nil {
		of = "run " + *y.Run
	}
	return Printable(fmt.Sprintf("Quire %s, %s, %s", y.QuireVersion, of, y.At))
}

// headline is the yield in a sentence.
func (y Yield) headline() string {
	if y.YieldPercent == nil {
		return "There are no works yet."
	}
	return fmt.Sprintf("%d of %d %s got: %s %%, %s.", y.Done, y.Total, plural(y.Total, "work", "works"),
		share(int(*y.YieldPercent*whole/100+0.5)), Size(y.Bytes))
}

// share writes tenths of a percent.
func share(tenths int) string { return fmt.Sprintf("%d.%d", tenths/10, tenths%10) }

func others(n int) string { return fmt.Sprintf("%d %s", n, plural(n, "other", "others")) }

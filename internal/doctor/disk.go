package doctor

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

const (
	// logBytes is how large the log beside a SQLite database gets as a rule: see
	// journal_size_limit in package sqlite.
	logBytes = 64 << 20
	// largest is how many files of the largest size should fit: as many as one host is
	// asked for at once by default. Inferred: most files are a hundredth of that size.
	largest = 4
	// meanBytes is the size of a file, as plans assume it: 282.7 TB in 198.2 million
	// files (Internet Archive's sandcrawler project, 2020 to 2023).
	meanBytes = 1_430_000
	// inodes is how many a work takes: its file, its link, what says what it is, and
	// the directories that it may need.
	inodes = 6
)

// disk is a file system.
type disk struct {
	id           uint64
	kind         string // empty: not known
	remote       bool   // another machine has it
	passing      bool   // it is in memory
	free, bytes  uint64 // free for this user, and in all
	nodes, files uint64 // free inodes, and in all; of none in all there are as many as one likes
}

// Disks looks at the file systems of the places: how much is free, and whether a
// SQLite database may be there.
func (p Places) Disks() []Check {
	var checks []Check
	var seen []uint64
	dirs := []string{p.Data, p.Files, p.Temp}
	if p.Database != "" {
		dirs = slices.Insert(dirs, 0, filepath.Dir(p.Database))
	}
	for i, dir := range dirs {
		if dir == "" {
			continue
		}
		at, err := standing(dir)
		if err != nil {
			continue // Directories says so
		}
		d, known, err := statDisk(at)
		switch {
		case !known:
			return []Check{{Name: "disk", Subject: dir, Status: Skipped, Found: "free space is not looked at on this system"}}
		case err != nil:
			checks = append(checks, Check{Name: "disk", Subject: at, Status: Warn, Found: err.Error()})
			continue
		}
		if p.Database != "" && i == 0 {
			checks = append(checks, d.suits(dir)...)
		}
		if !slices.Contains(seen, d.id) {
			seen = append(seen, d.id)
			checks = append(checks, p.space(dir, d))
		}
	}
	return checks
}

// suits looks whether a SQLite database is safe on the disk: processes share memory
// and locks, which network file systems do badly, https://www.sqlite.org/useovernet.html.
func (d disk) suits(dir string) []Check {
	c := Check{Name: "file system", Subject: dir, Status: Warn}
	switch {
	case d.remote:
		c.Found = d.kind + ", on another machine: SQLite databases are damaged there, as locks do not always hold"
		c.Next = "keep the database on a disk of this machine, --store sqlite:PATH, or in PostgreSQL; --artifacts may stay"
	case d.passing:
		c.Found = d.kind + ", in memory: a restart of the machine empties it"
		c.Next = "name a directory on a disk with --data"
	default:
		return nil
	}
	return []Check{c}
}

// space looks whether there is room for what is to come.
func (p Places) space(dir string, d disk) Check {
	c := Check{Name: "disk", Subject: dir, Status: OK, Found: size(d.free) + " free of " + size(d.bytes)}
	if d.kind != "" {
		c.Found = d.kind + ", " + c.Found
	}
	biggest := uint64(max(p.MaxBytes, 0))
	jobs := uint64(max(p.Jobs, 0))
	rest := jobs * meanBytes
	var low []string
	switch least := logBytes + biggest; {
	case d.free < least:
		c.Status = Fail
		low = append(low, fmt.Sprintf("a file of the largest size and the database's log take %s", size(least)))
	case d.free < least+rest:
		c.Status = Warn
		low = append(low, fmt.Sprintf("if each of the %d works that are left gives a file of 1.4 MB, they take %s", jobs, size(rest)))
	case d.free < logBytes+largest*biggest:
		c.Status = Warn
		low = append(low, fmt.Sprintf("%d files of the largest size take %s", largest, size(largest*biggest)))
	}
	if d.files > 0 {
		switch need := inodes * uint64(max(p.Workers, 1)); {
		case d.nodes < need:
			c.Status = Fail
			low = append(low, fmt.Sprintf("%d inodes are free, and %d works at once take up to %d", d.nodes, p.Workers, need))
		case d.nodes < inodes*jobs:
			c.Status = worse(c.Status, Warn)
			low = append(low, fmt.Sprintf("%d inodes are free, and the %d works that are left take up to %d", d.nodes, jobs, inodes*jobs))
		}
	}
	if len(low) > 0 {
		c.Found += "; " + strings.Join(low, "; ")
		c.Next = "make room, or have files elsewhere with --artifacts; a run that finds no room waits, and loses nothing"
	}
	return c
}

// worse returns the worse of two statuses.
func worse(a, b Status) Status {
	rank := func(s Status) int { return slices.Index([]Status{Skipped, OK, Warn, Fail}, s) }
	if rank(b) > rank(a) {
		return b
	}
	return a
}

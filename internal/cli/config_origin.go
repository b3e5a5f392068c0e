package cli

import (
	"fmt"
	"strconv"
	"strings"
)

// origin says where a value comes from. Of two, the one of higher rank wins.
type origin struct {
	rank  rank
	where string // quire.yaml:4, env QUIRE_CONTACT, flag --contact
	dir   string // of the file, which paths in it are relative to; else empty
}

type rank uint8

const (
	byDefault rank = iota
	byFile
	byEnv
	byFlag
)

func (o origin) String() string {
	if o.rank == byDefault {
		return "default"
	}
	return o.where
}

// problem is one thing wrong with the configuration: where, with which setting,
// and why.
func problem(from origin, path string, why error) error {
	switch {
	case path == "":
		return fmt.Errorf("%s: %w", from, why)
	case from.rank == byDefault:
		return fmt.Errorf("%s: %w", shownPath(path), why)
	default:
		return fmt.Errorf("%s: %s: %w", from, shownPath(path), why)
	}
}

// shownPath quotes a path that somebody has made up.
func shownPath(path string) string {
	if strings.ContainsFunc(path, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return strconv.Quote(path)
	}
	return path
}

// configError says what is wrong with the configuration. It ends the program
// with exit code 4.
type configError struct {
	problems []error // at least one
}

// Error tells the problems on one line, as many as somebody will read.
func (e *configError) Error() string {
	const most = 10
	var texts []string
	for _, p := range e.problems[:min(most, len(e.problems))] {
		texts = append(texts, p.Error())
	}
	if more := len(e.problems) - most; more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", more))
	}
	return "read configuration: " + strings.Join(texts, "; ")
}

func (e *configError) Unwrap() []error { return e.problems }

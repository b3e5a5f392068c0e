// Package doctor looks whether what a run needs is there and well: directories,
// disks, the database, open files, the clock, and the sources, which it asks once
// each. It changes nothing that belongs to a queue. Each look gives a [Check], and
// each source that is asked a [Source].
package doctor

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Status is what came of a check.
type Status string

// The statuses. A run can do with a Warn.
const (
	OK      Status = "ok"
	Warn    Status = "warn"
	Fail    Status = "fail"
	Skipped Status = "skipped" // not looked at; Found says why
)

// Check is what was found of one thing.
type Check struct {
	Name    string // what is looked at: contact, disk, database
	Subject string // which one: a path, an address; may be empty
	Status  Status
	Found   string
	Next    string // what to do about it; empty: nothing

	// Settings says of a Fail that the configuration or a credential is at fault.
	Settings bool
}

// hangs is how long a look at a file system may take. One that is mounted from a
// machine that is away holds up whoever asks, often for ever; others need
// milliseconds.
const hangs = 10 * time.Second

// Within returns what look finds, or a failed check of this name if look takes too
// long or ctx ends. A look that hangs is left behind, and ends with the program.
func Within(ctx context.Context, name, subject string, look func() []Check) []Check {
	ctx, cancel := context.WithTimeout(ctx, hangs)
	defer cancel()
	found := make(chan []Check, 1)
	go func() { found <- look() }()
	select {
	case checks := <-found:
		return checks
	case <-ctx.Done():
		return []Check{{
			Name: name, Subject: subject, Status: Fail, Found: fmt.Sprintf("no answer within %d s", hangs/time.Second),
			Next: "see whether the file system is mounted from a machine that is away",
		}}
	}
}

// size writes a number of bytes for people: 950 B, 1.4 MiB, 120 GiB.
func size(n uint64) string {
	const step = 1 << 10
	value, unit := float64(n), 0
	for ; value >= step && unit < 4; unit++ {
		value /= step
	}
	digits := 1
	if value >= 10 || unit == 0 {
		digits = 0
	}
	return strconv.FormatFloat(value, 'f', digits, 64) + " " + []string{"B", "KiB", "MiB", "GiB", "TiB"}[unit]
}

// span writes a duration for people, to a millisecond if it is short.
func span(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	text := d.Round(time.Second).String()
	if strings.HasSuffix(text, "m0s") { // 5m, not 5m0s
		text = strings.TrimSuffix(text, "0s")
	}
	return text
}

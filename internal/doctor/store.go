package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/quire-dev/quire/queue"
)

// logLarge is a log that is not put into the database any more: twice the size to
// which it is cut.
const logLarge = 2 * logBytes

// slowTrip is a server that slows a run down. A step takes some four transactions,
// one after the other, and a request some 250 ms.
const slowTrip = 50 * time.Millisecond

// Unopened says why a store was not opened. credentials says that the server
// refused them.
func Unopened(name string, err error, credentials bool) Check {
	text := strings.Join(strings.Fields(err.Error()), " ") // a driver's has several lines
	if _, why, ok := strings.Cut(text, name+": "); ok {    // the subject says where
		text = why
	}
	c := Check{Name: "database", Subject: name, Status: Fail, Found: text, Settings: credentials}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Check{Name: "database", Subject: name, Status: OK, Found: "there is none yet; what writes first makes it"}
	case errors.Is(err, queue.ErrOlder):
		c.Status, c.Next = Warn, "copy it first if you may want to go back: whatever writes brings it up to date, and older programs refuse it then"
	case errors.Is(err, queue.ErrNewer):
		c.Next = "use the version of quire that wrote it, or a later one"
	case errors.Is(err, queue.ErrDamaged):
		c.Next = advice
	case errors.Is(err, context.DeadlineExceeded):
		c.Found, c.Next = "no answer in time: "+text, "see whether the server or the disk is there"
	case credentials:
		c.Next = "see user name, password and pg_hba.conf"
	default:
		c.Next = "see whether it is there and this user may read it"
	}
	return c
}

const advice = "stop what uses it, copy it with the files beside it, and put back your backup, or begin a new one: " +
	"files are in artifacts/ and outcomes in manifest.jsonl"

// Store says how a store is that was examined.
func Store(name string, e queue.Examination) []Check {
	c := Check{Name: "database", Subject: name, Status: OK}
	found := []string{e.Engine, fmt.Sprintf("schema %d", e.Schema), size(uint64(max(e.Bytes, 0)))} //nolint:gosec // not negative
	if e.RoundTrip > 0 {
		found = append(found, "answers in "+span(e.RoundTrip))
	}
	c.Found = strings.Join(found, ", ")
	switch {
	case e.Needs != "":
		c.Status, c.Found, c.Next = Fail, c.Found+"; it takes "+e.Needs, "use a newer server"
	case e.RoundTrip > slowTrip:
		c.Status, c.Next = Warn, "run quire near the server: it asks it several times for each request that it makes"
	}
	checks := []Check{c, whole(name, e)}
	if e.Log > logLarge {
		checks = append(checks, Check{
			Name: "log", Subject: name + "-wal", Status: Warn, Found: size(uint64(e.Log)) + " are not in the database yet", //nolint:gosec // positive
			Next: "end what reads the database for a long time, such as a backup; the next run puts it in",
		})
	}
	if e.RoundTrip > 0 {
		checks = append(checks, apart(e.Ahead, "the database server"))
	}
	return append(checks, running(e))
}

// whole says whether a store is damaged.
func whole(name string, e queue.Examination) Check {
	c := Check{Name: "integrity", Subject: name, Status: OK, Found: "no damage found"}
	switch {
	case len(e.Faults) > 0:
		c.Status, c.Found, c.Next = Fail, strings.Join(e.Faults, "; "), advice
	case e.Unchecked != "":
		c.Status, c.Found = Skipped, e.Unchecked
		if strings.Contains(e.Unchecked, "time") {
			c.Next = "quire doctor --deep takes the time that it needs"
		}
	}
	return c
}

// running says whether a run is going on.
func running(e queue.Examination) Check {
	c := Check{Name: "run", Status: OK, Found: "none is going on"}
	if e.Running {
		c.Found = "one is going on, of another process"
		if e.Runner != "" {
			c.Found = "one is going on: " + e.Runner
		}
	}
	return c
}

package cli

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/blob"
	"github.com/quire-dev/quire/internal/intake"
	"github.com/quire-dev/quire/queue"
)

// hints say what to do about an error, by its kind: of several that fit the first. A
// %s stands for the program, as it is called on the same data.
func hints() []struct {
	kind error
	next string
} {
	return []struct {
		kind error
		next string
	}{
		{queue.ErrNewer, "update quire: `quire version` tells which this is"},
		{queue.ErrDamaged, "nothing in it was changed: bring back a copy, or name another place with --data or --store"},
		{queue.ErrLocked, "end what has it open, then try again"},
		{quire.ErrBusy, "let it end, or stop it, then try again"},
		{queue.ErrNotFound, "%s queue list tells which there are"},
		{intake.ErrNoColumn, "give it with --id-column"},
		{errRefused, "check the user and password in --store or QUIRE_STORE"},
		{blob.ErrNoKeys, ""}, // it says so itself
		{blob.ErrRefused, "check the keys, the bucket and the endpoint in --artifacts"},
		{syscall.ENOSPC, "what is recorded is safe: make room, then run it again"},
		{syscall.EDQUOT, "what is recorded is safe: make room, then run it again"},
		{syscall.EIO, "look what the system's log says of the disk"},
		{syscall.EROFS, "the file system can't be written to: name another place with --data"},
		{syscall.EMFILE, "allow more open files with `ulimit -n`, or use fewer --max-workers"},
		{syscall.ENFILE, "the machine has no more open files to give: close some programs"},
		{syscall.ECONNREFUSED, "is the server up, and are its name and port right?"},
		{errNoHost, "is the name right, and is the network up?"},
		{syscall.ENOTDIR, "part of that path is a file: name a directory with --data"},
		{syscall.ENAMETOOLONG, "name a shorter path"},
		{fs.ErrPermission, "check who owns it and who may read or write it"},
		{context.DeadlineExceeded, "is it up and reachable? Try again"},
	}
}

// Kinds of errors that no sentinel stands for.
var (
	errRefused = errors.New("a database did not let us in")
	errNoHost  = errors.New("a host's name is not known")
)

// hint says what to do about err, or nothing.
func (a *app) hint(err error) string {
	for _, h := range hints() {
		if is(err, h.kind) {
			return strings.Replace(h.next, "%s", a.self(), 1)
		}
	}
	return ""
}

// is is [errors.Is], that knows our own kinds too.
func is(err, kind error) bool {
	switch {
	case errors.Is(kind, errRefused):
		var stated interface{ SQLState() string }
		return errors.As(err, &stated) && strings.HasPrefix(stated.SQLState(), "28") // invalid authorization
	case errors.Is(kind, errNoHost):
		unknown, ok := errors.AsType[*net.DNSError](err)
		return ok && unknown.IsNotFound
	}
	return errors.Is(err, kind)
}

// oneLine is the text of an error without line ends: what follows one that ends in a
// colon belongs to it, all else is another error.
func oneLine(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch said := b.String(); {
		case line == "":
			continue
		case said == "":
		case strings.HasSuffix(said, ":"):
			b.WriteString(" ")
		case strings.Contains(said, line): // it says so again
			continue
		default:
			b.WriteString("; ")
		}
		b.WriteString(line)
	}
	return b.String()
}

// asFile says what to do if what was given as an identifier is a file.
func asFile(text, command string) string {
	if about, err := os.Stat(text); text != "" && err == nil && about.Mode().IsRegular() {
		return "; to read that file: " + command + " " + shellWord(text)
	}
	return ""
}

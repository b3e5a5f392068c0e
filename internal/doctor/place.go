package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Places are where a run keeps what it has.
type Places struct {
	Data     string // the data directory
	Database string // the file of it; empty if it is elsewhere
	Files    string // the directory of artifacts; empty if they are elsewhere
	Temp     string // the directory of files that are being written

	MaxBytes int64 // of the largest file that is stored
	Jobs     int   // that are not finished
	Workers  int
}

// Directories looks whether the directories can be written, and everything in them that a
// run writes to.
func (p Places) Directories() []Check {
	checks := []Check{directory("data directory", p.Data)}
	if p.Database != "" && !same(filepath.Dir(p.Database), p.Data) {
		c := directory("database's place", filepath.Dir(p.Database))
		if c.Status == OK && c.Found != writes {
			c.Status, c.Found, c.Next = Fail, "is not there", "make the directory: quire makes the data directory only"
		}
		checks = append(checks, c)
	}
	if p.Files != "" {
		checks = append(checks, directory("artifacts", p.Files))
	}
	if shut := p.shut(); len(shut) > 0 {
		checks = append(checks, Check{
			Name: "files in it", Subject: p.Data, Status: Fail, Found: "no right to write " + strings.Join(shut, ", "),
			Next: "give them to the user who runs quire; a run as another user, such as root, may have made them",
		})
	}
	return append(checks, p.renames()...)
}

// shut are the files and directories of a run that are there and can't be written.
func (p Places) shut() (names []string) {
	var all []string
	for _, name := range []string{"tmp", "works", "rejects", "manifest.jsonl", "shared.jsonl"} {
		all = append(all, filepath.Join(p.Data, name))
	}
	if p.Database != "" {
		for _, end := range []string{"", "-wal", "-shm", ".run"} {
			all = append(all, p.Database+end)
		}
	}
	for _, name := range all {
		about, err := os.Lstat(name)
		if err == nil && (about.IsDir() || about.Mode().IsRegular()) && writable(name, about.IsDir()) != nil {
			names = append(names, name)
		}
	}
	return names
}

// same reports whether two paths are of one directory, as far as their names tell.
func same(a, b string) bool {
	wholeA, errA := filepath.Abs(a)
	wholeB, errB := filepath.Abs(b)
	return errA == nil && errB == nil && wholeA == wholeB
}

// writes is what was found of a directory that is there and in order.
const writes = "can be written"

// directory looks whether a directory is there or can be made.
func directory(name, dir string) Check {
	c := Check{Name: name, Subject: dir, Status: OK, Found: writes}
	whole, err := filepath.Abs(dir)
	var at string
	if err == nil {
		at, err = standing(whole)
	}
	switch {
	case err != nil:
		c.Status, c.Found, c.Next = Fail, reason(err), "name another place, or make this one"
	case writable(at, true) != nil:
		c.Status, c.Found, c.Next = Fail, "no right to write to "+at+": "+reason(writable(at, true)), "give it to the user who runs quire, or name another place"
	case at != whole:
		c.Found = "not there yet; will be made when it is needed"
	}
	return c
}

// standing returns dir or the nearest directory above it that is there.
func standing(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for {
		about, err := os.Stat(dir)
		switch {
		case err == nil && about.IsDir():
			return dir, nil
		case err == nil:
			return "", fmt.Errorf("%s is no directory", dir)
		case !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir):
			return "", err
		}
		if _, err := os.Lstat(dir); err == nil {
			return "", fmt.Errorf("%s is a link to something that is not there", dir)
		}
		dir = filepath.Dir(dir)
	}
}

// renames looks whether a file can be moved from where it is written to where it is
// kept, with a name that nothing has: Linux compares the file systems first.
func (p Places) renames() []Check {
	if p.Files == "" {
		return nil
	}
	const nothing = "quire-doctor-rename-check"
	from, err := standing(p.Temp)
	if err != nil {
		return nil // one of the directories, and reported as such
	}
	to, err := standing(p.Files)
	if err != nil {
		return nil
	}
	err = os.Rename(filepath.Join(from, nothing+".part"), filepath.Join(to, nothing))
	if !errors.Is(err, syscall.EXDEV) {
		return nil
	}
	return []Check{{
		Name: "temporary files", Subject: p.Temp, Status: Fail,
		Found: "on another file system than " + p.Files + ", so that files can't be moved there in one step",
		Next:  "have both on one file system; --artifacts file:DIR keeps its temporary files in DIR/tmp",
	}}
}

// reason is an error without what it is about, which the subject says.
func reason(err error) string {
	if of, ok := errors.AsType[*fs.PathError](err); ok {
		return of.Path + ": " + of.Err.Error()
	}
	return err.Error()
}

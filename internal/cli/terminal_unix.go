//go:build unix

package cli

import (
	"os"

	"golang.org/x/sys/unix"
)

// inForeground reports whether a terminal is this process's group's to use. One
// in the background that changes the terminal is stopped for it.
func inForeground(stream any) bool {
	f, ok := stream.(interface{ Fd() uintptr })
	if !ok {
		return false
	}
	group, err := unix.IoctlGetInt(int(f.Fd()), unix.TIOCGPGRP) //nolint:gosec // a descriptor fits in an int
	return err == nil && group == unix.Getpgrp()
}

// openTerminal opens the terminal that started the program.
func openTerminal() (*os.File, error) { return os.OpenFile("/dev/tty", os.O_RDWR, 0) }

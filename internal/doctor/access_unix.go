//go:build unix

package doctor

import "syscall"

// writable asks the system whether this user may write, without writing.
func writable(name string, dir bool) error {
	mode := uint32(4 | 2) // read and write
	if dir {
		mode = 2 | 1 // make files, and pass
	}
	return syscall.Access(name, mode)
}

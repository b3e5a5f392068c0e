//go:build unix

package doctor

import "syscall"

// openFiles returns how many files this process may have open. The Go runtime has
// raised that to what the system allows at most, as it does for a run.
func openFiles() (limit uint64, known bool) {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 0, false
	}
	return uint64(l.Cur), true //nolint:unconvert // signed on some systems
}

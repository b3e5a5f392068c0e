package sqlite

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// lockedBy names the process that has locked a file, if this user may see that:
// /proc/locks has the candidates, and a process's open files tell which it is, as the
// numbers of files that are listed there are not unique.
func lockedBy(file os.FileInfo) string {
	locks, err := os.Open("/proc/locks")
	if err != nil {
		return ""
	}
	defer locks.Close()
	for lines := bufio.NewScanner(locks); lines.Scan(); {
		// 1: FLOCK  ADVISORY  WRITE 1234 08:01:131090 0 EOF
		fields := strings.Fields(lines.Text())
		if len(fields) > 4 && fields[1] == "FLOCK" && fields[3] == "WRITE" && hasOpen(fields[4], file) {
			return fmt.Sprintf("process %s of this machine", fields[4])
		}
	}
	return ""
}

func hasOpen(pid string, file os.FileInfo) bool {
	open, err := filepath.Glob("/proc/" + pid + "/fd/*")
	if err != nil {
		return false
	}
	for _, name := range open {
		// Stat follows a link of /proc to the file itself, whatever its name is now.
		if about, err := os.Stat(name); err == nil && os.SameFile(about, file) {
			return true
		}
	}
	return false
}

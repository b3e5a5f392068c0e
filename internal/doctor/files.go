package doctor

import "fmt"

const (
	// filesOfWorker are those that a request may need at once: its connection, the
	// file that it fills, and a question to the name server.
	filesOfWorker = 3
	// filesOfQueue are five connections to SQLite with the database, its log and the
	// log's index each, or eight to PostgreSQL.
	filesOfQueue = 15
	// filesBrokenOff are downloads that wait for their rest, see package harvest.
	filesBrokenOff = 32
	// filesBeside are streams, directories, the manifest, and what the Go runtime has.
	filesBeside = 32
	// filesIdle are connections kept for the next request, over all hosts, see package
	// fetch.
	filesIdle = 512
)

// OpenFiles looks whether this process may have as many files open as a run with so
// many workers needs.
func OpenFiles(workers int) Check {
	limit, known := openFiles()
	return judgeFiles(workers, limit, known)
}

func judgeFiles(workers int, limit uint64, known bool) Check {
	c := Check{Name: "open files", Status: OK}
	if !known {
		c.Status, c.Found = Skipped, "this system has no limit that can be looked at"
		return c
	}
	least := uint64(filesOfQueue + filesBrokenOff + filesBeside + filesOfWorker*max(workers, 1)) //nolint:gosec // both are small
	c.Found = fmt.Sprintf("%d may be open; %d workers need up to %d, and %d more for connections that are kept", limit, workers, least, filesIdle)
	switch {
	case limit < least:
		c.Status = Fail
	case limit < least+filesIdle:
		c.Status = Warn
	default:
		return c
	}
	c.Next = fmt.Sprintf("allow %d: ulimit -Hn, LimitNOFILE= of a systemd unit, or nofile in /etc/security/limits.conf; or fewer orchestrator.max_workers", least+filesIdle)
	return c
}

package postgres

import "github.com/quire-dev/quire/queue"

// Queries are the statements that are run all the time, by name.
func Queries() map[string]string {
	page, _ := selectJobs(queue.Filter{After: 7})
	failed, _ := selectJobs(queue.Filter{States: []queue.State{queue.Error}, Class: "gone"})
	finished, _ := selectJobs(queue.Filter{AfterSeq: 7})
	return map[string]string{
		"lease": leaseQuery, "heartbeat": heartbeatQuery, "standing": standingQuery, "end": endQuery, "reap": reapQuery,
		"promote": promoteQuery, "backlog": backlogQuery, "until": untilQuery, "since": sinceQuery, "due": dueQuery, "heads": headsQuery,
		"ranks": ranksQuery, "page": page, "failed": failed, "finished": finished,
	}
}

// Settings is what begins each transaction.
const Settings = settingsQuery

// Unnamed reports whether s has found that prepared statements do not work.
func Unnamed(s *Store) bool { return s.unnamed.Load() }

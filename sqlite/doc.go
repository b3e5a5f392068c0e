// Package sqlite keeps a queue and its catalog in one SQLite file. A [Store] is
// a [queue.Store], a [queue.Inspector], a [queue.Controller] and a [paper.Catalog].
//
// The file is in WAL mode, and its log is synced before a method returns, so that
// what it has written survives a loss of power. One goroutine owns the only
// writing connection and puts the operations that are waiting into one
// transaction, another one syncs what it has committed, so that many callers
// share one fsync; reads have a pool of their own. Several processes may
// use one file. WAL needs shared memory, so the file must not lie on NFS or SMB.
//
// Exact counts per key, reason and class are kept, so that looking at a queue
// costs as much as it has keys, however many jobs there are.
//
// Times are those of the process's clock, kept in milliseconds.
package sqlite

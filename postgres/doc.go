// Package postgres keeps a queue and its catalog in a PostgreSQL database, for
// queues that several machines use. A [Store] is a [queue.Store], a
// [queue.Inspector], a [queue.Controller] and a [paper.Catalog].
//
// Everything lies in the schema "quire", which is always named, so one database
// can hold other things too. Concurrent calls of a method share transactions, and
// so commits. Leases skip rows that others have locked, and nothing waits for a
// shared counter. All times are those of the server's clock.
//
// The store relies on no session state, so it works behind a transaction pooler;
// DESIGN.md, beside this file, says how, and why it is built this way.
package postgres

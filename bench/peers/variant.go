package main

import (
	"context"
	"slices"
	"strings"
)

// server is what a system needs beside its own process.
type server string

// The servers.
const (
	none     server = ""
	postgres server = "PostgreSQL"
	redisd   server = "Redis"
)

// variant is a system with one choice of settings and durability.
type variant struct {
	name    string // system/settings/durability
	server  server
	open    func(ctx context.Context, o options) (system, error)
	options options           // without those of a run
	base    bool              // the others are compared with it
	only    []string          // workloads it is for; nil for all
	skip    map[string]string // workloads it is not for, and why
}

// busy are the workloads for which the number of workers is a setting.
func busy() []string { return []string{"drain", "mixed"} }

// wide is as many goroutines as River's own benchmark has.
const wide = 2000

// variants lists all there are, in the order in which they are shown.
func variants() []variant {
	alone := map[string]string{"remote": "it does not see the jobs of other processes"}
	noBatch := map[string]string{"enqueue-1000": "it has no call for many jobs"}
	fast, full := options{fast: true}, options{fast: true, full: true}
	many := options{fast: true, workers: wide}
	return []variant{
		{name: "quire-sqlite/default/full", open: openQuireSQLite, options: options{full: true}, base: true},
		{name: "quire-sqlite/caps/full", open: openQuireSQLite, options: options{full: true, keyCap: 8}, only: busy()},
		{name: "quire-postgres/default/full", server: postgres, open: openQuirePostgres, options: options{full: true}, base: true},
		{name: "quire-postgres/wide/full", server: postgres, open: openQuirePostgres, options: options{full: true, workers: 512}, only: busy()},

		{name: "goqite/default/normal", open: openGoqite},
		{name: "goqite/fast/normal", open: openGoqite, options: fast},
		{name: "goqite/fast/full", open: openGoqite, options: full},

		{name: "backlite/default/normal", open: openBacklite, skip: alone},
		{name: "backlite/fast/normal", open: openBacklite, options: fast, skip: alone},
		{name: "backlite/wide/normal", open: openBacklite, options: many, only: busy()},
		{name: "backlite/fast/full", open: openBacklite, options: full, skip: alone},

		{name: "river-sqlite/default/normal", open: openRiverSQLite},
		{name: "river-sqlite/fast/normal", open: openRiverSQLite, options: fast},
		{name: "river-sqlite/wide/normal", open: openRiverSQLite, options: many, only: busy()},
		{name: "river-sqlite/fast/full", open: openRiverSQLite, options: full},

		{name: "river-postgres/default/normal", server: postgres, open: openRiverPostgres},
		{name: "river-postgres/fast/normal", server: postgres, open: openRiverPostgres, options: fast},
		{name: "river-postgres/wide/normal", server: postgres, open: openRiverPostgres, options: many, only: busy()},
		{name: "river-postgres/fast/full", server: postgres, open: openRiverPostgres, options: full},
		{name: "river-postgres/wide/full", server: postgres, open: openRiverPostgres, options: options{fast: true, full: true, workers: wide}, only: busy()},

		{name: "asynq/default/normal", server: redisd, open: openAsynq, skip: noBatch},
		{name: "asynq/fast/normal", server: redisd, open: openAsynq, options: fast, skip: noBatch},
		{name: "asynq/fast/full", server: redisd, open: openAsynq, options: full, skip: noBatch},
	}
}

// takes reports whether the variant is measured by a workload.
func (v variant) takes(workload string) bool {
	_, skipped := v.skip[workload]
	return !skipped && (v.only == nil || slices.Contains(v.only, workload))
}

// named reports whether one of the names chooses the thing called name: it is
// the name or the beginning of it, up to a "/" or "-".
func named(name string, names []string) bool {
	return len(names) == 0 || slices.ContainsFunc(names, func(chosen string) bool {
		rest, ok := strings.CutPrefix(name, chosen)
		return ok && (rest == "" || rest[0] == '/' || rest[0] == '-')
	})
}

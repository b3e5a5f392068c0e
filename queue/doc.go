// Package queue holds the words of a durable job queue with keys: jobs, leases,
// outcomes, the retry policy, and the contracts that meet in it. A [Store] keeps
// jobs, an [Inspector] and a [Controller] look at them and change them from
// outside, and a [Handler] runs them. The queue knows nothing of what a job does.
//
// A job is a walk of steps. Each step happens at exactly one key, the unit of
// politeness (a host, an API, a tenant), and the row of a queued job carries the
// key of its next step. Leases are asked for by key, so a caller that knows which
// keys have room never holds a job that has to wait.
//
// The states of a job, and what moves it from one to the other:
//
//	 Enqueue                      Lease
//	─────────▶ queued ──────────────────────────▶ in_progress
//	            │ ▲ ▲ ◀───────────────────────────── │   │
//	     Cancel │ │ │    Retry, Advance, Release,    │   │
//	            │ │ │    or the lease ran out        │   │
//	            ▼ │ │                                │   │
//	     skipped ─┘ └─ done, error ◀─────────────────┘   │
//	        ▲  Requeue     Finish, or the lease of the   │
//	        │              last attempt ran out          │
//	        └────────────────────────────────────────────┘
//	                Cancel, or Finish as skipped
//
// Jobs that are done, skipped or error are terminal: they stay as they are until
// somebody requeues or prunes them.
//
// Packages sqlite and postgres keep the contracts; package orchestrator runs the
// jobs of a store within the limits of their keys. Why they are as they are is in
// DESIGN.md beside this file.
package queue

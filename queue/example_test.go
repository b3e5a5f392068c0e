package queue_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/quire-dev/quire/queue"
	"github.com/quire-dev/quire/sqlite"
)

// openExample makes a store for an example, and what removes it.
func openExample() (store *sqlite.Store, remove func()) {
	dir, err := os.MkdirTemp("", "quire-example-")
	if err != nil {
		panic(err)
	}
	store, err = sqlite.Open(context.Background(), filepath.Join(dir, "jobs.db"), sqlite.Options{Create: true})
	if err != nil {
		panic(err)
	}
	return store, func() {
		_ = store.Close()
		_ = os.RemoveAll(dir)
	}
}

// Enqueueing is idempotent, a lease is the right to run a job for a while, and a
// lease that has ended gives no right to say what became of the job.
func ExampleStore() {
	store, remove := openExample()
	defer remove()
	ctx := context.Background()

	job := queue.NewJob{ArtifactID: "invoice:17", Key: "host:printer.example"}
	for range 2 {
		added, err := store.Enqueue(ctx, []queue.NewJob{job})
		fmt.Println("added", added.Added, "known", added.Known, err)
	}
	leases, err := store.Lease(ctx, "worker 1", []queue.Want{{Key: "host:printer.example", N: 10}}, time.Minute)
	fmt.Println("leased", len(leases), err)

	done := queue.Settlement{Lease: leases[0], Verb: queue.Finish, State: queue.Done, Reason: "printed"}
	for range 2 {
		errs, err := store.Settle(ctx, done)
		fmt.Println("settled:", errs[0], err, errors.Is(errs[0], queue.ErrLeaseLost))
	}
	// Output:
	// added 1 known 0 <nil>
	// added 0 known 1 <nil>
	// leased 1 <nil>
	// settled: <nil> <nil> false
	// settled: lease lost <nil> true
}

// An operator pauses a key, cancels what is queued there, and brings back what
// had failed.
func ExampleController() {
	store, remove := openExample()
	defer remove()
	ctx := context.Background()
	const key = "host:printer.example"
	var jobs []queue.NewJob
	for i := range 3 {
		jobs = append(jobs, queue.NewJob{ArtifactID: fmt.Sprint("invoice:", i), Key: key})
	}
	_, err := store.Enqueue(ctx, jobs)
	fmt.Println(err)

	var control queue.Controller = store
	fmt.Println(control.Pause(ctx, key))
	leases, err := store.Lease(ctx, "worker 1", []queue.Want{{Key: key, N: 10}}, time.Minute)
	fmt.Println("leased while paused:", len(leases), err)
	fmt.Println(control.Resume(ctx, key))

	n, err := control.Cancel(ctx, queue.Filter{ArtifactIDs: []string{"invoice:1"}})
	fmt.Println("cancelled", n, err)
	n, err = control.Requeue(ctx, queue.Filter{States: []queue.State{queue.Skipped}})
	fmt.Println("requeued", n, err)
	// Output:
	// <nil>
	// <nil>
	// leased while paused: 0 <nil>
	// <nil>
	// cancelled 1 <nil>
	// requeued 1 <nil>
}

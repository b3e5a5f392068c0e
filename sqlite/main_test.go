package sqlite_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/quire-dev/quire/queue"
	"github.com/quire-dev/quire/sqlite"
)

// childRole names the environment variable that makes the test program play
// another process: its value is the role, its only argument the database.
const childRole = "QUIRE_SQLITE_TEST_CHILD"

func TestMain(m *testing.M) {
	roles := map[string]func(*sqlite.Store) error{
		"import": childImport, "work": childWork, "crash": childCrash, "live": childLives, "read": childRead,
	}
	role, ok := roles[os.Getenv(childRole)]
	if !ok {
		if _, set := os.LookupEnv("RAPID_CHECKS"); !set { // a default: the command line comes later
			if err := flag.Set("rapid.checks", "10"); err != nil {
				panic(err)
			}
		}
		os.Exit(m.Run())
	}
	opt := sqlite.Options{Create: true}
	if os.Getenv(childRole) == "read" {
		opt = sqlite.Options{ReadOnly: true}
	}
	s, err := sqlite.Open(context.Background(), os.Args[1], opt)
	if err == nil {
		err = role(s)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// child is the command that plays role on the database at path.
func child(t *testing.T, role, path string) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, path)
	cmd.Env = append(os.Environ(), childRole+"="+role)
	cmd.Stderr = os.Stderr
	return cmd
}

const imported = 400

// childImport enqueues the same jobs as its siblings and prints how many it added.
func childImport(s *sqlite.Store) error {
	sum := 0
	for n := 0; n < imported; n += 10 {
		var jobs []queue.NewJob
		for i := range 10 {
			jobs = append(jobs, newJob(n+i))
		}
		got, err := s.Enqueue(context.Background(), jobs)
		if err != nil {
			return err
		}
		sum += got.Added
	}
	fmt.Println(sum)
	return s.Close()
}

// childWork leases and finishes the jobs that its siblings import, until all are
// done, and prints how many it was.
func childWork(s *sqlite.Store) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	woken := make(chan struct{}, 1)
	go func() {
		_ = s.Watch(ctx, func([]queue.KeyBacklog) {
			select {
			case woken <- struct{}{}:
			default:
			}
		})
	}()
	const reason = "worked on"
	sum := 0
	for {
		leases, err := s.Lease(ctx, "child", []queue.Want{{Key: newJob(0).Key, N: 5}}, time.Hour)
		if err != nil {
			return err
		}
		for _, l := range leases {
			errs, err := s.Settle(ctx, queue.Settlement{Lease: l, Verb: queue.Finish, State: queue.Done, Reason: reason})
			if err := errors.Join(append(errs, err)...); err != nil {
				return err
			}
		}
		if sum += len(leases); len(leases) > 0 {
			continue
		}
		if st, err := s.Stats(ctx); err != nil || st.Reasons[reason] == imported {
			fmt.Println(sum)
			return errors.Join(err, s.Close())
		}
		select {
		case <-woken:
		case <-time.After(50 * time.Millisecond): // a sibling has finished the last one
		}
	}
}

// childCrash works for ever, and prints each promise it got.
func childCrash(s *sqlite.Store) error {
	_, release, err := s.LockRunner(context.Background())
	if err != nil {
		return err
	}
	defer release()
	for i := 0; ; i++ {
		if err := live(s, i); err != nil {
			return err
		}
	}
}

// childLives works for a while and closes the store.
func childLives(s *sqlite.Store) error {
	for i := range 40 {
		if err := live(s, i); err != nil {
			return err
		}
	}
	return s.Close()
}

// live leads one job through a life that depends on i, and prints what was
// promised after each step; what is about to be undone it prints before.
func live(s *sqlite.Store, i int) error {
	ctx := context.Background()
	id := fmt.Sprintf("%d-%d", os.Getpid(), i)
	f := queue.Filter{ArtifactIDs: []string{id}}
	if _, err := s.Enqueue(ctx, []queue.NewJob{{ArtifactID: id, Key: id}}); err != nil {
		return err
	}
	fmt.Println("queued", id)
	leases, err := s.Lease(ctx, "child", []queue.Want{{Key: id, N: 1}}, time.Hour)
	if err != nil || len(leases) == 0 || i%3 == 0 {
		return err
	}
	if i%5 == 0 {
		_, err = s.Cancel(ctx, f)
		return said(err, "cancelled", id)
	}
	errs, err := s.Settle(ctx, queue.Settlement{Lease: leases[0], Verb: queue.Finish, State: queue.Done})
	if err := said(errors.Join(append(errs, err)...), "done", id); err != nil {
		return err
	}
	switch i % 7 {
	case 1:
		fmt.Println("requeues", id)
		_, err = s.Requeue(ctx, f)
		return said(err, "requeued", id)
	case 2:
		fmt.Println("prunes", id)
		_, err = s.Prune(ctx, f)
		return said(err, "pruned", id)
	}
	return nil
}

// said prints a promise, if it was given.
func said(err error, what, id string) error {
	if err == nil {
		_, err = fmt.Println(what, id)
	}
	return err
}

// childRead prints how many jobs there are.
func childRead(s *sqlite.Store) error {
	st, err := s.Stats(context.Background())
	fmt.Println(st.Total())
	return err
}

func newJob(n int) queue.NewJob {
	return queue.NewJob{ArtifactID: fmt.Sprintf("doi:10.1371/journal.pone.%07d", n), Key: "resolver:pmc"}
}

func newJobs(from, n int) []queue.NewJob {
	jobs := make([]queue.NewJob, n)
	for i := range jobs {
		jobs[i] = newJob(from + i)
	}
	return jobs
}

package sqlite_test

import (
	"bufio"
	"context"
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
	roles := map[string]func(*sqlite.Store) error{"import": childImport, "crash": childCrash, "read": childRead}
	role, ok := roles[os.Getenv(childRole)]
	if !ok {
		if err := flag.Set("rapid.checks", "25"); err != nil { // a default: the command line comes later
			panic(err)
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

const imported = 1000

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

// childCrash enqueues and finishes jobs for ever, and prints each promise it got.
func childCrash(s *sqlite.Store) error {
	ctx := context.Background()
	_, release, err := s.LockRunner(ctx)
	if err != nil {
		return err
	}
	defer release()
	out := bufio.NewWriter(os.Stdout)
	say := func(what, id string) error {
		fmt.Fprintln(out, what, id)
		return out.Flush()
	}
	for i := 0; ; i++ {
		id := fmt.Sprintf("%d-%d", os.Getpid(), i)
		if _, err := s.Enqueue(ctx, []queue.NewJob{{ArtifactID: id, Key: id}}); err != nil {
			return err
		}
		if err := say("queued", id); err != nil {
			return err
		}
		leases, err := s.Lease(ctx, "child", []queue.Want{{Key: id, N: 1}}, time.Hour)
		if err != nil || i%3 == 0 {
			continue
		}
		errs, err := s.Settle(ctx, queue.Settlement{Lease: leases[0], Verb: queue.Finish, State: queue.Done})
		if err != nil || errs[0] != nil {
			return fmt.Errorf("settle: %w, %w", errs[0], err)
		}
		if err := say("done", id); err != nil {
			return err
		}
	}
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

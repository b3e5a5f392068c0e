package quire_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/testweb"
	"github.com/quire-dev/quire/orchestrator"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
	"github.com/quire-dev/quire/sqlite"
)

// collect gets the full text of works. Stopped half way and called again, it
// goes on where it was.
func collect(ctx context.Context, cfg quire.Config, ids ...string) (sum quire.Summary, err error) {
	system, err := quire.Open(ctx, cfg) // Config{Data: "quire-data", Contact: "you@university.edu"}
	if err != nil {
		return sum, err
	}
	defer func() { err = errors.Join(err, system.Close()) }()

	var wanted []quire.Request
	for _, id := range ids {
		artifact, err := paper.ParseID(id)
		if err != nil {
			return sum, err
		}
		wanted = append(wanted, quire.Request{Artifact: artifact})
	}
	if _, err := system.Add(ctx, wanted, quire.AddOptions{}); err != nil {
		return sum, err
	}
	return system.Run(ctx, quire.RunOptions{Drain: true})
}

func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "quire")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	web, err := testweb.Start(ctx) // stands in for the internet
	if err != nil {
		fmt.Println(err)
		return
	}
	defer web.Close()
	web.Serve(testweb.World{Works: []testweb.Work{{
		DOI: "10.5555/example", Title: "On Examples", Publisher: "press.example", Year: 2026,
		Landing: "https://press.example/1",
		Copies:  []testweb.Copy{{URL: "https://press.example/1.pdf", Publisher: true, License: "cc-by"}},
	}}})
	if err := web.WriteCA(filepath.Join(dir, "ca.pem")); err != nil {
		fmt.Println(err)
		return
	}

	sum, err := collect(ctx, quire.Config{
		Data:    filepath.Join(dir, "quire-data"),
		Contact: "you@university.edu",
		HTTP: quire.HTTP{
			ConnectTo: web.ConnectTo(), CAFile: filepath.Join(dir, "ca.pem"),
			AllowNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		},
	}, "https://doi.org/10.5555/EXAMPLE", "doi:10.5555/example")
	fmt.Println("done:", sum.Done, "remaining:", sum.Remaining, "error:", err)
	// Output: done: 1 remaining: 0 error: <nil>
}

// greeter greets whom a job's payload names.
type greeter struct{}

func (greeter) Step(_ context.Context, s queue.Step) []queue.Outcome {
	var name string
	if err := json.Unmarshal(s.Jobs[0].Payload, &name); err != nil {
		return []queue.Outcome{{Verb: queue.Finish, State: queue.Error, Error: err.Error()}}
	}
	s.Send() // keeps the pace, right before a request
	fmt.Println("hello", name, "at", s.Key)
	return []queue.Outcome{{Verb: queue.Finish, State: queue.Done}}
}

// The queue on its own, for jobs that are not papers.
func Example_queue() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "quire")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	store, err := sqlite.Open(ctx, filepath.Join(dir, "jobs.db"), sqlite.Options{Create: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	job := queue.NewJob{ArtifactID: "greet:ada", Key: "host:example.org", Payload: json.RawMessage(`"Ada"`)}
	if _, err := store.Enqueue(ctx, []queue.NewJob{job, job}); err != nil {
		fmt.Println(err)
		return
	}
	_, release, err := store.LockRunner(ctx) // one process at a time runs a file's jobs
	if err != nil {
		fmt.Println(err)
		return
	}
	defer release()
	run, err := orchestrator.New(store, greeter{}, orchestrator.Config{
		Owner: "example", Drain: true,
		Limit: func(string) orchestrator.Limit { return orchestrator.Limit{InFlight: 2} },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	sum, err := run.Run(ctx)
	fmt.Println("done:", sum.Done, "error:", err)
	// Output:
	// hello Ada at host:example.org
	// done: 1 error: <nil>
}

// The example of the README is the one that is compiled and run here.
func TestREADME(t *testing.T) {
	source, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, sample, _ := strings.Cut(string(source), "\n// collect ")
	sample, _, _ = strings.Cut(sample, "\n}\n")
	if !strings.Contains(string(readme), "```go\n// collect "+sample+"\n}\n```") {
		t.Error("README.md does not show collect of example_test.go as it is")
	}
}

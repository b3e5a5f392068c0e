package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/queue"
)

// Two hundred jobs, one a second at one key: the end is foretold to the second, and
// what was said before anything was known does not count.
func TestBook(t *testing.T) {
	const jobs = 200
	b := newBook()
	every := time.Second
	for n := range jobs {
		at := time.Duration(n+1) * every
		left := jobs - n - 1
		b.observe(step{At: at, Job: int64(n), Key: "host:a", Finished: true, Attempt: 1})
		b.look(snapshot{
			At: at, Slots: 32, Bound: time.Duration(left) * every / 2,
			Keys:  []quire.KeyState{{Key: "host:a", Ready: left, Cap: 1, Widest: 1, PerSecond: 1, Batch: 1}},
			Stats: queue.Stats{Queued: left, Ready: left, Done: n + 1, Keys: []queue.KeyStats{{Key: "host:a", Ready: left}}},
		})
	}
	var out strings.Builder
	if err := b.write(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"foretold: from 20 to 95 % of the run 100 % of the estimates were within 20 % of the time left",
		"naive: from 20 to 95 % of the run 100 % of the estimates",
		"bound: from 20 to 95 % of the run 0 % of the estimates were within 20 % of the time left; off by 50 % of it on average and 50 % at worst",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

// A small web is got in a process, and what was foretold is told; the trace says it
// again.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	var out bytes.Buffer
	args := []string{"-run", "-works", "60", "-scale", "1000", "-dir", dir, "-trace", dir + "/trace"}
	if err := run(t.Context(), args, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); !strings.HasPrefix(text, "seed 1: ") || !strings.Contains(text, "foretold: ") {
		t.Errorf("a run says %q", text)
	}
	var again bytes.Buffer
	if err := run(t.Context(), []string{dir + "/trace-1.jsonl"}, &again, io.Discard); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(again.String(), "foretold: ") {
		t.Errorf("its trace says %q", again.String())
	}
}

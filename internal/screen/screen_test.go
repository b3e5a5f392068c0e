package screen_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/forecast"
	"github.com/quire-dev/quire/internal/progress"
	"github.com/quire-dev/quire/internal/screen"
	"github.com/quire-dev/quire/orchestrator"
	"github.com/quire-dev/quire/queue"
)

// midway is a run that has come some way.
func midway(at time.Time) *progress.Snapshot {
	key := func(k orchestrator.KeyState, delayed int, paused bool) progress.Key {
		return progress.Key{KeyState: k, Delayed: delayed, Paused: paused}
	}
	s := &progress.Snapshot{
		Elapsed: 3*time.Minute + 12*time.Second, Done: 1203, Skipped: 850, Failed: 3, Ready: 2801, Delayed: 63, Running: 32,
		WorksPerSecond: 12.3, RequestsPerSecond: 41, BytesPerSecond: 4.2e6, Bytes: 1.3e9, Requests: 9000,
		Left: progress.Left{Known: true, About: 9*time.Minute + 40*time.Second, Binds: forecast.Key, Key: "host:journals.example", Least: 8 * time.Minute},
		Keys: []progress.Key{
			key(orchestrator.KeyState{Key: "host:journals.example", InFlight: 4, Cap: 4, PerSecond: 2, Ready: 1203, Left: 10 * time.Minute}, 0, false),
			key(orchestrator.KeyState{Key: "resolver:crossref", InFlight: 3, Cap: 3, PerSecond: 10, Ready: 800, Left: 90 * time.Second}, 0, false),
			key(orchestrator.KeyState{Key: "host:a-very-long-name-of-a-host.of-a-long-domain.example", InFlight: 1, Cap: 2, Ready: 9, Left: 4 * time.Second}, 0, false),
			key(orchestrator.KeyState{Key: "host:busy.example", Gate: 4*time.Minute + 12*time.Second, Reason: "throttled", Ready: 37}, 0, false),
			key(orchestrator.KeyState{Key: "host:broken.example", Breaker: "down", Ready: 5}, 0, false),
			key(orchestrator.KeyState{Key: "host:quiet.example", Ready: 2}, 0, true),
			key(orchestrator.KeyState{Key: "host:later.example"}, 12, false),
		},
	}
	for i := range 9 {
		s.Ended = append(s.Ended, progress.Ending{
			At: at, ArtifactID: fmt.Sprintf("doi:10.5555/work.%d", i), State: queue.Done, Reason: "stored", Resolver: "unpaywall", Bytes: int64(i) << 18,
		})
	}
	s.Ended[2].State, s.Ended[2].Reason = queue.Skipped, "no_oa_location"
	for i := range 3 {
		s.Errors = append(s.Errors, progress.Ending{
			At: at, ArtifactID: fmt.Sprintf("doi:10.5555/failed.%d", i), State: queue.Error, Reason: "transient", Class: "transient",
			Key: "host:broken.example", Error: "get https://broken.example/a.pdf: status 500",
		})
	}
	return s
}

func TestDraw(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {200, 50}, {40, 15}, {24, 6}} {
		name := fmt.Sprintf("%dx%d", size[0], size[1])
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := screen.NewModel(screen.Config{Title: "quire get", Input: strings.NewReader(""), Look: screen.Still(midway(time.Now()))})
				m.Resize(size[0], size[1])
				m.Look()
				m.Log("12:00:00 INF host:broken.example keeps failing: given up for this run")
				time.Sleep(2 * time.Second)
				m.Press("down", "down")
				got := ansi.Strip(m.Draw()) + "\n"
				golden := filepath.Join("testdata", name+".txt")
				if os.Getenv("QUIRE_TEST_UPDATE") != "" {
					if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(golden)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), got); diff != "" {
					t.Errorf("screen (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// Whatever a run is like and however small the terminal, the screen fits, and
// nothing raw of what hosts and works are called gets there.
func TestDraw_fits(t *testing.T) {
	hostile := "a\x1b[31m\x07\u202e\u009b1m漢字👩‍🔬" + strings.Repeat("x", 300)
	s := midway(time.Now())
	for i := range 15 {
		k := s.Keys[i%len(s.Keys)]
		k.Key = fmt.Sprintf("host:%d.%s", i, hostile)
		s.Keys = append(s.Keys, k)
		e := s.Errors[0]
		e.ArtifactID, e.Error, e.Class, e.Key = hostile, hostile, hostile, hostile
		s.Errors, s.Ended = append(s.Errors, e), append(s.Ended, e)
	}
	m := screen.NewModel(screen.Config{Title: "quire", Input: strings.NewReader(""), Look: screen.Still(s)})
	m.Look()
	m.Log(hostile)
	for _, page := range []string{"esc", "e", "l", "?"} {
		m.Press("esc", page, "down", "end")
		for _, w := range []int{0, 1, 2, 3, 7, 20, 39, 40, 59, 60, 80, 119, 120, 121, 200} {
			for _, h := range []int{0, 1, 2, 3, 5, 10, 24, 60} {
				m.Resize(w, h)
				fits(t, m.Draw(), max(w, 1), max(h, 1))
			}
		}
	}
}

func fits(t *testing.T, drawn string, w, h int) {
	t.Helper()
	lines := strings.Split(drawn, "\n")
	if len(lines) > h {
		t.Fatalf("%d lines at %d × %d", len(lines), w, h)
	}
	for _, line := range lines {
		if n := ansi.StringWidth(line); n > w {
			t.Fatalf("a line of %d at %d × %d: %q", n, w, h, line)
		}
		if strings.ContainsAny(ansi.Strip(line), "\x1b\x07\u202e\u009b") || strings.Contains(line, "\x1b[31m\\") {
			t.Fatalf("raw text at %d × %d: %q", w, h, line)
		}
	}
}

// changes notes what a screen asked for.
type changes struct{ made []string }

func (c *changes) config(s *progress.Snapshot) screen.Config {
	note := func(what string) func(context.Context, string) error {
		return func(_ context.Context, key string) error {
			c.made = append(c.made, strings.TrimSpace(what+" "+key))
			if key == "host:later.example" {
				return errors.New("pause host:later.example: the disk is full")
			}
			return nil
		}
	}
	return screen.Config{
		Title: "quire", Input: strings.NewReader(""), Look: screen.Still(s), Pause: note("pause"), Resume: note("resume"),
		Quit: func() { c.made = append(c.made, "quit") },
	}
}

func TestPress(t *testing.T) {
	tests := map[string]struct {
		keys []string
		want []string // that is asked for
		show string   // what the screen has then
	}{
		"pause the first key":        {[]string{"down", "p"}, []string{"pause host:journals.example"}, "host:journals.example is paused"},
		"pause the third key":        {[]string{"down", "down", "j", "p"}, []string{"pause host:a-very-long-name-of-a-host.of-a-long-domain.example"}, "is paused"},
		"resume one that is paused":  {[]string{"end", "up", "p"}, []string{"resume host:quiet.example"}, "host:quiet.example goes on"},
		"a pause that can't be":      {[]string{"end", "p"}, []string{"pause host:later.example"}, "the disk is full"},
		"nothing is selected":        {[]string{"p"}, nil, "select a key"},
		"not on another page":        {[]string{"down", "e", "p"}, nil, "Works that ended in error: 3"},
		"pause all":                  {[]string{"P"}, []string{"pause"}, "the queue is paused"},
		"stop":                       {[]string{"q"}, []string{"quit"}, "stopping"},
		"stop at once":               {[]string{"ctrl+c", "q"}, []string{"quit", "quit"}, "stopping"},
		"stop on the page of errors": {[]string{"e", "q"}, []string{"quit"}, "stopping"},
		"errors":                     {[]string{"e"}, nil, "get https://broken.example/a.pdf: status 500"},
		"log":                        {[]string{"l"}, nil, "given up"},
		"help":                       {[]string{"?"}, nil, "Ctrl-Z"},
		"and back":                   {[]string{"?", "?"}, nil, "Busiest"},
		"back by Esc":                {[]string{"e", "esc"}, nil, "Busiest"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var c changes
			m := screen.NewModel(c.config(midway(time.Now())))
			m.Look()
			m.Log("host:broken.example keeps failing: given up for this run")
			m.Press(tt.keys...)
			if !slices.Equal(c.made, tt.want) {
				t.Errorf("asked for %q, want %q", c.made, tt.want)
			}
			if drawn := ansi.Strip(m.Draw()); !strings.Contains(drawn, tt.show) {
				t.Errorf("no %q on the screen:\n%s", tt.show, drawn)
			}
		})
	}
}

// The list of errors stands still while it is read.
func TestPress_errorsStandStill(t *testing.T) {
	s := midway(time.Now())
	m := screen.NewModel((&changes{}).config(s))
	m.Look()
	m.Press("e")
	newer := s.Errors[0]
	newer.ArtifactID = "doi:10.5555/newer"
	s.Errors = append([]progress.Ending{newer}, s.Errors...)
	m.Look()
	if strings.Contains(m.Draw(), "newer") {
		t.Error("the list moved")
	}
	m.Press("e", "e")
	if !strings.Contains(m.Draw(), "newer") {
		t.Error("the list is not renewed when it is opened again")
	}
}

// A key that is selected is seen, however many come before it.
func TestPress_selectionIsSeen(t *testing.T) {
	s := midway(time.Now())
	for i := range 40 {
		k := s.Keys[0]
		k.Key = fmt.Sprintf("host:%02d.example", i)
		s.Keys = append(s.Keys, k)
	}
	m := screen.NewModel((&changes{}).config(s))
	m.Look()
	for range 25 {
		m.Press("down")
	}
	if drawn := ansi.Strip(m.Draw()); !strings.Contains(drawn, "host:21.example") {
		t.Errorf("the 25th key is not on the screen:\n%s", drawn)
	}
}

// The log is printed when the screen is gone, and from then on as it comes.
func TestJournal(t *testing.T) {
	var out strings.Builder
	j := screen.NewJournal(&out)
	for i := range 1200 {
		fmt.Fprintf(j, "line %d\n", i)
	}
	if out.Len() > 0 {
		t.Fatalf("printed under the screen: %q", out.String())
	}
	j.Open()
	fmt.Fprintln(j, "after")
	lines := strings.Split(strings.TrimRight(out.String(), "\n"), "\n")
	if n := len(lines); n != 1002 || !strings.HasPrefix(lines[0], "… and lines before") || lines[1] != "line 200" || lines[n-1] != "after" {
		t.Errorf("%d lines: %q, %q … %q", n, lines[0], lines[1], lines[n-1])
	}
}

// A fault of the screen ends the screen, and not the program.
func TestGuarded(t *testing.T) {
	for _, where := range []string{"update", "view"} {
		fault, ends := screen.Broken(where)
		if fault == nil || !strings.Contains(fault.Error(), where+" is broken") || !ends {
			t.Errorf("a panic in %s: %v, ends: %v", where, fault, ends)
		}
	}
}

func TestNumber(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", -1234: "-1,234", -100: "-100", 1234567: "1,234,567"} {
		if got := screen.Number(n); got != want {
			t.Errorf("Number(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestClock(t *testing.T) {
	tests := map[time.Duration]string{
		-time.Second: "0:00", 7 * time.Second: "0:07", 130 * time.Second: "2:10", 3723 * time.Second: "1:02:03", 76 * time.Hour: "3 d 4 h",
	}
	for d, want := range tests {
		if got := screen.Clock(d); got != want {
			t.Errorf("Clock(%v) = %q, want %q", d, got, want)
		}
	}
}

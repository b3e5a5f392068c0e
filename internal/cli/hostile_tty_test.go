//go:build linux

package cli_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/creack/pty"
)

// importOn starts an import of stdin, which goes on until more is closed, with
// stdout and stderr on a terminal.
func (s *stuckWeb) importOn(t *testing.T, size pty.Winsize, env []string, args ...string) (p *onTerminal, more *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	p = s.onTerminalOf(t, size, r, env, append([]string{"queue", "import", "-", "--dry-run"}, args...)...)
	_ = r.Close()
	return p, w
}

// The line of progress is redrawn in place, fits any terminal, comes below what else
// is printed, and is gone at the end.
func TestMeter_terminal(t *testing.T) {
	for _, size := range []pty.Winsize{{Rows: 24, Cols: 80}, {Rows: 15, Cols: 40}, {Rows: 50, Cols: 200}, {Rows: 2, Cols: 12}, {}} {
		t.Run(fmt.Sprintf("%dx%d", size.Cols, size.Rows), func(t *testing.T) {
			t.Parallel()
			s := newStuckWeb(t)
			p, more := s.importOn(t, size, nil)
			p.await(t, "check") // the line is there
			if _, err := more.WriteString("this is no identifier\n"); err != nil {
				t.Fatal(err)
			}
			_ = more.Close()
			code, shown := p.end(t)
			if code != 3 {
				t.Errorf("exit code %d", code)
			}
			room := int(size.Cols) - 1
			if size.Cols == 0 {
				room = 79
			}
			for _, line := range strings.FieldsFunc(shown, func(r rune) bool { return r == '\r' || r == '\n' }) {
				if strings.Contains(line, "check") && ansi.StringWidth(line) > room {
					t.Errorf("%d cells: %q", ansi.StringWidth(line), line)
				}
			}
			if want := "\r\x1b[Krejected line 1: "; !strings.Contains(shown, want) {
				t.Errorf("the row that was rejected is not above the line: %q", shown)
			}
			if _, last, _ := cutLast(shown, "check"); !strings.Contains(last, "\r\x1b[K0 added") {
				t.Errorf("the end is not on a line of its own: %q", last)
			}
		})
	}
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// A terminal that becomes narrower gets a shorter line.
func TestMeter_resized(t *testing.T) {
	t.Parallel()
	s := newStuckWeb(t)
	p, more := s.importOn(t, pty.Winsize{Rows: 24, Cols: 80}, nil)
	p.await(t, "checking stdin  0 rows")
	if err := pty.Setsize(p.tty, &pty.Winsize{Rows: 24, Cols: 16}); err != nil {
		t.Fatal(err)
	}
	p.await(t, "checking s…\x1b[K")
	_ = more.Close()
	if code, _ := p.end(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// Whoever interrupts finds the terminal's last line free.
func TestMeter_interrupted(t *testing.T) {
	for name, keys := range map[string]string{"once": "\x03", "twice": "\x03\x03"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStuckWeb(t)
			p, _ := s.importOn(t, pty.Winsize{Rows: 24, Cols: 80}, nil)
			p.await(t, "checking stdin")
			p.press(t, keys)
			code, shown := p.end(t)
			if _, last, _ := cutLast(shown, "checking stdin"); code != 130 || !strings.Contains(last, "\r\x1b[K") {
				t.Errorf("exit code %d, in the end %q", code, last)
			}
		})
	}
}

// On terminals that can't, or are not to, nothing is drawn.
func TestMeter_notOnEveryTerminal(t *testing.T) {
	tests := map[string][]string{
		"TERM=dumb":        {"TERM=dumb"},
		"TERM is not set":  {"TERM="},
		"in CI":            {"CI=true"},
		"--progress plain": {"QUIRE_PROGRESS=plain"},
		"--progress none":  {"QUIRE_PROGRESS=none"},
		"JSON log":         {"QUIRE_LOG_FORMAT=json"},
	}
	for name, env := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStuckWeb(t)
			p, more := s.importOn(t, pty.Winsize{Rows: 24, Cols: 80}, env)
			_, _ = more.WriteString(strings.Repeat("10.5555/a\n", 100_000))
			_ = more.Close()
			if code, shown := p.end(t); code != 0 || strings.Contains(shown, "\x1b") {
				t.Errorf("exit code %d, shown %q", code, shown)
			}
		})
	}
}

// Whatever the environment says of the terminal: the program works.
func TestHostile_environment(t *testing.T) {
	tests := map[string]struct {
		size pty.Winsize
		env  []string
	}{
		"an unknown terminal": {pty.Winsize{Rows: 24, Cols: 80}, []string{"TERM=unknown-thing"}},
		"TERM is a path":      {pty.Winsize{Rows: 24, Cols: 80}, []string{"TERM=../../etc/passwd"}},
		"COLUMNS is a word":   {pty.Winsize{}, []string{"COLUMNS=wide", "LINES=-1"}},
		"COLUMNS is huge":     {pty.Winsize{}, []string{"COLUMNS=99999999999999999999"}},
		"no size":             {pty.Winsize{}, nil},
		"a cell":              {pty.Winsize{Rows: 1, Cols: 1}, nil},
		"huge":                {pty.Winsize{Rows: 65535, Cols: 65535}, nil},
		"no locale, no home":  {pty.Winsize{Rows: 24, Cols: 80}, []string{"LC_ALL=xx", "HOME=", "PATH=", "TZ=No/Where"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStuckWeb(t)
			s.run(t, "queue", "enqueue", "10.5555/stuck")
			for _, args := range [][]string{{"queue", "stats"}, {"queue", "list"}, {"verify"}, {"--help"}} {
				p := s.onTerminalOf(t, tt.size, nil, tt.env, args...)
				if code, shown := p.end(t); code != 0 || shown == "" {
					t.Errorf("%v: exit code %d, shown %q", args, code, shown)
				}
			}
			p := s.onTerminalOf(t, tt.size, nil, tt.env, "queue", "stats", "--watch")
			p.await(t, "\x1b[H")
			p.press(t, "\x03")
			if code, shown := p.end(t); code != 0 || !strings.Contains(shown, screenOff) {
				t.Errorf("stats --watch: exit code %d, shown %q", code, shown)
			}
			p = s.onTerminalOf(t, tt.size, nil, tt.env, "get", "10.5555/stuck")
			s.await(t)
			close(s.release)
			if code, shown := p.end(t); code != 0 {
				t.Errorf("get: exit code %d, shown %q", code, shown)
			}
		})
	}
}

// A reader that stops reading can't keep the program from ending.
func TestHostile_readerStops(t *testing.T) {
	q := newLongQueue(t)
	for name, sig := range map[string]syscall.Signal{"SIGTERM": syscall.SIGTERM, "Ctrl-C": syscall.SIGINT, "SIGHUP": syscall.SIGHUP} {
		for _, args := range [][]string{{"queue", "list"}, {"--json", "queue", "list"}, {"export", "manifest"}, {"export", "csv"}} {
			t.Run(fmt.Sprint(name, args), func(t *testing.T) {
				t.Parallel()
				r, w, err := os.Pipe()
				if err != nil {
					t.Fatal(err)
				}
				defer r.Close()
				c := q.command(t, args...)
				var said bytes.Buffer
				c.Stdout, c.Stderr = w, &said
				if err := c.Start(); err != nil {
					t.Fatal(err)
				}
				_ = w.Close()
				if _, err := io.CopyN(io.Discard, r, 1); err != nil {
					t.Fatal(err)
				}
				if err := c.Process.Signal(sig); err != nil {
					t.Fatal(err)
				}
				if code := awaitEnd(t, c); code != 130 || said.String() != "quire: interrupted: what is done is kept; run it again to go on\n" {
					t.Errorf("exit code %d, said %q", code, said.String())
				}
			})
		}
	}
}

// Where there is no terminal nothing is printed that steers one, whatever the
// environment says.
func TestHostile_noEscapes(t *testing.T) {
	q := newLongQueue(t)
	environments := map[string][]string{
		"NO_COLOR":       {"TERM=xterm-256color", "NO_COLOR=1"},
		"TERM=dumb":      {"TERM=dumb"},
		"CI":             {"TERM=xterm-256color", "CI=true"},
		"colours forced": {"TERM=xterm-256color", "COLORTERM=truecolor", "CLICOLOR_FORCE=1", "FORCE_COLOR=1", "TTY_FORCE=1"},
		"all of it":      {"TERM=xterm-256color", "QUIRE_PROGRESS=tui", "QUIRE_LOG_LEVEL=debug"},
	}
	few := map[string][]string{
		"usage": {"queue", "list", "--limit", "-1"}, "unknown": {"lits"}, "get": {"get", "10.5555/x"}, "stats": {"queue", "stats"},
		"enqueue": {"queue", "enqueue", "\x1b[31mred\x1b[0m"}, "import": {"queue", "import", q.path("ids.txt")},
	}
	all := printing(q)
	delete(all, "stats, watched") // does not end by itself
	delete(all, "bench")
	maps.Copy(all, few)
	for where, env := range environments {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			commands := few
			if where == "all of it" {
				commands = all
			}
			for name, args := range commands {
				c := q.command(t, args...)
				c.Env = append(c.Env, env...)
				var out bytes.Buffer
				c.Stdout, c.Stderr = &out, &out
				_ = c.Run() // some of them fail, which is not what this is about
				if bytes.ContainsAny(out.Bytes(), "\x1b\u009b") || out.Len() == 0 && name != "export bibtex" {
					t.Errorf("%s: %q", name, out.String())
				}
			}
		})
	}
}

// Without a controlling terminal, as under a service manager, it works too.
func TestHostile_noTerminal(t *testing.T) {
	q := newLongQueue(t)
	for name, env := range map[string][]string{"no environment": nil, "TERM": {"TERM=xterm-256color"}, "tui": {"TERM=xterm-256color", "QUIRE_PROGRESS=tui"}} {
		t.Run(name, func(t *testing.T) {
			c := q.command(t, "queue", "import", q.path("ids.txt"))
			c.Env = append([]string{hurriedRace}, env...)
			c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
			var said bytes.Buffer
			c.Stderr = &said
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			if code := awaitEnd(t, c); code != 0 || said.Len() > 0 {
				t.Errorf("exit code %d, said %q", code, said.String())
			}
		})
	}
}

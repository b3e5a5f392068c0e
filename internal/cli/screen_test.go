//go:build unix

package cli_test

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

const (
	screenOn  = "\x1b[?1049h" // xterm: to the alternate screen, and back
	screenOff = "\x1b[?1049l"
)

// onTerminal is quire on a terminal of its own.
type onTerminal struct {
	cmd  *exec.Cmd
	tty  *os.File // our end of it
	read sync.WaitGroup

	mu      sync.Mutex
	text    strings.Builder // all that it has shown
	changed chan struct{}
}

func (s *stuckWeb) onTerminal(t *testing.T, env []string, args ...string) *onTerminal {
	t.Helper()
	return s.onTerminalOf(t, pty.Winsize{Rows: 24, Cols: 80}, nil, env, args...)
}

// onTerminalOf is onTerminal of a size. stdin is the terminal, too, if it is nil.
func (s *stuckWeb) onTerminalOf(t *testing.T, size pty.Winsize, stdin *os.File, env []string, args ...string) *onTerminal {
	t.Helper()
	p := &onTerminal{changed: make(chan struct{}, 1)}
	p.cmd, _ = quireCommand(t, append([]string{"--data", s.data}, args...)...)
	p.cmd.Stdout = nil // the terminal, too
	p.cmd.Env = append(p.cmd.Env, "TERM=xterm-256color", "NO_COLOR=", "CI=")
	p.cmd.Env = append(p.cmd.Env, env...)
	var err error
	if stdin != nil {
		p.cmd.Stdin = stdin
	}
	p.tty, err = startOn(p.cmd, size)
	if err != nil {
		t.Fatal(err)
	}
	p.read.Go(p.follow)
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		_ = p.tty.Close()
		p.read.Wait()
	})
	return p
}

// startOn starts a program on a terminal that is its own, whatever its stdin is.
func startOn(c *exec.Cmd, size pty.Winsize) (ours *os.File, err error) {
	ours, theirs, err := pty.Open()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	if err := pty.Setsize(ours, &size); err != nil {
		return nil, err
	}
	if c.Stdin == nil {
		c.Stdin = theirs
	}
	c.Stdout, c.Stderr = theirs, theirs
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 1} // as its descriptor is there
	return ours, c.Start()
}

// follow reads what the terminal shows until the program has gone.
func (p *onTerminal) follow() {
	buffer := make([]byte, 4096)
	for {
		n, err := p.tty.Read(buffer)
		p.mu.Lock()
		p.text.Write(buffer[:n])
		p.mu.Unlock()
		select {
		case p.changed <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

func (p *onTerminal) shown() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// await waits until the terminal has shown a text.
func (p *onTerminal) await(t *testing.T, text string) {
	t.Helper()
	over := time.NewTimer(patience)
	defer over.Stop()
	for !strings.Contains(p.shown(), text) {
		select {
		case <-p.changed:
		case <-over.C:
			t.Fatalf("no %q on the terminal: %q", text, p.shown())
		}
	}
}

func (p *onTerminal) press(t *testing.T, keys string) {
	t.Helper()
	if _, err := p.tty.WriteString(keys); err != nil {
		t.Fatal(err)
	}
}

// end waits for the program and returns its exit code and all it has shown.
func (p *onTerminal) end(t *testing.T) (int, string) {
	t.Helper()
	timer := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	defer timer.Stop()
	p.read.Wait()
	err := p.cmd.Wait()
	code := 0
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		code = failed.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	return code, p.shown()
}

// However a run on a terminal is ended, the terminal is as it was before.
func TestScreen_givesTheTerminalBack(t *testing.T) {
	tests := map[string]struct {
		end  func(t *testing.T, p *onTerminal, s *stuckWeb)
		code int
		left string // on the terminal afterwards
	}{
		"it is done": {func(_ *testing.T, _ *onTerminal, s *stuckWeb) { close(s.release) }, 0, "done "},
		"q":          {func(t *testing.T, p *onTerminal, _ *stuckWeb) { p.press(t, "q") }, 130, "stopping: "},
		"q twice":    {func(t *testing.T, p *onTerminal, _ *stuckWeb) { p.press(t, "qq") }, 130, ""},
		"Ctrl-C":     {func(t *testing.T, p *onTerminal, _ *stuckWeb) { p.press(t, "\x03") }, 130, "stopping: "},
		"SIGTERM":    {func(t *testing.T, p *onTerminal, _ *stuckWeb) { p.signal(t, syscall.SIGTERM) }, 130, "stopping: "},
		"SIGTERM twice": {func(t *testing.T, p *onTerminal, _ *stuckWeb) {
			p.signal(t, syscall.SIGTERM)
			p.signal(t, syscall.SIGINT)
		}, 130, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStuckWeb(t)
			p := s.onTerminal(t, []string{"QUIRE_ORCHESTRATOR_GRACE=300ms"}, "get", "10.5555/stuck")
			s.await(t)
			p.await(t, screenOn)
			p.await(t, "host:press.quire.example")
			tt.end(t, p, s)
			code, shown := p.end(t)
			if code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			_, after, left := strings.Cut(shown, screenOff)
			if !left || !strings.Contains(shown, "\x1b[?25h") {
				t.Errorf("the terminal was not given back: %q", shown)
			}
			if !strings.Contains(after, tt.left) {
				t.Errorf("afterwards there is no %q: %q", tt.left, after)
			}
		})
	}
}

func (p *onTerminal) signal(t *testing.T, sig os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// A key that is paused on the screen is paused in the queue.
func TestScreen_pauses(t *testing.T) {
	t.Parallel()
	s := newStuckWeb(t)
	p := s.onTerminal(t, nil, "queue", "run")
	p.await(t, screenOn)
	p.press(t, "P")
	p.await(t, "the queue is paused")
	if _, text := s.run(t, "queue", "stats"); !strings.Contains(text, "the queue is paused") {
		t.Errorf("the queue is not paused: %s", text)
	}
	p.press(t, "q")
	if code, _ := p.end(t); code != 130 {
		t.Errorf("exit code %d, want 130", code)
	}
}

// Where a live view can't be, or is not wanted, nothing moves the cursor.
func TestScreen_notOnEveryTerminal(t *testing.T) {
	tests := map[string][]string{
		"TERM=dumb":           {"TERM=dumb"},
		"TERM is not set":     {"TERM="},
		"in CI":               {"CI=true"},
		"--progress plain":    {"QUIRE_PROGRESS=plain"},
		"--progress none":     {"QUIRE_PROGRESS=none"},
		"--log-format json":   {"QUIRE_LOG_FORMAT=json"},
		"tui on TERM=dumb":    {"QUIRE_PROGRESS=tui", "TERM=dumb"},
		"no colour, and dumb": {"NO_COLOR=1", "TERM=dumb"},
	}
	for name, env := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStuckWeb(t)
			p := s.onTerminal(t, env, "get", "10.5555/stuck")
			s.await(t)
			time.AfterFunc(1500*time.Millisecond, func() { close(s.release) }) // longer than it takes the screen to open
			if code, shown := p.end(t); code != 0 || strings.Contains(shown, "\x1b") {
				t.Errorf("exit code %d, shown %q", code, shown)
			}
		})
	}
}

// With NO_COLOR the screen has no colours; what is told apart by them has signs.
func TestScreen_noColour(t *testing.T) {
	t.Parallel()
	s := newStuckWeb(t)
	p := s.onTerminal(t, []string{"NO_COLOR=1"}, "get", "10.5555/stuck")
	s.await(t)
	p.await(t, "host:press.quire.example")
	close(s.release)
	code, shown := p.end(t)
	for _, colour := range []string{"\x1b[31", "\x1b[32", "\x1b[33", ";31m", ";32m", ";33m"} {
		if strings.Contains(shown, colour) {
			t.Errorf("there is %q: %q", colour, shown)
		}
	}
	if code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// A terminal that goes away under the live view stops the run, which hands back what
// it has.
func TestScreen_terminalGoesAway(t *testing.T) {
	t.Parallel()
	s := newStuckWeb(t)
	p := s.onTerminal(t, []string{"QUIRE_ORCHESTRATOR_GRACE=300ms"}, "get", "10.5555/stuck")
	s.await(t)
	p.await(t, "host:press.quire.example")
	if err := p.tty.Close(); err != nil {
		t.Fatal(err)
	}
	if code, _ := p.end(t); code != 130 {
		t.Errorf("exit code %d, want 130", code)
	}
	s.wantCounts(t, 1, 0, 0)
}

//go:build unix

package cli_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"

	"github.com/quire-dev/quire/internal/need"
)

// configure changes the configuration file of s.
func (s *stuckWeb) configure(t *testing.T, old, replacement string) {
	t.Helper()
	path := filepath.Join(s.data, "quire.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), old, replacement, 1)
	if changed == string(text) {
		t.Fatalf("%q is not in the configuration", old)
	}
	if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A limit that would have kept the run for an hour is taken back while it goes on.
func TestReload_limits(t *testing.T) {
	for name, args := range map[string][]string{"get": {"get"}, "run": {"queue", "run", "--drain"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const slow = "\n  host:press.quire.example: {every: 1h}\n"
			s := newStuckWeb(t)
			close(s.release)
			s.run(t, "queue", "enqueue", "10.5555/stuck", "10.5555/second")
			s.configure(t, "limits:\n", "limits:"+slow)
			p := s.start(t, nil, nil, append(args, "--log-level", "debug")...)
			p.say(t, "reason=stored") // of one; the other file is at the same host
			s.configure(t, slow, "\n  resolver:custom: {every: 1h}\n")
			p.signal(t, syscall.SIGHUP)
			p.say(t, `the limits stay as they are: read configuration: `+s.data+`/quire.yaml:8: limits.resolver:custom.every: unknown resolver "custom"`)
			s.configure(t, "\n  resolver:custom: {every: 1h}\n", "\n")
			p.signal(t, syscall.SIGHUP)
			p.say(t, "SIGHUP: limits changed: limits.host:press.quire.example.every 1h → not set")
			if code, said := p.end(t); code != 0 {
				t.Errorf("exit code %d: %s", code, said)
			}
			s.wantCounts(t, 0, 0, 2)
		})
	}
}

// What is no limit holds for the next run only, and what is not good changes nothing.
func TestReload_told(t *testing.T) {
	t.Parallel()
	s := newStuckWeb(t)
	s.run(t, "queue", "enqueue", "10.5555/stuck")
	p := s.start(t, []string{"QUIRE_RESOLVERS_CORE_API_KEY=hunter2"}, nil, "queue", "run", "--set", "orchestrator.max_per_host=3")
	s.await(t)
	p.signal(t, syscall.SIGHUP)
	p.say(t, "SIGHUP: no limit has changed\n")
	s.configure(t, "limits:\n", "orchestrator: {max_workers: 8, max_per_host: 2}\nlimits:\n")
	p.signal(t, syscall.SIGHUP)
	p.say(t, "SIGHUP: no limit has changed; at the next run only: orchestrator.max_workers\n")
	s.configure(t, "max_per_host: 2}", "max_per_domain: 16}\nrobots: {obey: false}")
	s.configure(t, "default_host: {in_flight: 8, every: 1ms}", "default_host: {in_flight: 7, per_second: 5, daily: 9}")
	p.signal(t, syscall.SIGHUP)
	p.say(t, "SIGHUP: limits changed: limits.default_host.daily not set → 9, limits.default_host.every 1ms → not set, "+
		"limits.default_host.in_flight 8 → 7, limits.default_host.per_second not set → 5, orchestrator.max_per_domain 8 → 16; "+
		"at the next run only: orchestrator.max_workers, robots.obey\n")
	for bad, want := range map[string]string{
		"max_wokers: 8": "orchestrator.max_wokers: unknown key; the nearest known is max_workers", "max_workers: 0": `"0" is out of range`,
	} {
		s.configure(t, "max_workers: 8", bad)
		p.signal(t, syscall.SIGHUP)
		p.say(t, want)
		s.configure(t, bad, "max_workers: 8")
	}
	if err := os.Remove(filepath.Join(s.data, "quire.yaml")); err != nil {
		t.Fatal(err)
	}
	p.signal(t, syscall.SIGHUP)
	p.say(t, "limits.default_host.per_second 5 → 2") // of what is left: the defaults
	close(s.release)
	p.signal(t, syscall.SIGTERM)
	if code, said := p.end(t); code != 0 || strings.Contains(said, "hunter") {
		t.Errorf("exit code %d: %s", code, said)
	}
	s.wantCounts(t, 0, 0, 1)
}

// startOnTerminal starts quire as the first program of a terminal; only its stderr is
// elsewhere. Closing the terminal hangs it up.
func (s *stuckWeb) startOnTerminal(t *testing.T, env []string, args ...string) (p *program, terminal *os.File) {
	t.Helper()
	c, _ := quireCommand(t, append([]string{"--data", s.data}, args...)...)
	c.Env, c.Stdout = append(c.Env, env...), nil
	stderr, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if terminal, err = pty.Start(c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = terminal.Close() })
	return &program{cmd: c, stderr: bufio.NewReader(stderr)}, terminal
}

// On a terminal SIGHUP reloads, until the terminal goes away: then it stops the run,
// which has its grace even if the shell sends another.
func TestReload_hangup(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		want int
	}{
		"get": {[]string{"get", "10.5555/stuck"}, 130}, "drain": {[]string{"queue", "run", "--drain"}, 130}, "run": {[]string{"queue", "run"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStuckWeb(t)
			s.run(t, "queue", "enqueue", "10.5555/stuck")
			p, terminal := s.startOnTerminal(t, []string{"QUIRE_ORCHESTRATOR_GRACE=100ms"}, tt.args...)
			s.await(t)
			p.signal(t, syscall.SIGHUP)
			p.say(t, "SIGHUP: no limit has changed")
			if err := terminal.Close(); err != nil {
				t.Fatal(err)
			}
			p.say(t, "stopping: ")
			p.signal(t, syscall.SIGHUP)
			if code, said := p.end(t); code != tt.want {
				t.Errorf("exit code %d, want %d: %s", code, tt.want, said)
			}
			s.wantCounts(t, 1, 0, 0)
			if _, text := s.run(t, "--json", "queue", "show", "10.5555/stuck"); !strings.Contains(text, `"attempts":0`) {
				t.Errorf("the attempt was not given back: %s", text)
			}
		})
	}
}

// Under nohup SIGHUP ends nothing; it reloads where there is something to reload.
func TestReload_nohup(t *testing.T) {
	start := func(t *testing.T, s *stuckWeb, stdin *os.File, args string) *program {
		t.Helper()
		c, _ := quireCommand(t)
		c.Path, c.Args = "/bin/sh", []string{"sh", "-c", `trap "" HUP; exec quire --data "$1" ` + args, "sh", s.data}
		if stdin != nil {
			c.Stdin = stdin
		}
		stderr, err := c.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		return &program{cmd: c, stderr: bufio.NewReader(stderr)}
	}
	_, err := exec.LookPath("/bin/sh")
	need.Or(t, "sh", err)
	t.Run("run", func(t *testing.T) {
		t.Parallel()
		s := newStuckWeb(t)
		s.run(t, "queue", "enqueue", "10.5555/stuck")
		p := start(t, s, nil, "queue run --drain")
		s.await(t)
		p.signal(t, syscall.SIGHUP)
		p.say(t, "SIGHUP: no limit has changed")
		close(s.release)
		if code, said := p.end(t); code != 0 {
			t.Errorf("exit code %d: %s", code, said)
		}
	})
	t.Run("import", func(t *testing.T) {
		t.Parallel()
		s := newStuckWeb(t)
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		p := start(t, s, r, "queue import -")
		// The pipe holds 64 KiB: once more than that is written, quire is reading.
		if _, err := w.WriteString(strings.Repeat("10.5555/stuck\n", 10_000)); err != nil {
			t.Fatal(err)
		}
		p.signal(t, syscall.SIGHUP)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if code, said := p.end(t); code != 0 {
			t.Errorf("exit code %d: %s", code, said)
		}
		s.wantCounts(t, 1, 0, 0)
	})
}

//go:build unix

package cli_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/quire-dev/quire/internal/testweb"
)

// patience bounds every wait for the program; it is reached only by failing tests.
const patience = 30 * time.Second

// stuckWeb is a web with two files, of which that of 10.5555/stuck does not come
// until it is let go.
type stuckWeb struct {
	data    string        // data directory, with its configuration
	started chan struct{} // a request for the file has come
	release chan struct{} // close it to let the file go
}

func newStuckWeb(t *testing.T) *stuckWeb {
	t.Helper()
	s := &stuckWeb{data: t.TempDir(), started: make(chan struct{}, 10), release: make(chan struct{})}
	w, err := testweb.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	const page = "https://press.quire.example/stuck"
	work := testweb.Work{
		DOI: "10.5555/stuck", Title: "Stuck", Landing: page,
		Copies: []testweb.Copy{{URL: page + ".pdf", Page: page, Publisher: true, Version: "publishedVersion", License: "cc-by"}},
	}
	work.Copies[0].Lies = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		s.started <- struct{}{}
		select {
		case <-s.release:
		case <-r.Context().Done():
			return
		}
		testweb.File("application/pdf", work.File(page+".pdf")).ServeHTTP(rw, r)
	})
	second := work
	second.DOI, second.Copies = "10.5555/second", []testweb.Copy{work.Copies[0]}
	second.Copies[0].URL, second.Copies[0].Lies = page+"/second.pdf", nil
	w.Serve(testweb.World{Works: []testweb.Work{work, second}})
	if err := writeWebConfig(w, filepath.Join(s.data, "quire.yaml")); err != nil {
		t.Fatal(err)
	}
	return s
}

// program is quire while it runs.
type program struct {
	cmd    *exec.Cmd
	stderr *bufio.Reader
}

func (s *stuckWeb) start(t *testing.T, env []string, stdin io.Reader, args ...string) *program {
	t.Helper()
	p := &program{}
	p.cmd, _ = quireCommand(t, append([]string{"--data", s.data}, args...)...)
	p.cmd.Env = append(p.cmd.Env, env...)
	p.cmd.Stdin = stdin
	pipe, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.stderr = bufio.NewReader(pipe)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *program) signal(t *testing.T, sig os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// say waits for a line of stderr that has text.
func (p *program) say(t *testing.T, text string) {
	t.Helper()
	timer := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	defer timer.Stop()
	for {
		line, err := p.stderr.ReadString('\n')
		if strings.Contains(line, text) {
			return
		}
		if err != nil {
			t.Fatalf("the program ended without saying %q: %v", text, err)
		}
	}
}

// end waits for the program and returns its exit code and what else it said.
func (p *program) end(t *testing.T) (code int, said string) {
	t.Helper()
	timer := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	defer timer.Stop()
	rest, _ := io.ReadAll(p.stderr)
	err := p.cmd.Wait()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		return failed.ExitCode(), string(rest)
	}
	if err != nil {
		t.Fatal(err)
	}
	return 0, string(rest)
}

// run runs quire to its end and returns its exit code and stdout.
func (s *stuckWeb) run(t *testing.T, args ...string) (int, string) {
	t.Helper()
	c, stdout := quireCommand(t, append([]string{"--data", s.data}, args...)...)
	err := c.Run()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		return failed.ExitCode(), stdout.String()
	}
	if err != nil {
		t.Fatal(err)
	}
	return 0, stdout.String()
}

func (s *stuckWeb) wantCounts(t *testing.T, queued, inProgress, done int) {
	t.Helper()
	_, text := s.run(t, "--json", "queue", "stats")
	var got struct {
		Queued     int
		InProgress int `json:"in_progress"`
		Done       int
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	if got.Queued != queued || got.InProgress != inProgress || got.Done != done {
		t.Errorf("queued, in progress, done: %+v, want %d %d %d", got, queued, inProgress, done)
	}
}

func (s *stuckWeb) await(t *testing.T) {
	t.Helper()
	select {
	case <-s.started:
	case <-time.After(patience):
		t.Fatal("no request for the file came")
	}
}

func TestSignal_HandsBack(t *testing.T) {
	tests := map[string]struct {
		args []string
		sig  os.Signal
		want int
	}{
		"get, SIGINT":    {[]string{"get", "10.5555/stuck"}, os.Interrupt, 130},
		"drain, SIGINT":  {[]string{"queue", "run", "--drain"}, os.Interrupt, 130},
		"drain, SIGTERM": {[]string{"queue", "run", "--drain"}, syscall.SIGTERM, 130},
		"run, SIGTERM":   {[]string{"queue", "run"}, syscall.SIGTERM, 0},
		"run, SIGINT":    {[]string{"queue", "run"}, os.Interrupt, 130},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStuckWeb(t)
			s.run(t, "queue", "enqueue", "10.5555/stuck")
			p := s.start(t, []string{"QUIRE_ORCHESTRATOR_GRACE=10ms"}, nil, tt.args...)
			s.await(t)
			p.signal(t, tt.sig)
			if code, said := p.end(t); code != tt.want || !strings.Contains(said, "stopping: ") {
				t.Errorf("exit code %d, want %d; it said %q", code, tt.want, said)
			}
			s.wantCounts(t, 1, 0, 0)
			if _, text := s.run(t, "--json", "queue", "show", "10.5555/stuck"); !strings.Contains(text, `"attempts":0`) {
				t.Errorf("the attempt was not given back: %s", text)
			}
			close(s.release)
			if code, text := s.run(t, "queue", "run", "--drain"); code != 0 {
				t.Errorf("running again: exit code %d: %s", code, text)
			}
			s.wantCounts(t, 0, 0, 1)
		})
	}
}

// Within the grace a running request finishes.
func TestSignal_LetsFinish(t *testing.T) {
	t.Parallel()
	s := newStuckWeb(t)
	s.run(t, "queue", "enqueue", "10.5555/stuck")
	p := s.start(t, nil, nil, "queue", "run")
	s.await(t)
	p.signal(t, syscall.SIGTERM)
	p.say(t, "stopping: ")
	close(s.release)
	if code, said := p.end(t); code != 0 {
		t.Errorf("exit code %d: %s", code, said)
	}
	s.wantCounts(t, 0, 0, 1)
}

func TestSignal_SecondIsAtOnce(t *testing.T) {
	t.Parallel()
	s := newStuckWeb(t)
	s.run(t, "queue", "enqueue", "10.5555/stuck")
	p := s.start(t, nil, nil, "queue", "run", "--drain")
	s.await(t)
	p.signal(t, os.Interrupt)
	p.say(t, "stopping: ")
	p.signal(t, os.Interrupt)
	if code, said := p.end(t); code != 130 {
		t.Errorf("exit code %d, want 130: %s", code, said)
	}
	close(s.release)
	if code, text := s.run(t, "queue", "run", "--drain"); code != 0 {
		t.Errorf("running again: exit code %d: %s", code, text)
	}
	s.wantCounts(t, 0, 0, 1)
}

// A reader that waits for stdin stops too.
func TestSignal_WhileReadingStdin(t *testing.T) {
	for _, tt := range []struct {
		args []string
		sig  os.Signal
	}{
		{[]string{"get", "-"}, os.Interrupt},
		{[]string{"queue", "import", "-"}, os.Interrupt},
		{[]string{"queue", "import", "-", "--strict"}, os.Interrupt},
		{[]string{"queue", "import", "-"}, syscall.SIGHUP}, // it has nothing to read again
	} {
		t.Run(fmt.Sprint(tt), func(t *testing.T) {
			t.Parallel()
			s := newStuckWeb(t)
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			defer r.Close()
			p := s.start(t, nil, r, tt.args...)
			// The pipe holds 64 KiB: once more than that is written, quire is reading.
			if _, err := w.WriteString(strings.Repeat("10.5555/stuck\n", 10_000)); err != nil {
				t.Fatal(err)
			}
			p.signal(t, tt.sig)
			if code, said := p.end(t); code != 130 || said != "quire: interrupted: what is done is kept; run it again to go on\n" {
				t.Errorf("exit code %d, said %q", code, said)
			}
		})
	}
}

// A service that is told to stop has done its work, whatever became of single works: it
// exited with 3, and its supervisor took it for failed.
func TestSignal_serviceWithErrors(t *testing.T) {
	t.Parallel()
	s := newStuckWeb(t)
	s.run(t, "queue", "enqueue", "10.5555/nosuch")
	p := s.start(t, nil, nil, "queue", "run", "--log-format", "json")
	p.say(t, `"state":"error"`)
	p.signal(t, syscall.SIGTERM)
	if code, said := p.end(t); code != 0 {
		t.Errorf("exit code %d, want 0: %s", code, said)
	}
}

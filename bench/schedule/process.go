package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// self runs this program in a mode other than the driver's.
func self(ctx context.Context, mode string) (*exec.Cmd, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	c := exec.CommandContext(ctx, path)
	c.Env = append(os.Environ(), modeEnv+"="+mode)
	return c, nil
}

// web is a server's process.
type web struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	log  bytes.Buffer
	port int
}

// startWeb starts the server of a world.
func startWeb(ctx context.Context, s spec) (*web, error) {
	c, err := self(ctx, "server")
	if err != nil {
		return nil, err
	}
	w := &web{cmd: c}
	c.Stderr = &w.log
	if w.in, err = c.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	w.out = bufio.NewReader(out)
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("start server: %w", err)
	}
	text, err := json.Marshal(s)
	if err == nil {
		err = w.ask(string(text), &w.port)
	}
	if err != nil {
		return nil, errors.Join(err, w.stop())
	}
	return w, nil
}

// ask sends a line and reads the answer.
func (w *web) ask(line string, answer any) error {
	if _, err := io.WriteString(w.in, line+"\n"); err != nil {
		return fmt.Errorf("ask server: %w: %s", err, w.log.String())
	}
	text, err := w.out.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(text, answer)
	}
	if err != nil {
		return fmt.Errorf("read server's answer: %w: %s", err, w.log.String())
	}
	return nil
}

// truth ends the server and returns what it has seen.
func (w *web) truth(world *world) (*truth, error) {
	var seen record
	if err := w.ask("end", &seen); err != nil {
		return nil, err
	}
	return newTruth(world, seen), nil
}

func (w *web) stop() error {
	_ = w.in.Close()
	done := time.AfterFunc(5*time.Second, func() { _ = w.cmd.Process.Kill() })
	defer done.Stop()
	return w.cmd.Wait()
}

// usage is what a client's process took.
type usage struct {
	Wall  time.Duration
	CPU   time.Duration
	Peak  int64 // resident memory in bytes
	Kills int
}

// add sums up the processes of one run.
func (u *usage) add(v usage) {
	u.Wall += v.Wall
	u.CPU += v.CPU
	u.Peak = max(u.Peak, v.Peak)
}

// client is a running process that is measured.
type client struct {
	cmd   *exec.Cmd
	start time.Time
	log   bytes.Buffer
	ended chan struct{}
	err   error
	peak  int64
}

func startClient(c *exec.Cmd) (*client, error) {
	cl := &client{cmd: c, ended: make(chan struct{})}
	c.Stderr = &cl.log
	cl.start = time.Now()
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("start client: %w", err)
	}
	go func() {
		cl.err = c.Wait()
		close(cl.ended)
	}()
	return cl, nil
}

// wait waits until the client ends, or until stop, and returns what it took.
// ended is false if stop came first.
func (c *client) wait(stop <-chan time.Time) (ended bool) {
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-c.ended:
			return true
		case <-stop:
			return false
		case <-look.C:
			c.peak = max(c.peak, residentPeak(c.cmd.Process.Pid))
		}
	}
}

// kill ends the client as a crash would.
func (c *client) kill() {
	_ = c.cmd.Process.Kill()
	<-c.ended
}

// took is what the client took; it has ended.
func (c *client) took() usage {
	state := c.cmd.ProcessState
	return usage{Wall: time.Since(c.start), CPU: state.UserTime() + state.SystemTime(), Peak: c.peak}
}

// failure is how the client ended if that is not one of the codes.
func (c *client) failure(codes ...int) error {
	for _, code := range codes {
		if c.cmd.ProcessState.ExitCode() == code {
			return nil
		}
	}
	return fmt.Errorf("%s: %w\n%s", c.cmd.Path, c.err, c.log.String())
}

// residentPeak reads a process's peak resident memory; 0 if it can't be read. The
// kernel's account of an ended child would include what it shared with this
// process before it became the program.
func residentPeak(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kib int64
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		return 0
	}
	return kib << 10
}

// Package screen is the live view of a run on a terminal: how far it is, which
// keys are busy or wait and for what, what ended last; and the keys to pause, to
// look at errors and to stop. It shows what internal/progress knows, and decides
// nothing of the run.
package screen

import (
	"bytes"
	"context"
	"io"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/quire-dev/quire/internal/progress"
)

// Config says what a Screen shows and whom it tells. All but Input is required.
type Config struct {
	Title   string                                               // what runs
	Output  io.Writer                                            // the terminal
	Input   io.Reader                                            // the terminal's keyboard; nil: no keys
	Environ []string                                             // TERM, NO_COLOR and the like, as NAME=VALUE
	Look    func(ctx context.Context) (progress.Snapshot, error) // how the run stands now
	Pause   func(ctx context.Context, key string) error          // nothing starts at key any more; "" is the whole queue
	Resume  func(ctx context.Context, key string) error
	Quit    func() // somebody wants the run to end: once is gracefully, twice at once
}

// How often the screen is drawn anew: whoever watches sees seconds count.
const (
	lookEvery = time.Second
	// share is the part of the time that looking at the run may take.
	share = 0.02
	// fps bounds how often what has changed is drawn.
	fps = 20
)

// keptLines is how many lines of the log are kept for when the screen is gone.
const keptLines = 1000

// Screen is a view of one run. Make it with [New].
type Screen struct {
	cfg     Config
	program *tea.Program

	mu    sync.Mutex
	over  bool
	lines []string // of the log, not yet printed where they stay
	lost  int      // lines that were too many
}

// New returns a screen. It shows nothing before Run.
func New(cfg Config) *Screen {
	s := &Screen{cfg: cfg}
	s.program = tea.NewProgram(newModel(cfg),
		tea.WithOutput(cfg.Output), tea.WithInput(cfg.Input), tea.WithEnvironment(cfg.Environ),
		tea.WithoutSignalHandler(), tea.WithFPS(fps))
	return s
}

// Run shows the screen until ctx ends, and leaves the terminal as it was, with the
// lines of the log that were written meanwhile.
func (s *Screen) Run(ctx context.Context) error {
	quit := context.AfterFunc(ctx, s.program.Quit)
	defer quit()
	_, err := s.program.Run()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	s.flush()
	return err
}

// flush prints the log where it stays.
func (s *Screen) flush() {
	if s.lost > 0 {
		_, _ = io.WriteString(s.cfg.Output, "… and earlier lines: --progress plain keeps all\n")
	}
	_, _ = io.WriteString(s.cfg.Output, strings.Join(s.lines, ""))
	s.lines, s.lost = nil, 0
}

// Restore gives the terminal back at once, for a program that is about to exit. It
// may be called at any time.
func (s *Screen) Restore() { s.program.Kill() }

// Write takes in lines of the log: they are shown for a while, and printed to stay
// when the screen is gone.
func (s *Screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	over := s.over
	if !over {
		for line := range bytes.Lines(p) {
			s.keep(string(line))
		}
	}
	s.mu.Unlock()
	if over {
		return s.cfg.Output.Write(p)
	}
	s.program.Send(logged(strings.TrimRight(string(p), "\n")))
	return len(p), nil
}

func (s *Screen) keep(line string) {
	if len(s.lines) >= keptLines {
		s.lines = s.lines[1:]
		s.lost++
	}
	s.lines = append(s.lines, line)
}

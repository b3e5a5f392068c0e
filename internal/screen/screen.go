// Package screen is the live view of a run on a terminal: how far it is, which
// keys are busy or wait and for what, what ended last; and the keys to pause, to
// look at errors and to stop. It shows what internal/progress knows, and decides
// nothing of the run.
package screen

import (
	"context"
	"io"
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

// Screen is a view of one run. Make it with [New].
type Screen struct {
	log     *journal
	errands errands
	model   *guarded
	program *tea.Program
}

// New returns a screen. It shows nothing before Run.
func New(cfg Config) *Screen {
	log := &journal{to: cfg.Output}
	s := &Screen{log: log}
	s.model = &guarded{Model: newModel(cfg, log, &s.errands)}
	s.program = tea.NewProgram(s.model,
		tea.WithOutput(cfg.Output), tea.WithInput(cfg.Input), tea.WithEnvironment(cfg.Environ),
		tea.WithoutSignalHandler(), tea.WithFPS(fps))
	return s
}

// Run shows the screen until ctx ends, and leaves the terminal as it was, with the
// lines of the log that were written meanwhile. It ends sooner, with an error, if
// there is a fault in the terminal or in the screen itself. Call it once.
func (s *Screen) Run(ctx context.Context) error {
	quit := context.AfterFunc(ctx, s.program.Quit)
	defer quit()
	_, err := s.program.Run()
	s.errands.end()
	if err == nil {
		err = s.model.fault
	}
	s.log.open()
	return err
}

// Restore gives the terminal back at once, for a program that is about to exit. It
// may be called at any time.
func (s *Screen) Restore() { s.program.Kill() }

// Write takes in lines of the log: they are shown for a while, and printed to stay
// when the screen is gone.
func (s *Screen) Write(p []byte) (int, error) { return s.log.Write(p) }

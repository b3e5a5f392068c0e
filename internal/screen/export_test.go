package screen

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/quire-dev/quire/internal/progress"
)

// Model is a screen without a terminal.
type Model struct{ m *model }

func NewModel(cfg Config) Model { return Model{newModel(cfg)} }

// Look has the model look at the run.
func (m Model) Look() { m.run(m.m.look(false)) }

func (m Model) Resize(w, h int) { m.m.Update(tea.WindowSizeMsg{Width: w, Height: h}) }

func (m Model) Log(text string) { m.m.Update(logged(text)) }

// Press presses keys by their names, and does what they ask for.
func (m Model) Press(keys ...string) {
	for _, key := range keys {
		m.run(m.m.press(key))
	}
}

func (m Model) run(c tea.Cmd) {
	for c != nil {
		var next tea.Cmd
		if msg := c(); msg != nil {
			_, next = m.m.Update(msg)
		}
		c = next
	}
}

func (m Model) Draw() string { return m.m.draw() }

// Still returns a Look that always shows s.
func Still(s *progress.Snapshot) func(context.Context) (progress.Snapshot, error) {
	return func(context.Context) (progress.Snapshot, error) { return *s, nil }
}

var Clock = func(d time.Duration) string { return clock(d) }

func Number(n int) string { return number(n) }

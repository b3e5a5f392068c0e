package screen

import (
	"context"
	"io"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/quire-dev/quire/internal/progress"
)

// Model is a screen without a terminal.
type Model struct{ m *model }

func NewModel(cfg Config) Model { return Model{newModel(cfg, &journal{to: io.Discard}, new(errands))} }

// Look has the model look at the run.
func (m Model) Look() { m.run(m.m.look(false)) }

func (m Model) Resize(w, h int) { m.m.Update(tea.WindowSizeMsg{Width: w, Height: h}) }

func (m Model) Log(text string) { _, _ = io.WriteString(m.m.journal, text+"\n") }

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

// Broken returns what a screen shows whose model panics where it is told to, and
// whether it would end.
func Broken(where string) (fault error, ends bool) {
	g := &guarded{Model: broken{where}}
	g.View()
	_, do := g.Update(tick{})
	return g.fault, do != nil && do() == tea.Quit()
}

type broken struct{ where string }

func (broken) Init() tea.Cmd { return nil }

func (b broken) Update(tea.Msg) (tea.Model, tea.Cmd) {
	if b.where == "update" {
		panic("update is broken")
	}
	return b, nil
}

func (b broken) View() tea.View {
	if b.where == "view" {
		panic("view is broken")
	}
	return tea.View{}
}

var Clock = func(d time.Duration) string { return clock(d) }

func Number(n int) string { return number(n) }

// Journal is what keeps the log while there is a screen.
type Journal struct{ *journal }

func NewJournal(to io.Writer) Journal { return Journal{&journal{to: to}} }

func (j Journal) Open() { j.open() }

package screen

import (
	"fmt"

	tea "charm.land/bubbletea/v2"
)

// guarded ends the screen when its model panics: a fault of what only looks at a run
// must not end the run.
type guarded struct {
	tea.Model
	fault error
}

// Update takes in what has happened.
func (g *guarded) Update(msg tea.Msg) (next tea.Model, do tea.Cmd) {
	defer func() {
		if fault := recover(); fault != nil {
			g.fault = fmt.Errorf("draw the live view: %v", fault)
			next, do = g, tea.Quit
		}
	}()
	if _, do = g.Model.Update(msg); g.fault != nil {
		do = tea.Quit // when it was drawn
	}
	return g, do
}

// View draws the screen.
func (g *guarded) View() (v tea.View) {
	defer func() {
		if fault := recover(); fault != nil {
			g.fault = fmt.Errorf("draw the live view: %v", fault)
		}
	}()
	return g.Model.View()
}

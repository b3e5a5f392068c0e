package screen

import (
	"context"
	"sync"

	tea "charm.land/bubbletea/v2"
)

// errands are what the model has done for it in goroutines of Bubble Tea's, which
// nobody else waits for. The zero value is ready.
type errands struct {
	mu    sync.Mutex
	over  bool
	under sync.WaitGroup
}

// do makes a command of f, which does nothing any more once end was called. f should
// end soon.
func (e *errands) do(f func(context.Context) tea.Msg) tea.Cmd {
	return func() tea.Msg {
		e.mu.Lock()
		if e.over {
			e.mu.Unlock()
			return nil
		}
		e.under.Add(1)
		e.mu.Unlock()
		defer e.under.Done()
		return f(context.Background())
	}
}

// end waits for what is under way.
func (e *errands) end() {
	e.mu.Lock()
	e.over = true
	e.mu.Unlock()
	e.under.Wait()
}

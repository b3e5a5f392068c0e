package screen

import (
	"context"
	"fmt"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/quire-dev/quire/internal/progress"
)

// model is what the screen shows. Bubble Tea calls its methods one at a time.
type model struct {
	cfg           Config
	journal       *journal
	errands       *errands
	width, height int

	now   progress.Snapshot
	at    time.Time // of it; zero: none yet
	fault error     // of the latest look

	page     page
	selected string // key
	held     []progress.Ending
	scroll   int // first line of a page that is shown

	notice string // what a key press did
	quits  int    // how often somebody wanted to quit
}

// page is what fills the screen.
type page uint8

const (
	overview page = iota
	errorPage
	logPage
	helpPage
)

// What the model is told of.
type (
	looked struct {
		now   progress.Snapshot
		fault error
		next  time.Duration // until the next look; 0 if it is taken anyway
	}
	tick struct{}
	did  struct {
		what string
		err  error
	}
)

func newModel(cfg Config, log *journal, do *errands) *model {
	return &model{cfg: cfg, journal: log, errands: do, width: 80, height: 24}
}

// Init takes the first look.
func (m *model) Init() tea.Cmd { return m.look(true) }

// Update takes in what has happened.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tick:
		return m, m.look(true)
	case looked:
		m.take(msg)
		if msg.next > 0 {
			return m, tea.Tick(msg.next, func(time.Time) tea.Msg { return tick{} })
		}
	case did:
		m.notice = msg.what
		if msg.err != nil {
			m.notice = msg.err.Error()
		}
		return m, m.look(false)
	case tea.KeyPressMsg:
		return m, m.press(msg.String())
	}
	return m, nil
}

// look looks at the run, once or as one of the looks that follow each other.
func (m *model) look(again bool) tea.Cmd {
	look := m.cfg.Look
	return m.errands.do(func(ctx context.Context) tea.Msg {
		begin := time.Now()
		now, fault := look(ctx)
		next := time.Duration(0)
		if again {
			next = max(lookEvery, time.Duration(float64(time.Since(begin))/share))
		}
		return looked{now, fault, next}
	})
}

func (m *model) take(l looked) {
	m.fault = l.fault
	if l.fault != nil {
		return
	}
	m.now, m.at = l.now, time.Now()
}

// press does what a key of the keyboard is for.
func (m *model) press(key string) tea.Cmd {
	m.notice = ""
	switch key {
	case "q", "ctrl+c":
		m.quits++
		m.cfg.Quit()
	case "ctrl+z":
		return tea.Suspend
	case "ctrl+l":
		return tea.ClearScreen
	case "e":
		m.turn(errorPage)
	case "l":
		m.turn(logPage)
	case "?", "h":
		m.turn(helpPage)
	case "esc", "enter":
		m.turn(overview)
	case "up", "k":
		m.move(-1)
	case "down", "j":
		m.move(1)
	case "pgup", "b":
		m.move(-max(1, m.height-pageFrame))
	case "pgdown", "space", "f":
		m.move(max(1, m.height-pageFrame))
	case "home", "g":
		m.move(-1 << 30)
	case "end", "G":
		m.move(1 << 30)
	case "p":
		return m.pauseKey()
	case "P":
		return m.pause("", m.now.QueuePaused)
	}
	return nil
}

// turn shows a page, or the overview if it is shown already. The list of errors
// stands still while it is read.
func (m *model) turn(to page) {
	if m.page == to {
		to = overview
	}
	m.page, m.scroll, m.held = to, 0, nil
	if to == errorPage {
		m.held = m.now.Errors
	}
}

// move moves the selection, or what is shown of a page.
func (m *model) move(by int) {
	if m.page != overview {
		m.scroll += by // bounded when drawn, where the lines are counted
		return
	}
	keys := m.selectable()
	if len(keys) == 0 {
		return
	}
	at := slices.Index(keys, m.selected)
	if at < 0 && by > 0 {
		at = -1
	}
	m.selected = keys[min(max(at+by, 0), len(keys)-1)]
}

// selectable are the keys that the overview shows, from top to bottom.
func (m *model) selectable() []string {
	var keys []string
	for _, list := range [][]progress.Key{busy(m.now), waiting(m.now)} {
		for _, k := range list {
			keys = append(keys, k.Key)
		}
	}
	return keys
}

// pauseKey pauses the key that is selected or, if it is paused, lets it go on.
func (m *model) pauseKey() tea.Cmd {
	at := slices.IndexFunc(m.now.Keys, func(k progress.Key) bool { return k.Key == m.selected })
	if at < 0 || m.page != overview {
		m.notice = "select a key with ↑ and ↓ to pause it; P pauses the queue"
		return nil
	}
	return m.pause(m.selected, m.now.Keys[at].Paused)
}

// pause pauses a key or, with "", the queue; what is paused goes on.
func (m *model) pause(key string, paused bool) tea.Cmd {
	name, again := key, "p"
	if key == "" {
		name, again = "the queue", "P"
	}
	change, what := m.cfg.Pause, fmt.Sprintf("%s is paused, until %s is pressed again or quire queue resume", name, again)
	if paused {
		change, what = m.cfg.Resume, name+" goes on"
	}
	return m.errands.do(func(ctx context.Context) tea.Msg { return did{what, change(ctx, key)} })
}

// View draws the screen.
func (m *model) View() tea.View {
	v := tea.NewView(m.draw())
	v.AltScreen = true
	v.WindowTitle = "quire"
	return v
}

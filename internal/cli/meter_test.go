package cli

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/charmbracelet/x/ansi"
)

// heard is what was written, and when.
type heard struct {
	began time.Time

	mu   sync.Mutex
	text bytes.Buffer
	at   []time.Duration
}

func (h *heard) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at = append(h.at, time.Since(h.began))
	return h.text.Write(p)
}

// said is what was written so far and how often, once nobody is at it.
func (h *heard) said() (text string, times int) {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.String(), len(h.at)
}

// onMeter is an app whose stderr is heard.
func onMeter(progress string) (*app, *heard) {
	h := &heard{began: time.Now()}
	c := &console{to: h}
	return &app{
		progress: progress, console: c,
		env: Env{Stderr: c, AtExit: func(func()) func() { return func() {} }},
	}, h
}

// steady is a reading that grows by a row and ten bytes in a millisecond.
func steady(began time.Time, size int64) func() reading {
	return func() reading {
		ms := time.Since(began).Milliseconds()
		return reading{unit: "rows", done: ms, read: min(size, 10*ms), size: size}
	}
}

// Without a terminal there is a line every five seconds, and none before that.
func TestMeter_plain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, h := onMeter("plain")
		stop := a.meter("importing works.csv", steady(time.Now(), 200_000))
		time.Sleep(14 * time.Second)
		stop()
		stop()
		const want = "5s  importing works.csv  25 %  15 s left  5000 rows, 1000/s  48.8 KiB of 195.3 KiB\n" +
			"10s  importing works.csv  50 %  10 s left  10000 rows, 1000/s  97.7 KiB of 195.3 KiB\n"
		if got := h.text.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if len(h.at) != 2 || h.at[0] != 5*time.Second || h.at[1] != 10*time.Second {
			t.Errorf("lines at %v", h.at)
		}
	})
}

func TestMeter_none(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, h := onMeter("none")
		stop := a.meter("importing works.csv", steady(time.Now(), 0))
		time.Sleep(time.Minute)
		stop()
		if h.text.Len() > 0 {
			t.Errorf("said %q", h.text.String())
		}
	})
}

// On a terminal the line is drawn five times a second, below what is printed, and is
// gone at the end.
func TestMeter_draw(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, h := onMeter("auto")
		m := &meter{app: a, doing: "exporting", look: steady(time.Now(), 0), began: time.Now()}
		stop := beside(m.draw)
		time.Sleep(drawAfter - time.Millisecond)
		if text, _ := h.said(); text != "" {
			t.Errorf("drawn early: %q", text)
		}
		time.Sleep(time.Second)
		before, n := h.said()
		if n != 5 {
			t.Errorf("drawn %d times in a second: %q", n, before)
		}
		a.note("left out: x")
		const line = "1s  exporting  1300 rows, 1000/s"
		text, _ := h.said()
		if got, want := strings.TrimPrefix(text, before), toStart+eraseRest+"left out: x\n"+line; got != want {
			t.Errorf("a note came as %q, want %q", got, want)
		}
		stop()
		if text, _ := h.said(); !strings.HasSuffix(text, line+toStart+eraseRest) {
			t.Errorf("at the end there is %q", text)
		}
	})
}

// Of what breaks off in a line nothing is overwritten.
func TestConsole_withinLine(t *testing.T) {
	var said bytes.Buffer
	c := &console{to: &said}
	out := besides{c, &said}
	c.draw("10 %")
	_, _ = out.Write([]byte("a\nb"))
	c.draw("20 %")
	_, _ = out.Write([]byte("c\n"))
	c.draw("30 %")
	c.draw("")
	const want = "\r10 %\x1b[K" + "\r\x1b[Ka\nb" + "c\n20 %" + "\r30 %\x1b[K" + "\r\x1b[K"
	if got := said.String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestConsole_diverted(t *testing.T) {
	var said, instead bytes.Buffer
	c := &console{to: &said}
	restore := c.divert(&instead)
	c.draw("10 %")
	_, _ = c.Write([]byte("a\n"))
	restore()
	_, _ = c.Write([]byte("b\n"))
	if said.String() != toStart+eraseRest+"b\n10 %" || instead.String() != "a\n" {
		t.Errorf("said %q, instead %q", said.String(), instead.String())
	}
}

func TestFitted(t *testing.T) {
	tests := map[string]struct {
		line    string
		columns int
		want    string
	}{
		"fits":            {"12 %", 5, "12 %"},
		"a cell too long": {"12 %", 4, "12…"},
		"wide letters":    {"論文論文", 6, "論文…"},
		"no room at all":  {"12 %", 1, ""},
		"none":            {"12 %", 0, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := fitted(tt.line, tt.columns)
			if got != tt.want || ansi.StringWidth(got) > max(0, tt.columns-1) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// What is left is told by how fast it goes now, not by how slow it has begun.
func TestLate_left(t *testing.T) {
	var l late
	r := reading{of: 100_000}
	for second := range 100 {
		if r.done += 100; second > 50 {
			r.done += 900
		}
		l.add(time.Duration(second+1)*time.Second, r)
	}
	left, ok := l.left(r)
	if want := time.Duration(r.of-r.done) * time.Millisecond; !ok || left != want {
		t.Errorf("left %v, %v, want %v", left, ok, want)
	}
	if n := len(l.read); n > 40 {
		t.Errorf("%d readings are kept", n)
	}
}

func TestLate_unknown(t *testing.T) {
	tests := map[string]reading{
		"nothing yet":  {of: 10},
		"all of it":    {done: 10, of: 10},
		"more than it": {done: 11, of: 10},
		"no end known": {done: 10},
		"backwards":    {done: -1, of: 10},
	}
	for name, r := range tests {
		t.Run(name, func(t *testing.T) {
			var l late
			l.add(2*time.Second, r)
			if left, ok := l.left(r); ok {
				t.Errorf("left %v", left)
			}
		})
	}
}

package cli

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"
)

// signals is what the system asks of the program.
//
// SIGHUP has two meanings. When a terminal goes away, all that runs on it is told to
// end by it; services are told by it to read their configuration again. Which it is
// shows in whether the terminal that the program began on is still there. Under
// nohup it never means the end.
type signals struct {
	told    chan os.Signal
	first   atomic.Value           // of os.Signal: the one that ended the context
	leave   atomic.Pointer[func()] // is called before the program ends at once
	reload  chan struct{}          // holds a token when the configuration is to be read again
	reloads atomic.Bool            // somebody will

	immune bool        // SIGHUP was ignored when the program began, as nohup does
	hungUp func() bool // the terminal is gone
}

// interruptible returns a context that the first signal ends. The second one ends
// the program at once, unless it is SIGHUP, which a terminal that goes away may send
// more than once. Nothing is lost by that: what counts is on disk.
func interruptible() (context.Context, *signals) {
	s := &signals{told: make(chan os.Signal, 2), reload: make(chan struct{}, 1), immune: signal.Ignored(syscall.SIGHUP), hungUp: func() bool { return false }}
	if terminal() == nil {
		s.hungUp = func() bool { return gone(terminal()) }
	}
	ctx, cancel := context.WithCancel(context.Background())
	signal.Notify(s.told, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		for sig := range s.told {
			switch {
			case sig == syscall.SIGHUP && !s.ends():
			case ctx.Err() == nil:
				s.first.Store(sig)
				cancel()
			case sig != syscall.SIGHUP:
				s.exit()
			}
		}
	}()
	return ctx, s
}

// exit ends the program. What gives the terminal back gets no longer than a stuck
// reader does: a terminal may take nothing any more.
func (s *signals) exit() {
	if leave := s.leave.Load(); leave != nil {
		given := make(chan struct{})
		go func() {
			(*leave)()
			close(given)
		}()
		select {
		case <-given:
		case <-time.After(stuckGrace):
		}
	}
	os.Exit(exitInterrupted) //nolint:forbidigo // at once means at once
}

// ends reports whether a SIGHUP that has just come ends the program; if not, what it
// asks for has been noted.
func (s *signals) ends() bool {
	switch {
	case s.immune:
	case s.hungUp(), !s.reloads.Load():
		return true
	}
	select {
	case s.reload <- struct{}{}:
	default: // it will be read again anyway
	}
	return false
}

// Signal returns the signal that ended the context, if one did.
func (s *signals) Signal() os.Signal {
	sig, _ := s.first.Load().(os.Signal)
	return sig
}

// Interrupt does as Ctrl-C does.
func (s *signals) Interrupt() {
	select {
	case s.told <- os.Interrupt:
	default: // there are two already
	}
}

// AtExit has f called if the program is ended at once, until the function it returns
// is called.
func (s *signals) AtExit(f func()) (cancel func()) {
	s.leave.Store(&f)
	return func() { s.leave.Store(nil) }
}

// Reload returns the channel that tells when the configuration is to be read again.
// From the first call on SIGHUP means that.
func (s *signals) Reload() <-chan struct{} {
	s.reloads.Store(true)
	return s.reload
}

// terminal opens the terminal that the program runs on, to see if there is one.
// Windows has none by this name, and no SIGHUP.
func terminal() error {
	f, err := os.Open("/dev/tty")
	if err != nil {
		return err
	}
	return f.Close()
}

// gone reports whether err is what Linux and macOS say of a terminal that was hung
// up; other errors, such as too many open files, say nothing of it.
func gone(err error) bool { return errors.Is(err, syscall.ENXIO) || errors.Is(err, syscall.EIO) }

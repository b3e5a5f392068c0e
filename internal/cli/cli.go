// Package cli is the quire program: a file per command, each of which parses
// its flags, calls the library and prints. Nothing else in the module knows of
// flags, terminals or exit codes.
package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/quire-dev/quire"
)

// The exit codes.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitPartial     = 3 // it finished, but some jobs ended in error or some rows were rejected
	exitConfig      = 4
	exitInterrupted = 130
)

// Env is what a run of the program gets from outside.
type Env struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Environ        []string
	// Signal returns the signal that ended the context, if one did.
	Signal func() os.Signal
}

// Main is the whole program.
func Main() {
	// A closed stdout must not kill a run: writing to it then gives an error.
	signal.Ignore(syscall.SIGPIPE)
	// net/http reports what hosts send unasked to the standard logger: that is
	// no line of ours, in no format of ours.
	slog.SetDefault(slog.New(slog.DiscardHandler))
	ctx, sig := interruptible()
	os.Exit(Run(ctx, os.Args[1:], Env{ //nolint:forbidigo // the one place
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Environ: os.Environ(), Signal: sig,
	}))
}

// interruptible returns a context that the first signal ends; the second one
// ends the program at once. Nothing is lost by that: what counts is on disk.
func interruptible() (context.Context, func() os.Signal) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	var first atomic.Value
	go func() {
		first.Store(<-signals)
		cancel()
		<-signals
		os.Exit(exitInterrupted) //nolint:forbidigo // at once means at once
	}()
	return ctx, func() os.Signal {
		s, _ := first.Load().(os.Signal)
		return s
	}
}

// Run runs the program with args and returns its exit code.
func Run(ctx context.Context, args []string, env Env) int {
	if env.Signal == nil {
		env.Signal = func() os.Signal { return nil }
	}
	out := &stdout{w: bufio.NewWriter(env.Stdout)}
	a := &app{env: env, out: out}
	root := newRoot(a)
	root.SetArgs(args)
	root.SetIn(env.Stdin)
	root.SetOut(out)
	root.SetErr(env.Stderr)
	err := root.ExecuteContext(ctx)
	if flushErr := out.close(); err == nil && flushErr != nil {
		err = fmt.Errorf("write output: %w", flushErr)
	}
	return exitCode(env, err)
}

// exitError ends the program with a code. Without an err it says nothing more:
// the command has printed what there is to say.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// usage marks an error of the command line.
func usage(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// exitCode prints err as one line and returns the exit code it stands for.
func exitCode(env Env, err error) int {
	if err == nil {
		return exitOK
	}
	code := exitFailed
	if exit, ok := errors.AsType[*exitError](err); ok {
		if exit.err == nil {
			return exit.code
		}
		code = exit.code
	} else if _, ok := errors.AsType[*configError](err); ok || errors.Is(err, quire.ErrConfig) {
		code = exitConfig
	} else if errors.Is(err, context.Canceled) && env.Signal() != nil {
		code, err = exitInterrupted, errors.New("interrupted: what is done is kept; run it again to go on")
	}
	fmt.Fprintf(env.Stderr, "quire: %s\n", printable(strings.ReplaceAll(err.Error(), "\n", "; ")))
	return code
}

// stdout is the standard output. A reader that went away (| head) is no error:
// what it did not want is dropped.
type stdout struct {
	w      *bufio.Writer
	closed bool
}

func (s *stdout) Write(p []byte) (int, error) {
	if s.closed {
		return len(p), nil
	}
	n, err := s.w.Write(p)
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) {
		s.closed = true
		return len(p), nil
	}
	return n, err
}

// Flush writes out what is buffered: commands that print as they go call it.
func (s *stdout) Flush() {
	if err := s.w.Flush(); errors.Is(err, syscall.EPIPE) {
		s.closed = true
	}
}

// gone reports whether the reader went away.
func (s *stdout) gone() bool { return s.closed }

func (s *stdout) close() error {
	if s.closed {
		return nil
	}
	if err := s.w.Flush(); !errors.Is(err, syscall.EPIPE) {
		return err
	}
	return nil
}

// newRoot makes the command tree.
func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "quire",
		Short: "Gathers the full text of scholarly works in bulk",
		Long: `Quire gathers the open-access full text of scholarly works in bulk: politely,
verifiably, and without losing its place. Give it identifiers (DOIs, arXiv ids,
PMCIDs, a file of them); it asks open-access sources where the full text is,
downloads it within every host's limits, checks that the file is what it claims
to be, stores it by its hash, and can say for every work what happened and why.
Stop it at any moment; start it again, and it goes on.`,
		Example: `  quire demo
  quire get 10.1371/journal.pone.0000001 --contact you@university.edu
  quire queue import dois.txt && quire queue run --drain`,
		Version:      quire.Version,
		SilenceUsage: true, SilenceErrors: true,
	}
	root.SetVersionTemplate("quire {{.Version}}\n")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		text, _, _ := strings.Cut(err.Error(), " flag: strconv.")
		return usage("%s (see %s --help)", text, c.CommandPath())
	})
	a.addGlobals(root)
	root.AddCommand(
		newGet(a), newDemo(a), newPlan(a), newQueue(a), newExplain(a), newReport(a), newExport(a), newVerify(a), newLimits(a), newSources(a), newBench(a), newConfig(a), newGenerate(a),
		newVersion(a),
	)
	root.AddCommand(newTopics()...)
	root.SetHelpCommand(newHelp())
	root.InitDefaultHelpCmd()
	root.SetHelpFunc(func(c *cobra.Command, _ []string) { writeHelp(a.out, c) })
	root.InitDefaultCompletionCmd()
	describeCompletion(root)
	strict(root)
	a.addCompletions(root)
	return root
}

// strict makes parents, which cobra lets pass with any arguments, refuse unknown
// commands, and the commands that cobra adds refuse arguments as ours do.
func strict(c *cobra.Command) {
	if c.HasSubCommands() {
		c.Args, c.DisableFlagsInUseLine, c.SuggestionsMinimumDistance = noArgs, true, 2
		c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	}
	for _, sub := range c.Commands() {
		if c.Name() == "completion" {
			sub.Args = noArgs
		}
		strict(sub)
	}
}

func newHelp() *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND]", Short: "Show the help of a command",
		Example: `  quire help queue import
  quire help exit-codes`,
		ValidArgsFunction: completeHelp,
		RunE: func(c *cobra.Command, args []string) error {
			about, rest, err := c.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return usage("no help on %q: there is no such command (see quire --help)", strings.Join(args, " "))
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
}

// newQueue is the parent of the commands on the queue.
func newQueue(a *app) *cobra.Command {
	c := &cobra.Command{Use: "queue", Short: "Fill, run, look at and control the queue"}
	c.AddCommand(newEnqueue(a), newImport(a), newRun(a), newStats(a), newRetryFailed(a), newList(a), newShow(a),
		newPause(a), newResume(a), newCancel(a), newPrune(a))
	return c
}

// noArgs refuses arguments and, on a parent, unknown commands.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if c.HasSubCommands() {
		hint := ""
		if near := c.SuggestionsFor(args[0]); len(near) > 0 {
			hint = "; did you mean " + near[0] + "?"
		}
		return usage("unknown command %q of %s%s (see %s --help)", args[0], c.CommandPath(), hint, c.CommandPath())
	}
	return usage("%s takes no arguments, got %q", c.CommandPath(), args[0])
}

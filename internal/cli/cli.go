// Package cli is the quire program: a file per command, each of which parses
// its flags, calls the library and prints. Nothing else in the module knows of
// flags, terminals or exit codes.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
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
	// Interrupt does as Ctrl-C does.
	Interrupt func()
	// AtExit has f called if the program is ended at once, until the function it
	// returns is called.
	AtExit func(f func()) (cancel func())
	// Reload returns a channel that tells when to read the configuration again.
	Reload func() <-chan struct{}
}

// Main is the whole program.
func Main() {
	// A closed stdout must not kill a run: writing to it then gives an error.
	signal.Ignore(syscall.SIGPIPE)
	// net/http reports what hosts send unasked to the standard logger: that is
	// no line of ours, in no format of ours.
	slog.SetDefault(slog.New(slog.DiscardHandler))
	ctx, sigs := interruptible()
	os.Exit(Run(ctx, os.Args[1:], Env{ //nolint:forbidigo // the one place
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Environ: os.Environ(),
		Signal: sigs.Signal, Interrupt: sigs.Interrupt, AtExit: sigs.AtExit, Reload: sigs.Reload,
	}))
}

// Run runs the program with args and returns its exit code.
func Run(ctx context.Context, args []string, env Env) int {
	if env.Signal == nil {
		env.Signal = func() os.Signal { return nil }
	}
	if env.Interrupt == nil {
		env.Interrupt = func() {}
	}
	if env.AtExit == nil {
		env.AtExit = func(func()) func() { return func() {} }
	}
	if env.Reload == nil {
		env.Reload = func() <-chan struct{} { return nil }
	}
	stderr := &console{to: unstuck{ctx, env.Stderr}, raw: env.Stderr}
	env.Stderr = stderr
	out := newStdout(ctx, env.Stdout, stderr)
	a := &app{env: env, out: out, console: stderr}
	root := newRoot(a)
	root.SetArgs(args)
	root.SetIn(env.Stdin)
	root.SetErr(env.Stderr)
	err := a.guarded(func() error { return root.ExecuteContext(ctx) })
	unwritten := out.close()
	if errors.Is(unwritten, syscall.EIO) && env.Signal() == syscall.SIGHUP {
		unwritten = nil // the terminal went away, and the program ended for it
	}
	if unwritten != nil && silent(err) {
		err = unwritten
	}
	return a.exitCode(err)
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

// silent reports whether a command has told all in its output.
func silent(err error) bool {
	exit, ok := errors.AsType[*exitError](err)
	return err == nil || ok && exit.err == nil && exit.code == exitPartial
}

// usage marks an error of the command line.
func usage(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// exitCode prints err as one line and returns the exit code it stands for.
func (a *app) exitCode(err error) int {
	env := a.env
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
	text := oneLine(err.Error())
	if next := a.hint(err); next != "" && code != exitUsage && code != exitInterrupted {
		text += "; " + next
	}
	fmt.Fprintf(env.Stderr, "quire: %s\n", printable(text))
	return code
}

// guarded turns a fault of the program into an error: what people should tell us is
// a line, and the trace is for those who ask for it.
func (a *app) guarded(do func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			a.logger().Debug("internal error", "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			err = fmt.Errorf("internal error: %v: please report it, with `quire version` and what --log-level debug tells", v)
		}
	}()
	return do()
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
	root.SetFlagErrorFunc(flagError)
	a.addGlobals(root)
	root.AddCommand(
		newGet(a), newDemo(a), newPlan(a), newQueue(a), newExplain(a), newReport(a), newExport(a), newVerify(a), newDoctor(a), newLimits(a),
		newSources(a), newBench(a), newInit(a), newConfig(a), newGenerate(a),
		newVersion(a),
	)
	root.AddCommand(newTopics()...)
	root.SetHelpCommand(newHelp())
	root.InitDefaultHelpCmd()
	root.SetHelpFunc(func(c *cobra.Command, _ []string) { writeHelp(a.out, c) })
	root.SetOut(a.out) // first: the completion commands keep what it is then
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

package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/manual"
)

// newGenerate is the parent of the commands that write what there is to read. It
// is told in help like all others: who packages the program looks for it there.
func newGenerate(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "generate",
		Short: "Write man pages and references, for those who package Quire",
		Long: `Write man pages and references of the commands, flags and settings of this very
program. What is written depends on nothing but the program: neither on settings
that are in force nor, but for the date of man pages, on variables.`,
	}
	c.AddCommand(&cobra.Command{
		Use:   "man DIR",
		Short: "Write a man page for each command, topic and file",
		Long: `Write a man page for each command (section 1), for the configuration file
(section 5) and for each topic of help (section 7) into a directory, which is
made if it is not there. The pages have the date that SOURCE_DATE_EPOCH says, in
seconds since 1970, or none.`,
		Example: `  quire generate man /usr/local/share/man
  SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) quire generate man man`,
		Args: oneDir,
		RunE: func(_ *cobra.Command, args []string) error { return a.generateMan(args[0]) },
	}, &cobra.Command{
		Use:   "reference DIR",
		Short: "Write the references of commands and settings, in Markdown",
		Long: `Write cli.md, the reference of all commands and flags, and config.md, that of all
settings, into a directory, which is made if it is not there. Those of the newest
version are in docs/reference.`,
		Example: `  quire generate reference docs/reference`,
		Args:    oneDir,
		RunE:    func(_ *cobra.Command, args []string) error { return a.generateReference(args[0]) },
	})
	return c
}

func oneDir(c *cobra.Command, args []string) error {
	if len(args) != 1 || args[0] == "" {
		return usage("%s needs one DIR to write to, got %q", c.CommandPath(), args)
	}
	return nil
}

func (a *app) generateMan(dir string) error {
	from := manual.Source{Program: "quire " + quire.Version, Manual: "Quire Manual"}
	if epoch := a.getenv("SOURCE_DATE_EPOCH", ""); epoch != "" {
		seconds, err := strconv.ParseInt(epoch, 10, 64)
		if err != nil || seconds < 0 {
			return usage("SOURCE_DATE_EPOCH %q: must be a number of seconds since 1970", epoch)
		}
		from.Date = time.Unix(seconds, 0)
	}
	made := make(map[string][]byte)
	for _, p := range append(commandPages(pristine()), configPage()) {
		made[fmt.Sprintf("man%d/%s.%d", p.Section, p.Name, p.Section)] = p.Roff(from)
	}
	return a.generate(dir, made)
}

func (a *app) generateReference(dir string) error { return a.generate(dir, references()) }

// references are the documents in Markdown, by the names of their files.
func references() map[string][]byte {
	return map[string][]byte{"cli.md": commandReference(pristine()), "config.md": configReference()}
}

// pristine is the command tree of a program that nobody has set anything of: it
// shows the defaults as they are.
func pristine() *cobra.Command { return newRoot(&app{}) }

func (a *app) generate(dir string, made map[string][]byte) error {
	for _, name := range keysUnder(made, "") {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // for everybody to read
			return fmt.Errorf("generate: %w", err)
		}
		if err := os.WriteFile(path, made[name], 0o644); err != nil { //nolint:gosec // for everybody to read
			return fmt.Errorf("generate: %w", err)
		}
	}
	return a.tell("written", len(made), "files written to "+printable(dir))
}

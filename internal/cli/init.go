package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"
)

func newInit(a *app) *cobra.Command {
	var force bool
	c := &cobra.Command{
		Use:   "init",
		Short: "Create the data directory with a commented configuration file",
		Long: `Create the data directory, and in it quire.yaml (or FILE, with --config) with
every setting, what it is for, its default and its range. The defaults are behind
a #, so nothing changes until one is taken away. What --contact and --set say is
set in the file.

A file that is there is left alone, unless --force is given: it is then replaced.
Nothing is asked, and no queue is made.

Exit codes: 0 all good, 1 the file is there or can't be written, 4 what --contact
or --set say is wrong.`,
		Example: `  quire init --contact you@university.edu
  quire init --data thesis --set orchestrator.max_workers=8`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return a.init(force) },
	}
	c.Flags().BoolVar(&force, "force", false, "replace a configuration file that is there")
	return c
}

// initialized is what init has done, for machines.
type initialized struct {
	Data     string  `json:"data"`
	Config   string  `json:"config"`
	Contact  *string `json:"contact"`
	Replaced bool    `json:"replaced"`
}

func (a *app) init(force bool) error {
	flags := map[string]string{}
	if a.contact != "" {
		flags["contact"] = a.contact
	}
	l, err := loadConfig("", false, nil, flags, a.sets...) // the environment is for this shell, not for the file
	if err != nil {
		return err
	}
	if l.Config.Contact != "" {
		if err := checkContact(string(l.Config.Contact), l.origins["contact"]); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(a.data, 0o750); err != nil {
		return fmt.Errorf("init: create data directory: %w", err)
	}
	done := initialized{Data: a.data, Config: a.configPath(), Contact: unlessZero(string(l.Config.Contact))}
	if done.Replaced, err = writeNew(done.Config, l.File(), force); err != nil {
		return fmt.Errorf("init: %w", err)
	}
	if a.json {
		return a.printJSON(done)
	}
	a.printf("wrote %s: every setting, with its default behind a #\n", printable(done.Config))
	if done.Contact == nil && a.getenv("QUIRE_CONTACT", "") == "" {
		a.printf("next: set contact there, or QUIRE_CONTACT: hosts and sources want to know whom to write to\n")
	}
	a.printf("then: %[1]s get FILE, or %[1]s queue import FILE and %[1]s queue run\n", printable(a.self()))
	return nil
}

// writeNew writes a file that must not be there, or else, with replace, takes its
// place. What was there stays whole until then.
func writeNew(path, text string, replace bool) (replaced bool, err error) {
	write := func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
	if replace {
		_, err := os.Lstat(path)
		return err == nil, writeFile(path, write)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if errors.Is(err, fs.ErrExist) {
		return false, fmt.Errorf("write %s: it is there already; --force replaces it", path)
	}
	if err != nil {
		return false, err
	}
	if err := errors.Join(write(f), f.Sync(), f.Close()); err != nil {
		return false, errors.Join(err, os.Remove(path))
	}
	return false, nil
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/doctor"
)

// examineCommand is quire doctor.
type examineCommand struct {
	*app
	offline, deep bool
}

func newDoctor(a *app) *cobra.Command {
	o := &examineCommand{app: a}
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Look whether all that a run needs is there and well",
		Long: `Look whether all that a run needs is there and well: configuration, contact and
keys, directories, disks, the database, the place for files, the limit on open
files, the clock, and each source, which is asked for one work. It changes
nothing, and a queue may be running meanwhile.

  ok    nothing to do
  warn  a run works; the line below says what would make it better
  fail  a run would not work as configured; the line below says what to do
  skip  not looked at, for the reason given

A source is asked once, within the limits that are in force, and not at all while
its key is paused, has asked to be left alone, or is in use by a run. That it does
not know the work is an answer like any other. Its line has the limit in force,
and the limits that its answer announces, if any: a run keeps to the stricter of
the two.

Exit codes: 0 all is well, or there are only warnings; 1 something fails; 4 the
configuration or credentials are at fault, whatever else fails.`,
		Example: `  quire doctor --contact you@university.edu
  quire doctor --offline            # ask no source; needs no contact
  quire doctor --deep               # read all of the database
  quire doctor --json | jq '.checks[] | select(.status == "fail")'`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.do(c.Context()) },
	}
	c.Flags().BoolVar(&o.offline, "offline", false, "ask no source")
	c.Flags().BoolVar(&o.deep, "deep", false, "read all of the database and compare it with itself, however long it takes")
	return c
}

func (o *examineCommand) do(ctx context.Context) error {
	l, checks := o.settled()
	var cfg quire.Config
	offline := o.offline
	if l == nil {
		offline = true // nobody knows how the sources are to be asked
	} else {
		cfg = l.Config.library()
		mine := contactCheck(cfg.Contact, o.offline)
		offline = offline || mine.Status == doctor.Fail
		checks = append(checks, mine, checkKeys(l))
	}
	if !offline && o.progress != "none" {
		o.note("asking %d sources for a work each", len(cfg.Sources))
	}
	found := quire.Examine(ctx, o.place(cfg), quire.ExamineOptions{Offline: offline, Deep: o.deep})
	if err := ctx.Err(); err != nil {
		return err
	}
	found.Checks = append(checks, found.Checks...)
	if offline && len(found.Sources) == 0 {
		why := "not asked: --offline"
		if !o.offline {
			why = "not asked, as the configuration is at fault"
		}
		found.Checks = append(found.Checks, quire.Check{Name: "sources", Status: doctor.Skipped, Found: why})
	}
	if err := o.print(l, found); err != nil {
		return err
	}
	return verdict(found)
}

// settled loads the configuration. It is nil if it is at fault, and the checks say
// what is.
func (o *examineCommand) settled() (*loaded, []quire.Check) {
	const name = "configuration"
	l, err := o.load(nil)
	if err != nil {
		problems := []error{err}
		if all, ok := errors.AsType[*configError](err); ok {
			problems = all.problems
		}
		var checks []quire.Check
		for _, p := range problems {
			checks = append(checks, quire.Check{
				Name: name, Status: doctor.Fail, Settings: true, Found: p.Error(), Next: "quire config schema has all keys; quire config check looks again",
			})
		}
		return nil, checks
	}
	checks := []quire.Check{{Name: name, Status: doctor.OK, Found: "valid; quire config show --origin tells where each value is from"}}
	for _, warning := range l.Warnings {
		what, next, _ := strings.Cut(warning, "; ")
		checks = append(checks, quire.Check{Name: "key file", Status: doctor.Warn, Found: what, Next: next})
	}
	return l, checks
}

// contactCheck says whether the sources may be told whom to write to.
func contactCheck(address string, offline bool) quire.Check {
	c := quire.Check{Name: "contact", Subject: address, Status: doctor.OK, Found: "told to hosts and sources"}
	err := checkContact(address, origin{})
	if err == nil {
		return c
	}
	c.Status, c.Settings, c.Found = doctor.Fail, true, "none is given"
	if address != "" {
		c.Subject = ""
		c.Found, _, _ = strings.Cut(strings.TrimPrefix(err.Error(), "read configuration: contact: "), "; ")
	}
	c.Next = "give an address that somebody reads: --contact, QUIRE_CONTACT or contact in the configuration file"
	if offline {
		c.Status, c.Settings = doctor.Warn, false
	}
	return c
}

// checkKeys says which sources have a key, of those that take one.
func checkKeys(l *loaded) quire.Check {
	c := quire.Check{Name: "keys of sources", Status: doctor.OK}
	var with, without, scarce []string
	for _, s := range keyedSources(l) {
		switch {
		case s.given:
			with = append(with, s.name+" ***")
		case s.scarce:
			scarce = append(scarce, s.name)
		default:
			without = append(without, s.name)
		}
	}
	var parts []string
	for _, part := range []struct {
		what  string
		names []string
	}{{"given", with}, {"none, and none needed", without}, {"missing", scarce}} {
		if len(part.names) > 0 {
			parts = append(parts, part.what+": "+strings.Join(part.names, ", "))
		}
	}
	c.Found = strings.Join(parts, "; ")
	if len(scarce) > 0 {
		c.Status = doctor.Warn
		c.Next = fmt.Sprintf("it hardly answers without: name the file of a key, resolvers.%s.api_key_file, or leave the source out", scarce[0])
	}
	if c.Found == "" {
		c.Status, c.Found = doctor.Skipped, "no source that is asked takes one"
	}
	return c
}

// verdict is the command's error: which checks fail.
func verdict(found quire.Examination) error {
	all := slices.Clone(found.Checks)
	for _, s := range found.Sources {
		all = append(all, s.Check)
	}
	code, count := exitOK, 0
	var names []string
	for _, c := range all {
		if c.Status != doctor.Fail {
			continue
		}
		count++
		code = max(code, exitFailed)
		if c.Settings {
			code = exitConfig
		}
		if !slices.Contains(names, c.Name) {
			names = append(names, c.Name)
		}
	}
	if code == exitOK {
		return nil
	}
	const most = 6 // names that a line for the log needs
	if more := len(names) - most; more > 1 {
		names = append(names[:most], fmt.Sprintf("and %d more", more))
	}
	return &exitError{code, fmt.Errorf("doctor: %d of %d checks fail: %s", count, len(all), strings.Join(names, ", "))}
}

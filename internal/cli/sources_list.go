package cli

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/quire-dev/quire/internal/resolver"
	"github.com/quire-dev/quire/paper"
)

// sourceShape is the JSON shape of a source that is built in.
type sourceShape struct {
	Name    string       `json:"name"`
	Asked   bool         `json:"asked"` // by the configuration in force
	IDs     []string     `json:"ids"`
	Only    *string      `json:"only"` // of these identifiers; null: any
	Formats []paper.Kind `json:"formats"`
	Batch   int          `json:"batch"`
	License bool         `json:"license"`
	Version bool         `json:"version"`
	MD5     bool         `json:"md5"`
	Key     bool         `json:"key"`
}

func newSourcesList(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the sources that are built in, and what each can do",
		Long: `List the sources that are built in, in the order in which they are asked by
default: whether the configuration asks them, by which identifiers, for what, and
how many works at a time. A key is one that the service gives out, for the
api_key_file of the source.`,
		Example: `  quire sources list --json`,
		Args:    noArgs,
		RunE:    func(*cobra.Command, []string) error { return a.listSources() },
	}
}

func (a *app) listSources() error {
	l, err := a.load(nil)
	if err != nil {
		return err
	}
	asked := l.Config.Resolvers.active()
	var rows []sourceShape
	for _, name := range resolver.Names() {
		can := resolver.CapabilitiesOf(name)
		row := sourceShape{
			Name: name, Asked: slices.Contains(asked, name), IDs: can.IDs, Formats: []paper.Kind{}, Batch: can.Batch,
			License: can.License, Version: can.Version, MD5: can.MD5, Key: can.Key,
		}
		row.Formats = append(row.Formats, can.Formats...)
		if can.Only != "" {
			row.Only = &can.Only
		}
		rows = append(rows, row)
	}
	if a.json {
		for _, row := range rows {
			if err := a.printJSON(row); err != nil {
				return err
			}
		}
		return nil
	}
	return a.writeSources(rows)
}

func (a *app) writeSources(rows []sourceShape) error {
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "source\tasked\tby\tgives\tat once\ttells")
	for _, r := range rows {
		by := strings.Join(r.IDs, " ")
		if r.Only != nil {
			by += " " + *r.Only
		}
		var tells []string
		for _, t := range []struct {
			what string
			does bool
		}{{"licence", r.License}, {"version", r.Version}, {"checksum", r.MD5}, {"(takes a key)", r.Key}} {
			if t.does {
				tells = append(tells, t.what)
			}
		}
		gives := "identifiers"
		if len(r.Formats) > 0 {
			gives = strings.ReplaceAll(words(r.Formats), ",", "")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\n", r.Name, yesNo(r.Asked), by, gives, r.Batch, strings.Join(tells, " "))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print sources: %w", err)
	}
	return nil
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

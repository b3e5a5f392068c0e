package cli

import "github.com/spf13/cobra"

// newConfig is the parent of the commands on the configuration.
func newConfig(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "config",
		Short: "Show and check the configuration",
		Long: `Show and check the configuration. A setting comes from a flag, else from the
environment (QUIRE_ and its path with _: QUIRE_ORCHESTRATOR_MAX_WORKERS), else
from the file, which quire init writes, else it has its default.

--set PATH=VALUE sets any of them for one command. Some have a flag of their own,
such as --contact; both at once are refused. Of two --set for the same setting the
later holds. Flags and variables have values in these forms:

  one value    retry.max=2h
  a list       accept.versions=published,accepted
  by name      orchestrator.max_per_resolver=crossref=3,unpaywall=2
  anything     limits.host:arxiv.org={in_flight: 1, every: 3s}

Keys of hosts and resolvers may be part of the path: limits.host:arxiv.org.every=3s,
limits.resolver:crossref.per_second=5. As variables those of hosts are in
QUIRE_LIMITS='{"host:arxiv.org": {every: 3s}}'; an empty variable says nothing.

API keys come from the environment or from a file (api_key_file) only.

Exit codes: 4 the configuration is at fault, wherever it is from; 2 --set without
a PATH or a VALUE, or beside a flag for the same setting.`,
		Example: `  quire config show --origin
  quire config check --set orchestrator.max_workers=8`,
	}
	c.AddCommand(newConfigShow(a), &cobra.Command{
		Use: "check", Short: "Say whether the configuration is good", Args: noArgs,
		Long: `Say whether the configuration is good for a run, which needs a contact address.
Where the queue and the files are is part of it, but neither is opened.

Exit code 4: it is not; the message says why.`,
		RunE: func(*cobra.Command, []string) error { return a.configCheck() },
	}, &cobra.Command{
		Use: "schema", Short: "Print the JSON Schema of the configuration file, for editors", Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return a.printJSON(Schema()) },
	})
	return c
}

func newConfigShow(a *app) *cobra.Command {
	var origins bool
	c := &cobra.Command{
		Use: "show", Short: "Print the settings in force", Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return a.configShow(origins) },
	}
	c.Flags().BoolVar(&origins, "origin", false, "tell where each value comes from")
	return c
}

func (a *app) configShow(origins bool) error {
	l, err := a.load(nil)
	if err != nil {
		return err
	}
	switch {
	case a.json:
		return a.printJSON(l.Origins())
	case origins:
		for _, o := range l.Origins() {
			a.printf("%-42s %-32s %s\n", printable(o.Path), printable(o.Value), printable(o.From))
		}
		return nil
	}
	text, err := l.YAML()
	if err != nil {
		return err
	}
	a.printf("%s", text)
	return nil
}

// configCheck checks what a run would need too: a contact.
func (a *app) configCheck() error {
	cfg, err := a.networkSettings(nil)
	if err != nil {
		return err
	}
	if err := a.place(cfg).Check(); err != nil {
		return err
	}
	if a.json {
		return a.printJSON(map[string]bool{"ok": true})
	}
	a.printf("the configuration is good\n")
	return nil
}

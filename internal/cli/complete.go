package cli

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/quire-dev/quire/internal/intake"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// What a shell is told beside the words: it is not to offer files, and, of words
// that others may follow, to add no space.
const (
	wordsOnly = cobra.ShellCompDirectiveNoFileComp
	wordsOn   = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
)

// addCompletions says what a shell offers for the arguments and flags of all
// commands. Files are offered only where a file can be.
func (a *app) addCompletions(root *cobra.Command) {
	root.CompletionOptions.SetDefaultShellCompDirective(wordsOnly)
	args, flags := a.completedArgs(), a.completedFlags()
	eachCommand(root, func(c *cobra.Command) {
		if complete, ok := args[c.CommandPath()]; ok {
			c.ValidArgsFunction = complete
		}
		add := func(f *pflag.Flag) {
			complete, ok := flags[c.CommandPath()+" --"+f.Name]
			if !ok {
				complete, ok = flags["--"+f.Name]
			}
			if ok {
				// It is refused only for a flag that is not there or was given one before.
				_ = c.RegisterFlagCompletionFunc(f.Name, complete)
			}
		}
		c.NonInheritedFlags().VisitAll(add)
	})
}

// eachCommand calls do for c and all below it.
func eachCommand(c *cobra.Command, do func(*cobra.Command)) {
	do(c)
	for _, sub := range c.Commands() {
		eachCommand(sub, do)
	}
}

// completedArgs has what is offered for the arguments of a command, by its path.
func (a *app) completedArgs() map[string]cobra.CompletionFunc {
	return map[string]cobra.CompletionFunc{
		"quire get":                      files,
		"quire plan":                     files,
		"quire queue import":             files,
		"quire sources import-unpaywall": files,
		"quire generate man":             first(dirs),
		"quire generate reference":       first(dirs),
		"quire queue show":               first(a.completeIDs()),
		"quire explain":                  first(a.completeIDs()),
		"quire queue list":               a.completeIDs(),
		"quire queue cancel":             a.completeIDs(unfinished()...),
		"quire queue pause":              first(a.completeKeys(false)),
		"quire queue resume":             first(a.completeKeys(true)),
		"quire limits":                   a.completeKeys(false),
	}
}

// completedFlags has what is offered for the value of a flag, by its name, or by
// the path of a command and its name.
func (a *app) completedFlags() map[string]cobra.CompletionFunc {
	lists := listOf(func() []string { return a.sources(false) })
	all := map[string]cobra.CompletionFunc{
		"--data": dirs, "--keep": dirs,
		"--output": files, "--rejects": files, "--index": files,
		"--config":                      cobra.FixedCompletions([]string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt),
		"--store":                       cobra.FixedCompletions([]string{"sqlite:", "postgres://"}, wordsOn),
		"--artifacts":                   cobra.FixedCompletions([]string{"file:", "s3://"}, wordsOn),
		"--key":                         a.completeKeys(false),
		"--run":                         a.completeRuns,
		"--class":                       oneOf(paper.Classes()),
		"--state":                       manyOf(queue.States()),
		"--order":                       lists,
		"--resolver-hint":               a.completeHint,
		"--format":                      oneOf(intake.Formats()),
		"quire report --format":         oneOf(reportFormats()),
		"--set":                         completeConfigPaths,
		"quire queue prune --state":     manyOf(finished()),
		"quire queue cancel --state":    manyOf(unfinished()),
		"quire export manifest --state": manyOf(finalStates()),
		"quire export csv --state":      manyOf(finalStates()),
	}
	for _, g := range choices() {
		all["--"+g.flag] = oneOf(strings.Fields(g.allowed))
	}
	return all
}

func files(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveDefault
}

func dirs(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// first offers words for the first argument only.
func first(complete cobra.CompletionFunc) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, text string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, wordsOnly
		}
		return complete(c, args, text)
	}
}

func oneOf[S ~string](all []S) cobra.CompletionFunc {
	var list []string
	for _, word := range all {
		list = append(list, string(word))
	}
	return cobra.FixedCompletions(list, wordsOnly)
}

func manyOf[S ~string](all []S) cobra.CompletionFunc {
	var list []string
	for _, word := range all {
		list = append(list, string(word))
	}
	return listOf(func() []string { return list })
}

// listOf offers, behind the last comma, the words that are not before it.
func listOf(all func() []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, text string) (found []cobra.Completion, _ cobra.ShellCompDirective) {
		before := text[:strings.LastIndex(text, ",")+1]
		given := strings.Split(before, ",")
		for _, word := range all() {
			if strings.HasPrefix(before+word, text) && !slices.Contains(given, word) {
				found = append(found, before+word)
			}
		}
		return found, wordsOn
	}
}

// sources lists the sources there are, or those that are asked. A configuration
// that can't be read has none of its own.
func (a *app) sources(asked bool) (names []string) {
	l, err := a.load(nil)
	switch {
	case err != nil:
		return resolverNames()
	case asked:
		return l.Config.Resolvers.active()
	}
	names = resolverNames()
	for _, c := range l.Config.Resolvers.Custom {
		names = append(names, c.Name)
	}
	return names
}

func (a *app) completeHint(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return a.sources(true), wordsOnly
}

// completeHelp offers commands, one below the other, and topics.
func completeHelp(c *cobra.Command, args []string, text string) (found []cobra.Completion, _ cobra.ShellCompDirective) {
	about, rest, err := c.Root().Find(args)
	if err != nil || len(rest) > 0 {
		return nil, wordsOnly
	}
	for _, sub := range about.Commands() {
		if (sub.IsAvailableCommand() || sub.IsAdditionalHelpTopicCommand()) && strings.HasPrefix(sub.Name(), text) {
			found = append(found, cobra.CompletionWithDesc(sub.Name(), sub.Short))
		}
	}
	return found, wordsOnly
}

// completeConfigPaths offers the paths of settings, each with a = behind it, and
// behind that the values that a setting can have, if they can be told.
func completeConfigPaths(_ *cobra.Command, _ []string, text string) (found []cobra.Completion, _ cobra.ShellCompDirective) {
	path, _, valued := strings.Cut(text, "=")
	for _, k := range knownPaths(reflect.TypeFor[Config](), "") {
		if !valued && strings.HasPrefix(k.path, text) {
			found = append(found, cobra.CompletionWithDesc(k.path+"=", k.field.Tag.Get("doc")))
		}
		if !valued || k.path != path {
			continue
		}
		values := strings.Split(k.field.Tag.Get("oneof"), ",")
		if k.field.Type.Kind() == reflect.Bool {
			values = []string{"true", "false"}
		}
		for _, value := range values {
			if value != "" && strings.HasPrefix(path+"="+value, text) {
				found = append(found, path+"="+value)
			}
		}
		return found, wordsOnly
	}
	return found, wordsOn
}

// keysUnder lists the keys of a map that begin with prefix.
func keysUnder[V any](m map[string]V, prefix string) (keys []string) {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	return keys
}

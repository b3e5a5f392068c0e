package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/quire-dev/quire/queue"
)

// checkLocals refuses values that no flag of a command's own can have. An empty text,
// as a variable of a script gives that was never set, would mean no filter, which is
// to say everything.
func checkLocals(c *cobra.Command) (err error) {
	c.Flags().Visit(func(f *pflag.Flag) {
		if c.InheritedFlags().Lookup(f.Name) != nil {
			return
		}
		text := f.Value.String()
		if list, ok := f.Value.(pflag.SliceValue); ok {
			text = strings.Join(list.GetSlice(), "")
		}
		switch {
		case err != nil:
		case text == "":
			err = usage("--%s is empty: give it a value or leave it out (see %s --help)", f.Name, c.CommandPath())
		case f.Name == "run":
			err = checkRun(text)
		case f.Name == "key":
			err = checkKey("--key", text)
		}
	})
	return err
}

// checkRun refuses what no batch can be called.
func checkRun(name string) error {
	if err := queue.CheckText("NAME", name, 1, queue.MaxKey); err != nil {
		return usage("--run: %w", err)
	}
	return nil
}

// checkKey refuses what no job can be at. what names it in errors.
func checkKey(what, key string) error {
	kind, name, _ := strings.Cut(key, ":")
	if name != "" && (kind == "host" || kind == "resolver") {
		return nil
	}
	near := ""
	if !strings.Contains(key, ":") {
		near = fmt.Sprintf("; did you mean %s:%s?", map[bool]string{true: "host", false: "resolver"}[strings.Contains(key, ".")], key)
	}
	return usage("%s %q: must be host:NAME or resolver:NAME, as quire queue stats lists them%s", what, key, near)
}

// flagError is what is said of flags that can't be read: err is pflag's.
func flagError(c *cobra.Command, err error) error {
	text, reason, cut := strings.Cut(err.Error(), " flag: strconv.")
	switch {
	case !cut:
	case strings.HasSuffix(reason, "value out of range"):
		text += ": is too large a number"
	case strings.HasPrefix(reason, "ParseBool"):
		text += ": must be true or false"
	default:
		text += ": must be a whole number"
	}
	return usage("%s (see %s --help)", text, c.CommandPath())
}

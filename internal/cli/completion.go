package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

// shell is one that there are completions for.
type shell struct {
	name, needs string
	now, always string // the commands that make them, in this shell and in all others
}

func shells() []shell {
	return []shell{
		{
			"bash", " It needs the package bash-completion.",
			"source <(quire completion bash)",
			"quire completion bash > ~/.local/share/bash-completion/completions/quire",
		},
		{
			"zsh", " It needs compinit, which your .zshrc calls if it completes anything.",
			"source <(quire completion zsh)",
			`quire completion zsh > "${fpath[1]}/_quire"`,
		},
		{
			"fish", "",
			"quire completion fish | source",
			"quire completion fish > ~/.config/fish/completions/quire.fish",
		},
		{
			"powershell", "",
			"quire completion powershell | Out-String | Invoke-Expression",
			"quire completion powershell >> $PROFILE",
		},
	}
}

// describeCompletion says in our words what the commands do that cobra brings.
func describeCompletion(root *cobra.Command) {
	for _, parent := range root.Commands() {
		if parent.Name() != "completion" {
			continue
		}
		parent.Short = "Print the script that makes a shell complete what you type"
		parent.Long = "Print the script that makes a shell complete commands, flags and their values, and\n" +
			"what is in the queue: identifiers, keys and names of runs."
		for _, sh := range shells() {
			c, _, err := parent.Find([]string{sh.name})
			if err != nil {
				continue
			}
			c.Short = "Print the completions for " + sh.name
			c.Long = fmt.Sprintf("Print the script that makes %s complete what you type.%s\n\nIn this shell:\n\n  %s\n\nIn all that come:\n\n  %s",
				sh.name, sh.needs, sh.now, sh.always)
		}
	}
}

package cli

import "github.com/spf13/cobra"

// newBench is the parent of the commands that measure.
func newBench(a *app) *cobra.Command {
	c := &cobra.Command{Use: "bench", Short: "Measure this machine"}
	c.AddCommand(newBenchQueue(a))
	return c
}

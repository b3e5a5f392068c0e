// Command quire gathers the full text of scholarly works in bulk.
package main

import "github.com/quire-dev/quire/internal/cli"

func main() { cli.Main() }

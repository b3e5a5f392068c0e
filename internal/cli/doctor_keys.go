package cli

import (
	"github.com/quire-dev/quire/internal/resolver"
)

// keyedSource is a source that is asked and takes a key.
type keyedSource struct {
	name   string
	given  bool
	scarce bool // without one it hardly answers
}

func keyedSources(l *loaded) (all []keyedSource) {
	for _, name := range l.Config.Resolvers.active() {
		of := l.Config.Resolvers.named(name)
		if of == nil {
			continue // a source of the user's own
		}
		if can := resolver.CapabilitiesOf(name); can.Key {
			all = append(all, keyedSource{name, !of.APIKey.IsZero(), can.Scarce})
		}
	}
	return all
}

package testweb

import (
	"fmt"
	"math/rand/v2"
)

// titles makes n different made-up titles.
func titles(random *rand.Rand, n int) []string {
	phenomena := []string{
		"Seasonal drift", "Slow recovery", "Vertical transport", "Early loss", "Uneven spread", "Thermal memory",
		"Clonal growth", "Quiet phases", "Coupled decay", "Winter survival", "Sparse coding", "Edge effects",
	}
	subjects := []string{
		"upland peat", "estuarine diatoms", "municipal archives", "hedgerow bees", "alpine lichens", "river ice",
		"marginal notes", "bell-tower acoustics", "salt-marsh sediments", "tram networks", "apprentice letters",
		"kelp forests", "basalt columns", "orchard soils",
	}
	methods := []string{
		"a four-year record", "evidence from 212 sites", "a simple model", "a replication", "methods and first results",
		"an open collection", "a blinded comparison", "limits of inference",
	}
	made := make([]string, 0, n)
	seen := map[string]bool{}
	for len(made) < n {
		title := fmt.Sprintf("%s in %s: %s", pick(random, phenomena), pick(random, subjects), pick(random, methods))
		if !seen[title] {
			seen[title] = true
			made = append(made, title)
		}
	}
	return made
}

func pick(random *rand.Rand, words []string) string { return words[random.IntN(len(words))] }

package doctor

import "github.com/quire-dev/quire/paper"

// known are works that sources are asked about: one that all general sources have,
// and one for each that knows only its own. That a source does not know it is an
// answer like any other.
func known() []paper.Artifact {
	doi := func(doi string) paper.Artifact {
		return paper.Artifact{ID: "doi:" + doi, IDs: paper.IDs{DOI: doi}}
	}
	lost := doi("10.1371/journal.pone.0000001") // for the sources that keep what others have lost
	lost.Dead = []paper.Candidate{{URL: "https://journals.plos.org/plosone/article/file?id=10.1371/journal.pone.0000001&type=printable", Kind: paper.PDF}}
	return []paper.Artifact{
		doi("10.1371/journal.pone.0000001"), // the first article of PLOS ONE
		{ID: "pmcid:PMC1790863", IDs: paper.IDs{PMCID: "PMC1790863"}},
		{ID: "arxiv:2101.00001", IDs: paper.IDs{ArXiv: "2101.00001"}},
		doi("10.5281/zenodo.12345"),
		doi("10.6084/m9.figshare.12345"),
		doi("10.31219/osf.io/abcde"),
		doi("10.1101/2020.01.01.20000001"),
		lost,
	}
}

// workFor returns a work that the source can be asked about.
func workFor(r paper.Resolver) (work paper.Artifact, ok bool) {
	for _, work := range known() {
		if r.Accepts(work) {
			return work, true
		}
	}
	return work, false
}

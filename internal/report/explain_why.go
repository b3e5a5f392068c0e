package report

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// Outcome is what became of a candidate.
type Outcome string

// The outcomes of a candidate.
const (
	GaveFile Outcome = "gave_file"
	Searched Outcome = "searched"  // a page, whose candidates follow
	Failed   Outcome = "failed"    // its class says how
	UnderWay Outcome = "under_way" // the job's next step goes on with it
	NotTried Outcome = "not_tried"
)

// maxTries is after how many candidates with requests a harvest gives up, as it
// says itself (internal/harvest): only to say so here.
const maxTries = 6

// teller knows why a job went as it did.
type teller struct {
	job     queue.Job
	rec     paper.Record
	given   paper.Artifact // as it was asked for
	sources []paper.Resolver
	fileURL string // where the file came from; "" if there is none
}

// givenBy is the artifact that a job was made for: by its payload, or if that is
// not a harvest's, by its id.
func givenBy(j queue.Job) paper.Artifact {
	var payload struct{ Artifact paper.Artifact }
	if json.Unmarshal(j.Payload, &payload) == nil && payload.Artifact.ID != "" {
		return payload.Artifact
	}
	a, err := paper.ParseID(j.ArtifactID)
	if err != nil {
		return paper.Artifact{ID: j.ArtifactID}
	}
	return a
}

// wanted is the kind of file that the work is to have.
func (t teller) wanted() paper.Kind {
	if t.given.Format == "" {
		return paper.PDF
	}
	return t.given.Format
}

// fate tells what became of a candidate, and why it was tried or not.
func (t teller) fate(c paper.Tried) (Outcome, string) {
	switch {
	case len(c.Hops) == 0:
		return t.untried(c)
	case c.Class != "":
		return Failed, t.turn(c)
	case t.gave(c):
		return GaveFile, t.turn(c)
	case t.underWay(c):
		return UnderWay, t.turn(c)
	default:
		return Searched, t.turn(c)
	}
}

// gave reports whether a candidate that did not fail led to the file. A page may
// turn out to be the file itself.
func (t teller) gave(c paper.Tried) bool {
	if t.job.State != queue.Done {
		return false
	}
	return c.Kind != paper.Landing || c.Hops[len(c.Hops)-1].URL == t.fileURL
}

// turn tells why a candidate was tried when it was.
func (t teller) turn(c paper.Tried) string {
	place := slices.IndexFunc(t.sources, func(r paper.Resolver) bool { return r.Name() == c.Source })
	switch {
	case c.Kind == paper.Landing:
		return "pages are searched when no file is left to try"
	case place < 0:
		return "files are tried in the order of their sources"
	}
	return fmt.Sprintf("files are tried in the order of their sources, and %s is number %d", c.Source, place+1)
}

// untried tells why no request was made for a candidate.
func (t teller) untried(c paper.Tried) (Outcome, string) {
	switch {
	case c.Class == paper.PolicySkipped:
		return NotTried, "the policy forbids it: " + c.Note
	case c.Note != "":
		return NotTried, c.Note // such as "met before, on the way from …"
	case c.Class != "":
		return Failed, string(c.Class)
	case c.Kind != paper.Landing && c.Kind != t.wanted():
		return NotTried, fmt.Sprintf("%s, and what is wanted is %s", c.Kind, t.wanted())
	case t.job.State == queue.Done:
		return NotTried, "a file was found before"
	case t.tries() >= maxTries:
		return NotTried, fmt.Sprintf("%d candidates were tried already, which is the most", t.tries())
	case !t.job.State.Terminal():
		return NotTried, "its turn has not come"
	}
	return NotTried, t.ended()
}

// tries counts the candidates that were tried to their end.
func (t teller) tries() int {
	n := 0
	for _, c := range t.rec.Tried {
		if len(c.Hops) > 0 && !t.underWay(c) {
			n++
		}
	}
	return n
}

// underWay reports whether a candidate with hops is still being fetched.
func (t teller) underWay(c paper.Tried) bool {
	return c.Class == "" && c.Note == "" && !t.job.State.Terminal()
}

// ended tells that the job was over before.
func (t teller) ended() string {
	if t.job.Reason == queue.ReasonCancelled {
		return "the job was cancelled before"
	}
	return "the job ended before"
}

// notAsked lists the sources that were not asked, and why.
func (t teller) notAsked() []NotAsked {
	list := []NotAsked{}
	a := t.given
	a.IDs = t.rec.IDs
	a.IDs.Merge(t.given.IDs)
	for _, r := range t.sources {
		if slices.ContainsFunc(t.rec.Asked, func(a paper.Asked) bool { return a.Resolver == r.Name() }) {
			continue
		}
		list = append(list, NotAsked{r.Name(), t.whyNot(r, a)})
	}
	return list
}

func (t teller) whyNot(r paper.Resolver, a paper.Artifact) string {
	switch {
	case !r.Accepts(a):
		a.Dead = []paper.Candidate{{URL: "https://dead.invalid/a.pdf", Kind: paper.PDF}}
		if r.Accepts(a) {
			return "needs a file that is gone"
		}
		return "needs an identifier that is not known"
	case t.job.State == queue.Done:
		return "a file was found before"
	case !t.job.State.Terminal():
		return "its turn has not come"
	case t.tries() >= maxTries:
		return fmt.Sprintf("%d candidates had been tried, which is the most", t.tries())
	}
	return t.ended()
}

// idsFrom tells where each identifier is from.
func (t teller) idsFrom() map[string]*string {
	from := make(map[string]*string)
	given, all := named(t.given.IDs), named(t.rec.IDs)
	for name, id := range all {
		from[name] = nil
		if given[name] == id {
			from[name] = known("given")
		}
	}
	for _, a := range t.rec.Asked {
		for name, id := range named(a.IDs) {
			if all[name] == id && from[name] == nil {
				from[name] = known(a.Resolver)
			}
		}
	}
	return from
}

// idNames are the names of identifiers in JSON, in their order there.
func idNames() []string { return strings.Fields("doi arxiv pmcid pmid openalex url") }

// named returns the identifiers that are there by their names.
func named(ids paper.IDs) map[string]string {
	all := map[string]string{
		"doi": ids.DOI, "arxiv": ids.ArXiv, "pmcid": ids.PMCID, "pmid": ids.PMID, "openalex": ids.OpenAlex, "url": ids.URL,
	}
	for name, id := range all {
		if id == "" {
			delete(all, name)
		}
	}
	return all
}

package report

import "strconv"

// Assumption is the JSON shape of a number that a plan rests on.
type Assumption struct {
	Name   string  `json:"name"`
	Value  float64 `json:"value"`
	Unit   string  `json:"unit"`
	Source string  `json:"source"` // where it is from; "inferred: …" is ours
}

const (
	archive = "Internet Archive's sandcrawler project, ingest statistics 2020 to 2023: "
	ours    = "inferred: "
)

// The names of the assumptions that are not about one source.
const (
	meanSize    = "size of a file"
	inPMC       = "works in PMC, of those with a DOI or PMID"
	otherYield  = "yield of any other source"
	candidateOK = "candidates that give the file"
	perFile     = "requests for a file at a host"
	busiest     = "share of the busiest host that is not known beforehand"
	apiService  = "time of a request to a source"
	fileService = "time of a request for a file"
)

// assumptions is the table. A yield is the part of the works that a source is asked
// about which get their file through it, after all sources before it had none.
func assumptions() []Assumption {
	return []Assumption{
		{meanSize, 1.43e6, "bytes", archive + "282.7 TB in 198.2 million files"},
		{inPMC, 0.15, "of works", ours + "PMC has some 10 million articles of the 100 million journal articles with a DOI; lists that people bring are newer and lean to the life sciences"},
		{yieldOf("pmc"), 0.778, "of works asked", archive + "PMC, all time"},
		{yieldOf("arxiv"), 0.90, "of works asked", archive + "arXiv, 87 to 94 %"},
		{yieldOf("europepmc"), 0.02, "of works asked", ours + "its open works are mostly those of PMC, which come first"},
		{yieldOf("zenodo"), 0.5, "of works asked", ours + "asked only about its own DOIs, half of which are data or software"},
		{yieldOf("figshare"), 0.3, "of works asked", ours + "asked only about its own DOIs, most of which are data or figures"},
		{yieldOf("osf"), 0.8, "of works asked", ours + "asked only about preprints, which have a file unless withdrawn"},
		{yieldOf("hal"), 0.01, "of works asked", ours + "some 1.5 million of the 100 million articles with a DOI have a file there"},
		{yieldOf("biorxiv"), 0.05, "of works asked", "its site has answered scripts with 403 since about May 2025"},
		{yieldOf("unpaywall"), 0.385, "of works asked", "47 % of the works people ask for are open (Piwowar et al. 2018), and 82 % of the links worked (sandcrawler, Unpaywall, all time)"},
		{yieldOf("openalex"), 0.02, "of works asked", ours + "knows repository copies that Unpaywall lacks"},
		{yieldOf("crossref"), 0.01, "of works asked", ours + "publishers' links mostly refuse programs"},
		{yieldOf("semanticscholar"), 0.01, "of works asked", ours + "few links that the sources before it lack"},
		{yieldOf("doaj"), 0.005, "of works asked", ours + "its links are mostly pages, and those that Unpaywall knows"},
		{yieldOf("datacite"), 0.005, "of works asked", ours + "addresses of files are rare in its records"},
		{yieldOf("landing"), 0.02, "of works asked", ours + "34 % of doi.org pages gave a PDF to sandcrawler, but here only those are left that no source calls open"},
		{otherYield, 0.02, "of works asked", ours + "as of a source late in the order"},
		{requestsOf("pmc"), 2, "requests", "how it is asked: the list of versions, then the description of the newest"},
		{candidateOK, 0.824, "of candidates", archive + "new Unpaywall links of April 2022"},
		{perFile, 2, "requests", ours + "a page or a redirect, then the file; services whose files have addresses known beforehand take one"},
		{busiest, 0.052, "of requests", archive + "hosts of new Unpaywall links of 2022"},
		{apiService, 0.34, "seconds", ours + "log-normal with median 250 ms and sigma 0.8, from published speeds of Unpaywall (220 ms) and Crossref"},
		{fileService, 1.95, "seconds", ours + "log-normal with median 900 ms and sigma 0.8 until the answer begins, then 1.43 MB at 2 MB a second"},
	}
}

func yieldOf(source string) string    { return "yield of " + source }
func requestsOf(source string) string { return "requests for a work to " + source }

// assumed returns the value of an assumption, or otherwise.
func assumed(name string, otherwise float64) float64 {
	for _, a := range assumptions() {
		if a.Name == name {
			return a.Value
		}
	}
	return otherwise
}

// learnsPMCID tells whether a source gives no file but leads to PMC.
func learnsPMCID(source string) bool { return source == "idconv" }

// leadsOn tells whether a source's candidates are redirects to other hosts, as those
// of doi.org are.
func leadsOn(source string) bool { return source == "landing" }

// filesAt is the key at which the files of a source lie, where that is known before
// it is asked; "" if they are anywhere.
func filesAt(source string) string {
	switch source {
	case "pmc":
		return "host:pmc-oa-opendata.s3.amazonaws.com"
	case "europepmc":
		return "host:europepmc.org"
	case "zenodo":
		return "host:zenodo.org"
	case "figshare":
		return "host:api.figshare.com"
	case "hal":
		return "host:hal.science"
	}
	return ""
}

// anyHost stands in a [Plan] for the host that most files come from, of those that
// are not known before sources are asked.
const anyHost = "host:*"

// adviceOn says what to do about a key that takes long.
func adviceOn(key string, l PlanLimit, binds string) string {
	switch key {
	case "host:arxiv.org":
		return "arXiv offers its files in bulk on S3 (requester pays), which is the way for large lists; other works do not wait for it"
	case "resolver:unpaywall":
		return "use its data dump for lists like this one"
	case "resolver:openalex":
		return "an API key raises its daily credit"
	case "resolver:semanticscholar":
		return "an API key, and a higher rate asked for with it, make it faster"
	case anyHost:
		return "other hosts do not wait for it"
	}
	setting := "limits." + key
	switch binds {
	case BindsDaily:
		return "spread the list over days, or set daily in " + setting + " if it allows you more than " + strconv.Itoa(l.Daily)
	case BindsWorkers:
		return "raise orchestrator.max_workers"
	case BindsInFlight:
		return "raise in_flight in " + setting + " if it allows you more"
	default:
		return "raise per_second in " + setting + " if it allows you more"
	}
}

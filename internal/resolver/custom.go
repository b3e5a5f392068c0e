package resolver

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/quire-dev/quire/paper"
)

// Custom is a source of the user's own: an address with the DOI in it that answers
// with a page or with JSON, and where in there the file is named. The fields and
// their meaning are those of Zotero's custom PDF resolvers
// (https://www.zotero.org/support/kb/custom_pdf_resolvers).
type Custom struct {
	URL      string // http or https, with {doi} in its path or query, where it is percent-encoded
	Mode     string // CustomHTML or CustomJSON
	Selector string // of CustomHTML: a CSS selector; of CustomJSON: a path such as .locations.url

	Attribute string // of CustomHTML: of the selected element; empty: its text
	Index     int    // of CustomHTML: which of the selected elements, from 0

	// Mappings say for CustomJSON where each object that Selector finds has its "url"
	// (of the file), "pageURL" (to search if there is no file), "version" and
	// "license": as names or paths. Without Mappings what Selector finds are the
	// URLs of files.
	Mappings map[string]string
}

// The modes of a [Custom].
const (
	CustomHTML = "html"
	CustomJSON = "json"
)

// ErrBadCustom says that a source of the user's own can't be as it is described.
var ErrBadCustom = errors.New("not a usable source")

// customName is what stands in keys, commands and records.
var customName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,39}$`)

// mapped are the words that Mappings may have.
func mapped() []string { return []string{"url", "pageURL", "version", "license"} }

// NewCustom returns a source of the user's own that asks through get. Its error
// wraps [ErrBadCustom] and says on one line what is wrong.
func NewCustom(name string, c Custom, get paper.Getter) (paper.Resolver, error) {
	of, err := c.service()
	switch {
	case !customName.MatchString(name):
		err = fmt.Errorf("name %q is not up to 40 of a-z, 0-9, - and _", clip(name, 80))
	case slices.Contains(Names(), name) || name == "none":
		err = fmt.Errorf("name %q is taken", name)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadCustom, err)
	}
	return remote{name, Config{}, get, of}, nil
}

// custom is the service behind a [Custom].
type custom struct {
	before, after string // of the DOI
	keep          string // what stays unescaped in it
	read          func(body []byte, base string) ([]paper.Candidate, error)
	accept        string
}

func (c Custom) service() (custom, error) {
	before, after, found := strings.Cut(c.URL, "{doi}")
	of := custom{before: before, after: after, keep: "/"}
	if strings.ContainsAny(before, "?") {
		of.keep = ""
	}
	probe, err := url.Parse(before + "10.5555" + after)
	switch {
	case !found || strings.Contains(after, "{doi}"):
		return of, fmt.Errorf("url %q does not have {doi} in it once", clip(c.URL, 200))
	case err != nil || probe.Scheme != "http" && probe.Scheme != "https" || probe.Hostname() == "":
		return of, fmt.Errorf("url %q is no http or https address", clip(c.URL, 200))
	case probe.User != nil:
		return of, errors.New("url has a user name or password in it")
	case !strings.Contains(probe.EscapedPath()+"?"+probe.RawQuery, "10.5555"):
		return of, errors.New("url has {doi} elsewhere than in its path or query")
	case c.Index < 0 || c.Index > maxElements:
		return of, fmt.Errorf("index %d is not from 0 to %d", c.Index, maxElements)
	}
	switch c.Mode {
	case CustomHTML:
		of.accept = "text/html, application/xhtml+xml;q=0.9, */*;q=0.1"
		of.read, err = c.pageReader()
	case CustomJSON:
		of.read, err = c.jsonReader()
	default:
		err = fmt.Errorf("mode %q is neither html nor json", clip(c.Mode, 80))
	}
	return of, err
}

func (custom) accepts(a paper.Artifact) bool { return a.IDs.DOI != "" }

// maxSameHost is how many redirects on the same host are followed, one per request.
const maxSameHost = 3

// url is the address of the DOI, or where the last answer has redirected to: the
// cursor is a number of redirects and that address.
func (c custom) url(a paper.Artifact) string {
	if _, to := c.redirected(a); to != "" {
		return to
	}
	return c.before + escape(a.IDs.DOI, c.keep) + c.after
}

func (custom) redirected(a paper.Artifact) (times int, to string) {
	if _, err := fmt.Sscanf(a.Cursor, "%d %s", &times, &to); err != nil {
		return 0, ""
	}
	return times, to
}

func (c custom) acceptHeader() string { return c.accept }

func (c custom) answer(a paper.Artifact, reply paper.Reply) (paper.Answer, error) {
	at := c.url(a)
	if reply.Status >= 300 && reply.Status < 400 {
		return c.follow(a, at, reply.Header.Get("Location"))
	}
	if err := check(reply, false); err != nil {
		return paper.Answer{}, err
	}
	if len(reply.Body) > maxPage {
		return paper.Answer{}, miss(fmt.Sprintf("the answer has more than %d MiB", maxPage>>20))
	}
	candidates, err := c.read(reply.Body, at)
	if err != nil {
		return paper.Answer{}, err
	}
	if len(candidates) == 0 {
		return paper.Answer{}, miss("nothing where the selector points")
	}
	return paper.Answer{Candidates: candidates, Note: "the selector finds it"}, nil
}

// follow has a redirect on the same host asked for next. Another host is none that
// the user has named.
func (c custom) follow(a paper.Artifact, at, location string) (paper.Answer, error) {
	from, err := url.Parse(at)
	if err != nil {
		return paper.Answer{}, miss("redirects to nowhere")
	}
	to, err := from.Parse(location)
	times, _ := c.redirected(a)
	switch {
	case err != nil || location == "" || to.Scheme != "http" && to.Scheme != "https":
		return paper.Answer{}, miss("redirects to nowhere")
	case to.Host != from.Host:
		return paper.Answer{}, miss("redirects to another host: " + clip(to.Host, 100))
	case times == maxSameHost:
		return paper.Answer{}, miss(fmt.Sprintf("redirects more than %d times", maxSameHost))
	}
	clean, err := cleanURL(to.String())
	if err != nil {
		return paper.Answer{}, miss("redirects to nowhere")
	}
	return paper.Answer{Cursor: fmt.Sprint(times+1, " ", clean)}, nil
}

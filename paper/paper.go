// Package paper holds the words of the harvest: identifiers, artifacts,
// candidates, answers, records and failure classes, and the two contracts that
// meet in them. A [Resolver] says where an artifact may be found; a [Catalog]
// remembers what was found.
package paper

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"
)

var (
	// ErrBadID says that a text is no identifier we know.
	ErrBadID = errors.New("not an identifier")
	// ErrNotFound says that the catalog has no record of the artifact.
	ErrNotFound = errors.New("no such record")
)

// IDs are the identifiers of one work, each in canonical form without its
// prefix; unknown ones are empty.
type IDs struct {
	DOI      string `json:"doi,omitempty"`      // 10.1371/journal.pone.0000001
	ArXiv    string `json:"arxiv,omitempty"`    // 2101.00001 or math.GT/0309136, without version
	PMCID    string `json:"pmcid,omitempty"`    // PMC123
	PMID     string `json:"pmid,omitempty"`     // 123
	OpenAlex string `json:"openalex,omitempty"` // W1
	URL      string `json:"url,omitempty"`      // of an artifact that is known by nothing else
}

// Merge fills the identifiers that ids lacks from more.
func (ids *IDs) Merge(more IDs) {
	for _, f := range []struct {
		to   *string
		from string
	}{
		{&ids.DOI, more.DOI},
		{&ids.ArXiv, more.ArXiv},
		{&ids.PMCID, more.PMCID},
		{&ids.PMID, more.PMID},
		{&ids.OpenAlex, more.OpenAlex},
		{&ids.URL, more.URL},
	} {
		if *f.to == "" {
			*f.to = f.from
		}
	}
}

// Without returns those of ids that known lacks.
func (ids *IDs) Without(known IDs) IDs {
	left := *ids
	for _, f := range []struct {
		id    *string
		known string
	}{
		{&left.DOI, known.DOI},
		{&left.ArXiv, known.ArXiv},
		{&left.PMCID, known.PMCID},
		{&left.PMID, known.PMID},
		{&left.OpenAlex, known.OpenAlex},
		{&left.URL, known.URL},
	} {
		if f.known != "" {
			*f.id = ""
		}
	}
	return left
}

// Artifact is what a job must get.
type Artifact struct {
	ID      string `json:"id"` // canonical, with prefix: doi:10.1371/journal.pone.0000001
	IDs     IDs    `json:"ids"`
	Version int    `json:"version,omitempty"` // of an arXiv id or PMCID that names one; 0: the newest
	Format  Kind   `json:"format,omitempty"`  // what is wanted of the work: a kind other than Landing; empty: PDF

	// Cursor is what the resolver left in the Answer before, if that asked for
	// another request; empty on the first.
	Cursor string `json:"-"`

	// Dead are the candidates that are gone (404, 410). They are told once nothing
	// else is left to try, to the sources that keep what others have lost.
	Dead []Candidate `json:"-"`
}

// Version is how close a file is to the published article. The words are
// those of the contract; sources map theirs onto them.
type Version string

// The versions, best first.
const (
	Published Version = "published" // version of record
	Accepted  Version = "accepted"  // author's accepted manuscript
	Submitted Version = "submitted" // preprint
)

// Kind says what a candidate URL is expected to answer with.
type Kind string

// The kinds of candidate.
const (
	PDF        Kind = "pdf"        // the article as PDF
	XML        Kind = "xml"        // the article as JATS XML
	Source     Kind = "source"     // what the article was set from: LaTeX, as tar, gzip or plain text
	HTML       Kind = "html"       // the full text as a page
	Supplement Kind = "supplement" // supplementary files, as one archive
	Landing    Kind = "landing"    // a page about the work, to be searched for the file
)

// Candidate is a URL that may hold the file.
type Candidate struct {
	URL     string  `json:"url"` // normalised
	Kind    Kind    `json:"kind"`
	Source  string  `json:"source"`            // name of the resolver that gave it
	Version Version `json:"version,omitempty"` // empty: unknown
	License string  `json:"license,omitempty"` // lower-case SPDX-like id such as cc-by-4.0; empty: unknown
	MD5     string  `json:"md5,omitempty"`     // hex, if the source knows it

	// Guessed marks a URL made up by a rule or found on a page, to which
	// robots.txt applies; URLs that a service hands out for downloading are not.
	Guessed bool `json:"guessed,omitempty"`
}

// Answer is what a resolver knows of one artifact. Nothing known is the zero
// Answer, not an error.
type Answer struct {
	Candidates []Candidate
	IDs        IDs    // other identifiers of the same work
	Title      string // empty if not said
	Published  string // when, as YYYY, YYYY-MM or YYYY-MM-DD; empty if not said
	License    string // of the work as a whole, where the source does not say per candidate
	Volume     string // ISBN or title of the book or proceedings that the work is a part of; empty if not said
	Note       string // one line for explain, such as "is_oa false"
	Cursor     string // not empty: the source needs another request for this artifact

	// Again is not 0 if this call brought no answer for the artifact: it is to be
	// asked about in another call, of at most so many artifacts. The request had
	// no room for it, or it failed in a way that one of its artifacts may be to
	// blame for. All but Note and Class are then empty.
	Again int

	// Class is set when the source did not answer for this artifact although
	// it answered for others, or when it knows that the identifier does not
	// exist (NotFoundID); with Again it is the class of the failed request.
	Class Class
}

// Resolver is a source that turns artifacts into candidates. Implementations
// are safe for concurrent use and make at most one request per call.
type Resolver interface {
	// Name is the short stable name: the resolver's key is "resolver:" + Name.
	Name() string
	// Accepts reports whether the source can be asked about a. A resolver is
	// asked at most once per round, and again when a gains identifiers that make
	// it accepted.
	Accepts(a Artifact) bool
	// Local reports that Resolve makes no request and so needs no key.
	Local() bool
	// Batch is the most artifacts that a call of Resolve may be given, at least 1.
	Batch() int
	// Resolve asks for all of as. len(answers) == len(as), in order. A miss is
	// not an error. An error is always a [*Failure] and holds for all of as.
	//
	// Some answers are final, without Again, or some have an Again of less than
	// len(as): who asks again as told has all answered in the end.
	Resolve(ctx context.Context, as []Artifact) ([]Answer, error)
}

// Class is a failure class: the class alone decides what happens next.
type Class string

// The failure classes, a closed list.
const (
	NotFoundID      Class = "not_found_id"     // the identifier does not exist: final
	NoOALocation    Class = "no_oa_location"   // every resolver misses
	NoPDFLink       Class = "no_pdf_link"      // pages, but none names a file
	Throttled       Class = "throttled"        // 429, 503 with Retry-After: about the key, never an attempt
	BudgetExhausted Class = "budget_exhausted" // daily credit used up
	Transient       Class = "transient"        // 5xx, reset, timeout, temporary DNS failure, short read
	Forbidden       Class = "forbidden"        // 401, 403
	Challenge       Class = "challenge"        // captcha or JavaScript wall; never evaded
	CookieWall      Class = "cookie_wall"      //
	LoginWall       Class = "login_wall"       //
	Paywall         Class = "paywall"          //
	RedirectLoop    Class = "redirect_loop"    // a URL twice, or more than 10 hops
	Gone            Class = "gone"             // 404, 410 on a file URL
	WrongType       Class = "wrong_type"       // HTML, zip, image where a PDF was expected
	InvalidContent  Class = "invalid_content"  // empty, cut, damaged
	WrongWork       Class = "wrong_work"       // another work's file
	TooLarge        Class = "too_large"        // over accept.max_bytes
	PolicySkipped   Class = "policy_skipped"   // licence, version, robots.txt, private address
	Config          Class = "config"           // bad e-mail, bad key, TLS roots, disk full: not the job's fault
	Crashed         Class = "crashed"          // the worker died in every attempt; same word as queue.ClassCrashed
)

// Classes lists the failure classes.
func Classes() []Class {
	return []Class{
		NotFoundID, NoOALocation, NoPDFLink, Throttled, BudgetExhausted, Transient, Forbidden, Challenge,
		CookieWall, LoginWall, Paywall, RedirectLoop, Gone, WrongType, InvalidContent, WrongWork, TooLarge,
		PolicySkipped, Config, Crashed,
	}
}

// Reply is one answer of an API, whatever its status.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte // decoded, at most 8 MiB
}

// MaxPost is how many bytes the body of a [Getter.Post] has at most.
const MaxPost = 1 << 20

// Getter makes one request to an API per call, without following redirects. Its
// error is a [*Failure]: no usable answer came.
type Getter interface {
	Get(ctx context.Context, url string, header http.Header) (Reply, error)
	// Post sends a JSON body. One of more than MaxPost bytes is not sent: the
	// failure is TooLarge.
	Post(ctx context.Context, url string, header http.Header, body []byte) (Reply, error)
}

// Failure is why a request or a source did not give what it should.
type Failure struct {
	Class      Class
	RetryAfter time.Duration // of Throttled and BudgetExhausted: as the server said; 0 if it did not
	Status     int           // HTTP status; 0 if there was none
	Broken     bool          // the exchange broke: name, connection, TLS or time, also within a body
	Err        error
}

func (f *Failure) Error() string { return f.Err.Error() }
func (f *Failure) Unwrap() error { return f.Err }

// Hop is one exchange of a fetch.
type Hop struct {
	URL    string `json:"url"`
	Status int    `json:"status,omitempty"` // 0: no answer
	Class  Class  `json:"class,omitempty"`
	Note   string `json:"note,omitempty"`
}

// Asked is one resolver's answer in the record.
type Asked struct {
	Resolver   string `json:"resolver"`
	Candidates int    `json:"candidates"`
	Class      Class  `json:"class,omitempty"`
	Note       string `json:"note,omitempty"`
	IDs        IDs    `json:"ids,omitzero"` // that nobody knew before it answered
}

// Tried is one candidate in the record.
type Tried struct {
	Candidate
	Class Class  `json:"class,omitempty"` // empty with Hops: it gave the file; empty without: not tried
	Note  string `json:"note,omitempty"`
	Hops  []Hop  `json:"hops,omitempty"`
	Kept  *File  `json:"kept,omitempty"` // a whole file that is suspected to be another work's: put aside for a human
}

// Gave reports whether the candidate gave the file. A page that was searched has a
// note on its last hop.
func (t *Tried) Gave() bool {
	if t.Class != "" || len(t.Hops) == 0 {
		return false
	}
	last := t.Hops[len(t.Hops)-1]
	return last.Class == "" && last.Note == ""
}

// File is a stored file and what is known of it.
type File struct {
	Path      string  `json:"path"` // relative to the data directory, or an object URL
	SHA256    string  `json:"sha256"`
	Bytes     int64   `json:"bytes"`
	MediaType string  `json:"media_type"`
	Verdict   string  `json:"verdict"`
	URL       string  `json:"url"` // where the bytes came from, after redirects
	Resolver  string  `json:"resolver"`
	License   string  `json:"license,omitempty"`
	Version   Version `json:"version,omitempty"`
	Pages     *int    `json:"pages"`              // of a PDF; nil: not known
	Identity  string  `json:"identity,omitempty"` // confirmed or contradicted by what the file says of itself; empty: it says nothing
	Reason    string  `json:"reason,omitempty"`   // of a verdict other than ok
}

// Missed is the result of a job that ended without a file.
type Missed struct {
	Recheck *time.Time `json:"recheck_at,omitempty"` // as in Record
}

// Record is what we know of an artifact: the story of its harvest.
type Record struct {
	ArtifactID string    `json:"artifact_id"`
	IDs        IDs       `json:"ids"`
	Title      string    `json:"title,omitempty"`
	Published  string    `json:"published,omitempty"` // as in Answer
	Asked      []Asked   `json:"asked,omitempty"`
	Tried      []Tried   `json:"tried,omitempty"`
	File       *File     `json:"file,omitempty"`
	At         time.Time `json:"at"` // when the file was stored; zero without one

	Attempts     int    `json:"attempts,omitempty"`      // that it took to get the file
	QuireVersion string `json:"quire_version,omitempty"` // of the program that stored it

	// Recheck is when it is worth looking again for a file that was not to be had;
	// nil: nothing is likely to change.
	Recheck *time.Time `json:"recheck_at,omitempty"`
}

// RecordFilter selects records. A zero field selects all.
type RecordFilter struct {
	After string // artifact ids greater than this
	Limit int
}

// Catalog remembers records. Put is idempotent. Safe for concurrent use.
type Catalog interface {
	Put(ctx context.Context, r Record) error
	// Get returns the record of an artifact, or [ErrNotFound].
	Get(ctx context.Context, artifactID string) (Record, error)
	// Records returns the records that match f in the order of their artifact ids.
	Records(ctx context.Context, f RecordFilter) ([]Record, error)
}

// Marshal encodes a record for storing beside its job.
func (r Record) Marshal() (json.RawMessage, error) { return json.Marshal(r) }

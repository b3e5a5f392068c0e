package harvest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/quire-dev/quire/internal/fetch"
	"github.com/quire-dev/quire/internal/resolver"
	"github.com/quire-dev/quire/internal/verdict"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

const (

	// maxPage is how much of a page is read: the tags we look for stand in the
	// head, and no page of the recorded ones is longer.
	maxPage = 2 << 20
)

// fetch makes one request of the fetch under way.
func (w walk) fetch(ctx context.Context, url string) queue.Outcome {
	ask := fetch.Ask{URL: url, Accept: accept(w.story.at().Kind), Cookies: w.story.At.Cookies}
	if w.part != nil && w.part.url == url {
		ask.After = w.part.mark
	}
	resp, err := w.cfg.Fetch.Do(ctx, ask)
	if err != nil {
		return w.failed(ctx, url, 0, err)
	}
	defer resp.Body.Close()
	if resp.Rest {
		w.part.desk.body.Reset(resp.Body)
		return w.file(ctx, resp)
	}
	if ask.After != nil {
		if why, sig := w.unwanted(resp); why != "" {
			return w.startOver(resp, why, sig)
		}
	}
	if resp.Redirect != "" {
		return w.follow(resp)
	}
	if fail := fetch.Classify(resp.Status, resp.Header, nil); fail != nil {
		return w.failed(ctx, url, resp.Status, fail)
	}
	return w.whole(ctx, url, resp)
}

// whole takes in an answer from its first byte.
func (w walk) whole(ctx context.Context, url string, resp *fetch.Response) queue.Outcome {
	w.part = &part{job: w.job.ID, url: url, desk: w.takeDesk(resp.Body)} // what came before is of no use any more
	defer w.done(w.part)
	head, err := w.part.desk.body.Peek(2048)
	if err != nil && !errors.Is(err, io.EOF) {
		return w.failed(ctx, url, resp.Status, err)
	}
	isPage := verdict.Sniff(head, resp.Header.Get("Content-Type")) == "text/html"
	if isPage && w.story.at().Kind != paper.HTML {
		return w.page(ctx, resp, w.part.desk.body)
	}
	if err := w.begin(ctx, resp, w.part); err != nil {
		return w.notStored(ctx, resp, err)
	}
	return w.file(ctx, resp)
}

// accept is the Accept header for a kind of candidate.
func accept(kind paper.Kind) string {
	switch kind {
	case paper.PDF:
		return "application/pdf, text/html;q=0.5, */*;q=0.1"
	case paper.XML:
		return "application/jats+xml, application/xml, text/xml, */*;q=0.1"
	case paper.Source, paper.Supplement:
		return "*/*"
	case paper.HTML, paper.Landing:
	}
	return "text/html, application/xhtml+xml, application/pdf;q=0.9, */*;q=0.1"
}

// desk is what reading one body takes. A fresh one per fetch would be most of
// its garbage.
type desk struct {
	body  *bufio.Reader
	judge verdict.Judge
}

func (h *Harvest) takeDesk(body io.Reader) *desk {
	d, ok := h.desks.Get().(*desk)
	if !ok {
		d = &desk{body: bufio.NewReaderSize(nil, 32<<10)}
	}
	d.body.Reset(body)
	return d
}

// follow ends the step at a redirect: its target may have another key.
func (w walk) follow(resp *fetch.Response) queue.Outcome {
	w.Leave()
	st, t := w.story, w.story.at()
	st.hop(paper.Hop{URL: resp.URL, Status: resp.Status})
	before := st.met(resp.Redirect, t.Kind)
	cookies := st.At.Cookies.With(resp)
	// Some hosts set a cookie and lead back to the same URL, to see it again.
	again := t.passes(resp.Redirect)
	switch {
	case again > 1, again == 1 && cookies.For(resp.Redirect) == "":
		st.fail(paper.RedirectLoop, "redirected to "+resp.Redirect+" again")
	case len(t.Hops) >= maxHops:
		st.fail(paper.RedirectLoop, fmt.Sprintf("more than %d hops", maxHops))
	case before != nil:
		class := before.Class
		if class == "" && t.Kind != paper.Landing {
			class = paper.WrongType // a page, searched already
		}
		st.fail(class, "redirected to a URL met before, on the way from "+before.URL)
	default:
		st.At.URL, st.At.Cookies, st.Refused = resp.Redirect, cookies, 0
	}
	return w.goOn(queue.Signal{Kind: queue.OK})
}

// failed decides what a failed request means. status is 0 if no answer came.
// It does not leave its key early: a refusal must reach the key before the next
// request can start there.
func (w walk) failed(ctx context.Context, url string, status int, err error) queue.Outcome {
	if ctx.Err() != nil {
		return w.handBack("", queue.Signal{})
	}
	if out, ours := w.ours(err); ours {
		return out
	}
	fail := asFailure(err)
	if fail.Status != 0 {
		status = fail.Status
	}
	sig, st := w.signal(fail), w.story
	if fail.Class == paper.Throttled {
		st.Refused++
		if fail.RetryAfter <= longGate && st.Refused <= maxRefusals {
			w.keep()
			return w.handBack(string(fail.Class), sig)
		}
	}
	if w.resumable(fail) {
		return w.resume(status, fail, sig)
	}
	t := st.at()
	class := fail.Class
	if class == paper.Gone && t.Source == "landing" && t.Kind == paper.Landing && len(t.Hops) == 0 && st.Artifact.IDs.DOI != "" {
		class = paper.NotFoundID // doi.org itself does not know the DOI
	}
	if st.reread(class, fail.Error()) {
		return w.goOn(sig)
	}
	st.hop(paper.Hop{URL: url, Status: status, Class: class})
	w.evidence.note(st.Artifact, t.Candidate, class)
	st.fail(class, fail.Error())
	return w.goOn(sig)
}

// page searches a page for the file, once, wherever the page was met.
func (w walk) page(ctx context.Context, resp *fetch.Response, body io.Reader) queue.Outcome {
	page, err := io.ReadAll(io.LimitReader(body, maxPage))
	if err != nil {
		return w.failed(ctx, resp.URL, resp.Status, err)
	}
	st, t := w.story, w.story.at()
	land := resolver.ParseLanding(page, resp.URL, resp.Header)
	class, note := named(land, st.Artifact.Wants())
	sig := w.served(class)
	switch {
	case class == "" && t.Depth >= maxDepth:
		class, note = paper.WrongType, "a page where a file was expected"
	case class == "":
		for i := range land.Candidates {
			c := &land.Candidates[i]
			c.Source = t.Source
			c.License, c.Version = or(c.License, land.License, t.License), or(c.Version, t.Version)
		}
		if st.Title == "" {
			st.Title = clip(land.Title, maxTitle)
		}
		added := st.add(land.Candidates, t.Depth+1)
		class, note = paper.WrongType, fmt.Sprintf("a page; files it names: %d, new among them: %d", len(land.Candidates), added)
		if t.Kind == paper.Landing {
			class = ""
		}
	case class == paper.NoPDFLink && t.Kind != paper.Landing:
		class = paper.WrongType
	}
	st.hop(paper.Hop{URL: resp.URL, Status: resp.Status, Class: class, Note: note})
	if class != "" {
		w.evidence.note(st.Artifact, t.Candidate, class)
	}
	st.fail(class, note)
	return w.goOn(sig)
}

// named says why a page names no file of a format, and the sign of it; the class is
// empty if it names one.
func named(land resolver.Landing, format paper.Kind) (class paper.Class, note string) {
	switch {
	case format == paper.PDF, land.Class != "" && land.Class != paper.NoPDFLink && land.Class != paper.Paywall:
		return land.Class, land.Note
	case slices.ContainsFunc(land.Candidates, func(c paper.Candidate) bool { return c.Kind == format }):
		return "", land.Note
	default:
		return paper.NoPDFLink, "names no " + string(format)
	}
}

func or[T ~string](all ...T) T {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}

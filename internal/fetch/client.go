package fetch

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/quire-dev/quire/paper"
)

const (
	maxReply = 8 << 20         // decoded bytes of an API's answer
	apiTotal = 2 * time.Minute // an API that takes longer is not answering
)

var _ paper.Getter = (*Client)(nil)

// Response is a server's answer, whatever its status: see [Classify].
type Response struct {
	Status   int
	Header   http.Header
	URL      string // as requested, in canonical form
	Redirect string // where a 3xx points: absolute, canonical, allowed by CheckURL; else empty
	Length   int64  // of the body as sent; -1 if the server did not say

	// Rest says that Body is what was missing after Ask.After, and nothing else:
	// 206 with the same validator and the right range, or 416 if nothing was missing.
	Rest bool

	// Body is the decoded body, never nil; the caller closes it. An error of Read
	// is a [*paper.Failure]: TooLarge over Config.MaxBytes; Transient for a stall, a
	// reset, or fewer bytes than Content-Length; InvalidContent for a damaged coding
	// or a rest with more bytes than its range.
	Body io.ReadCloser

	from *Mark // of its first byte; nil if it can't be resumed
}

// Ask is what is wanted of [Client.Do].
type Ask struct {
	URL    string
	Accept string // header; empty: anything

	Cookies Cookies // that earlier answers on this way have set

	// After asks for the rest of a file that broke off. What comes may still be the
	// whole, or something else: see Response.Rest.
	After *Mark
}

// Open makes one GET request for a file or a page. Empty accept means anything.
// Its error is that of [Client.Do].
func (c *Client) Open(ctx context.Context, url, accept string) (*Response, error) {
	return c.Do(ctx, Ask{URL: url, Accept: accept})
}

// Do makes one GET request for a file, a page or the rest of a file. The error is a
// [*paper.Failure]: as of [Classify] for a failed exchange, of [Client.CheckURL] for
// a URL or redirect target that may not be requested, Gone for a Location that is no
// URL. It wraps ctx's error if that is the reason.
func (c *Client) Do(ctx context.Context, ask Ask) (*Response, error) {
	header := http.Header{"Accept": {cmp.Or(ask.Accept, "*/*")}, "Accept-Encoding": {"identity"}}
	lim := limits{c.timeouts.Total, c.maxBytes}
	if cookie := ask.Cookies.For(ask.URL); cookie != "" {
		header.Set("Cookie", cookie)
	}
	if ask.After != nil {
		ask.After.ask(header)
		lim.bytes = max(0, lim.bytes-ask.After.Have)
	}
	return c.exchange(ctx, call{http.MethodGet, ask.URL, header, nil, ask.After}, lim)
}

// Get makes one GET request to an API and reads the answer, gzipped or not, at
// most 8 MiB. A redirect is an answer like any other. header may hold the API's
// own credentials; they go nowhere else.
func (c *Client) Get(ctx context.Context, url string, header http.Header) (paper.Reply, error) {
	return c.api(ctx, call{http.MethodGet, url, header, nil, nil})
}

// Post makes one POST request with a JSON body to an API and is otherwise as
// Get. A body over [paper.MaxPost] is refused as TooLarge and not sent.
func (c *Client) Post(ctx context.Context, url string, header http.Header, body []byte) (paper.Reply, error) {
	if len(body) > paper.MaxPost {
		return paper.Reply{}, &paper.Failure{
			Class: paper.TooLarge, Err: fmt.Errorf("post %d bytes: %w: at most %d", len(body), errTooLarge, paper.MaxPost),
		}
	}
	return c.api(ctx, call{http.MethodPost, url, header, body, nil})
}

// call is one request to be made.
type call struct {
	method, url string
	header      http.Header
	body        []byte // of a POST
	after       *Mark  // nil: the whole is asked for
}

func (c *Client) api(ctx context.Context, ask call) (paper.Reply, error) {
	sent := http.Header{"Accept": {"*/*"}, "Accept-Encoding": {"gzip"}}
	if ask.method == http.MethodPost {
		sent.Set("Content-Type", "application/json")
	}
	for name, values := range ask.header {
		sent[http.CanonicalHeaderKey(name)] = values
	}
	ask.header = sent
	resp, err := c.exchange(ctx, ask, limits{min(c.timeouts.Total, apiTotal), maxReply})
	if err != nil {
		return paper.Reply{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if failure := new(paper.Failure); errors.As(err, &failure) {
		if failure.Class == paper.TooLarge { // of an answer this means nonsense, not a policy
			failure = &paper.Failure{Class: paper.InvalidContent, Status: resp.Status, Err: failure.Err}
		}
		return paper.Reply{}, failure
	}
	return paper.Reply{Status: resp.Status, Header: resp.Header, Body: body}, nil
}

// limits bound one exchange.
type limits struct {
	total time.Duration
	bytes int64 // of the decoded body
}

func (c *Client) exchange(ctx context.Context, ask call, lim limits) (*Response, error) {
	u, err := c.parse(ask.url)
	if err != nil {
		return nil, refusal(0, err)
	}
	ask.header["User-Agent"] = c.agent
	ask.header["From"] = c.from
	ctx, w := startWatch(ctx, lim.total)
	request := &http.Request{
		Method: ask.method, URL: u, Host: u.Host, Header: ask.header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	if ask.body != nil {
		request.ContentLength = int64(len(ask.body))
		request.Body = io.NopCloser(bytes.NewReader(ask.body))
		request.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(ask.body)), nil }
	}
	c.requests.Add(1)
	// The transport rather than an http.Client, which would follow redirects,
	// keep cookies and make a Referer and an Authorization of what it finds.
	resp, err := c.transport.RoundTrip(request.WithContext(ctx)) //nolint:bodyclose // the Response carries it on
	if err != nil {
		err = w.reason(err)
		w.stop()
		return nil, c.failure(request, 0, err)
	}
	listener(ctx).hear(u.Hostname(), resp.Header)
	return c.response(request, resp, w, lim, ask.after)
}

func (c *Client) response(request *http.Request, resp *http.Response, w *watch, lim limits, after *Mark) (*Response, error) {
	u := request.URL
	raw := &body{
		from: resp.Body, watch: w, idle: c.timeouts.Idle, size: resp.ContentLength, left: lim.bytes,
		fail: func(err error) error { return c.failure(request, resp.StatusCode, err) },
	}
	out := &Response{
		Status: resp.StatusCode, Header: resp.Header, URL: u.String(), Length: resp.ContentLength,
		Body: decode(raw, resp.Header.Get("Content-Encoding"), lim.bytes),
	}
	if out.Body == raw { // else what has come can't be counted in bytes as sent
		out.from = origin(resp.StatusCode, resp.Header, resp.ContentLength)
	}
	if after != nil {
		var n int64
		if n, out.Rest = after.rest(resp.StatusCode, resp.Header); out.Rest {
			out.from = after
			raw.keepTo(n)
		}
	}
	if location := resp.Header.Get("Location"); location != "" && redirects(resp.StatusCode) {
		target, err := c.redirect(u, location)
		if err != nil {
			raw.Close()
			return nil, refusal(resp.StatusCode, fmt.Errorf("get %s: redirect: %w", place(u), err))
		}
		out.Redirect = target
	}
	return out, nil
}

// redirect returns where location points from base, without the user name that
// some targets carry.
func (c *Client) redirect(base *url.URL, location string) (string, error) {
	if len(location) > maxURL {
		return "", fmt.Errorf("%w: %d bytes long, at most %d", errMalformed, len(location), maxURL)
	}
	target, err := base.Parse(strings.ReplaceAll(location, " ", "%20"))
	if err != nil {
		return "", errMalformed
	}
	target.User = nil
	if target, err = c.parse(target.String()); err != nil {
		return "", err
	}
	return target.String(), nil
}

// redirects tells the statuses whose Location is to be requested instead
// (RFC 9110 section 15.4).
func redirects(status int) bool {
	switch status {
	case http.StatusMultipleChoices, http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

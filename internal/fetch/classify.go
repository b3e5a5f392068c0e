package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/quire-dev/quire/paper"
)

// Classify says what came of an exchange for a file or a page, nil if it may have
// given what was asked for: status 200 or 203. A Response with a Redirect is to be
// followed instead, and one with Rest is none of its business. If err is not nil it
// alone decides.
//
// Of statuses: 401, 403, 407, 451 and those from 600 up are Forbidden, 402 a
// Paywall, 406 WrongType, 408 and 425 Transient, 429 and 420 Throttled, other 4xx
// Gone. A 503 is Throttled with a usable Retry-After, else Transient like all 5xx
// and like 202, whose answer is yet to be made. A 3xx that leads nowhere is Gone,
// any other 2xx InvalidContent, a 206 that nobody asked for too. A WAF's challenge header beats them all.
//
// Of errors: a name that does not exist is Gone. A certificate that cannot be
// trusted is Forbidden: it is the host's fault, will not mend within a retry, and
// the next candidate may do; so is what a proxy refuses with less than 500. Lack of
// file descriptors and of any trust root is Config, as every host would fail the
// same way, and so is a proxy that wants a password. All other faults of the network,
// timeouts and the end of the caller's context are Transient. What is the fault
// of the host or of the way to it is marked as Broken, whatever its class.
func Classify(status int, h http.Header, err error) *paper.Failure {
	if err != nil {
		return classifyError(status, err)
	}
	class := classOfStatus(status, h)
	if class == "" {
		return nil
	}
	f := &paper.Failure{Class: class, Status: status, Err: fmt.Errorf("status %d", status)}
	if class == paper.Throttled {
		f.RetryAfter, _ = RetryAfter(h, time.Now())
	}
	return f
}

func classOfStatus(status int, h http.Header) paper.Class {
	if challenged(h) {
		return paper.Challenge
	}
	switch status {
	case http.StatusOK, http.StatusNonAuthoritativeInfo:
		return ""
	case http.StatusAccepted, http.StatusRequestTimeout, http.StatusTooEarly:
		return paper.Transient
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired, http.StatusUnavailableForLegalReasons:
		return paper.Forbidden
	case http.StatusPaymentRequired:
		return paper.Paywall
	case http.StatusNotAcceptable:
		return paper.WrongType
	case http.StatusTooManyRequests, 420: // 420: "enhance your calm", once Twitter's
		return paper.Throttled
	case http.StatusServiceUnavailable:
		if _, ok := RetryAfter(h, time.Now()); ok {
			return paper.Throttled
		}
	}
	switch {
	case status >= 600: // such as LinkedIn's 999, "request denied"
		return paper.Forbidden
	case status >= 500:
		return paper.Transient
	case status >= 300:
		return paper.Gone
	default:
		return paper.InvalidContent
	}
}

// challenged tells the headers of Cloudflare
// (developers.cloudflare.com/cloudflare-challenges) and of AWS WAF
// (docs.aws.amazon.com/waf, "x-amzn-waf-action") that mean: solve this first.
func challenged(h http.Header) bool {
	return h.Get("Cf-Mitigated") == "challenge" || h.Get("X-Amzn-Waf-Action") != ""
}

func classifyError(status int, err error) *paper.Failure {
	known := new(paper.Failure)
	if errors.As(err, &known) {
		return known
	}
	f := &paper.Failure{Class: classOfError(err), Status: status, Err: err}
	switch f.Class {
	case paper.Transient, paper.Forbidden, paper.Gone:
		f.Broken = true
	default: // our own rules, our own fault, or a body that came as it was sent
	}
	return f
}

func classOfError(err error) paper.Class {
	var (
		lookup *net.DNSError
		trust  *tls.CertificateVerificationError
		roots  x509.SystemRootsError
		proxy  *proxyError
	)
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return paper.Transient
	case errors.Is(err, errPolicy):
		return paper.PolicySkipped
	case errors.Is(err, errTooLarge):
		return paper.TooLarge
	case errors.Is(err, errCoding):
		return paper.InvalidContent
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE), errors.As(err, &roots):
		return paper.Config
	case errors.As(err, &proxy) && proxy.status == http.StatusProxyAuthRequired:
		return paper.Config
	case errors.As(err, &proxy) && proxy.status < 500:
		return paper.Forbidden
	case errors.As(err, &trust):
		return paper.Forbidden
	case errors.As(err, &lookup) && lookup.IsNotFound:
		return paper.Gone
	default:
		return paper.Transient
	}
}

// failure is what an exchange ended in.
func (c *Client) failure(request *http.Request, status int, err error) *paper.Failure {
	f := Classify(status, nil, fmt.Errorf("%s %s: %w", strings.ToLower(request.Method), place(request.URL), clip(err)))
	var unknown x509.UnknownAuthorityError
	if c.rootless && errors.As(err, &unknown) {
		f.Class, f.Broken = paper.Config, false
		f.Err = fmt.Errorf("%w: this system has no TLS trust roots; install its CA certificates or name a CA file", f.Err)
	}
	return f
}

// place names u for messages: without its query, which may hold a key, and short.
func place(u *url.URL) string {
	return fmt.Sprintf("%s://%s%.100s", u.Scheme, u.Host, u.EscapedPath())
}

// clip bounds what a server can put into our messages.
func clip(err error) error { return clipped{err} }

type clipped struct{ error }

func (c clipped) Unwrap() error { return c.error }

func (c clipped) Error() string {
	text := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, c.error.Error())
	if len(text) > 300 {
		text = strings.ToValidUTF8(text[:300], "") + "…"
	}
	return text
}

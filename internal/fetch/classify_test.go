package fetch_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/quire-dev/quire/internal/fetch"
	"github.com/quire-dev/quire/paper"
)

func TestClassify_status(t *testing.T) {
	tests := []struct {
		status int
		header http.Header
		want   paper.Class
	}{
		{200, nil, ""},
		{203, nil, ""},
		{202, nil, paper.Transient},
		{202, http.Header{"X-Amzn-Waf-Action": {"challenge"}}, paper.Challenge},
		{204, nil, paper.InvalidContent},
		{206, http.Header{"Content-Range": {"bytes 0-99/100"}}, paper.InvalidContent},
		{206, http.Header{"Content-Range": {"bytes 0-49/100"}}, paper.InvalidContent},
		{206, http.Header{"Content-Range": {"bytes 50-99/100"}}, paper.InvalidContent},
		{206, nil, paper.InvalidContent},
		{300, nil, paper.Gone},
		{302, nil, paper.Gone},
		{304, nil, paper.Gone},
		{400, nil, paper.Gone},
		{401, nil, paper.Forbidden},
		{402, nil, paper.Paywall},
		{403, nil, paper.Forbidden},
		{403, http.Header{"Cf-Mitigated": {"challenge"}}, paper.Challenge},
		{404, nil, paper.Gone},
		{406, nil, paper.WrongType},
		{408, nil, paper.Transient},
		{410, nil, paper.Gone},
		{425, nil, paper.Transient},
		{429, nil, paper.Throttled},
		{451, nil, paper.Forbidden},
		{500, nil, paper.Transient},
		{502, nil, paper.Transient},
		{503, nil, paper.Transient},
		{503, http.Header{"Retry-After": {"60"}}, paper.Throttled},
		{503, http.Header{"Retry-After": {"0"}}, paper.Transient},
		{503, http.Header{"Retry-After": {"60"}, "Cf-Mitigated": {"challenge"}}, paper.Challenge},
		{520, nil, paper.Transient},
		{999, nil, paper.Forbidden},
		{0, nil, paper.InvalidContent},
		{101, nil, paper.InvalidContent},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.status, tt.header), func(t *testing.T) {
			f := fetch.Classify(tt.status, tt.header, nil)
			if tt.want == "" {
				if f != nil {
					t.Errorf("got %v, want nil", f.Class)
				}
				return
			}
			if f == nil || f.Class != tt.want || f.Status != tt.status || f.Broken {
				t.Errorf("got %+v, want class %v of a whole exchange", f, tt.want)
			}
		})
	}
}

func TestClassify_retryAfter(t *testing.T) {
	for _, status := range []int{429, 503} {
		f := fetch.Classify(status, http.Header{"Retry-After": {"7200"}}, nil)
		if f.RetryAfter != 2*time.Hour {
			t.Errorf("%d: RetryAfter %v, want 2h", status, f.RetryAfter)
		}
	}
	// Zenodo sends the header with every answer, as part of its limits.
	if f := fetch.Classify(200, http.Header{"Retry-After": {"60"}}, nil); f != nil {
		t.Errorf("200 with Retry-After: %v, want nil", f.Class)
	}
}

func TestClassify_error(t *testing.T) {
	untrusted := func(err error) error {
		return fmt.Errorf("handshake: %w", &tls.CertificateVerificationError{Err: err})
	}
	tests := map[string]struct {
		err  error
		want paper.Class
	}{
		"no such name":      {&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", IsNotFound: true}}, paper.Gone},
		"DNS server fails":  {&net.DNSError{Err: "server misbehaving", IsTemporary: true}, paper.Transient},
		"DNS timeout":       {&net.DNSError{Err: "i/o timeout", IsTimeout: true}, paper.Transient},
		"refused":           {syscall.ECONNREFUSED, paper.Transient},
		"reset":             {syscall.ECONNRESET, paper.Transient},
		"no route":          {syscall.ENETUNREACH, paper.Transient},
		"out of files":      {&net.OpError{Op: "dial", Err: syscall.EMFILE}, paper.Config},
		"no system roots":   {untrusted(x509.SystemRootsError{}), paper.Config},
		"unknown authority": {untrusted(x509.UnknownAuthorityError{}), paper.Forbidden},
		"wrong host":        {untrusted(x509.HostnameError{Certificate: &x509.Certificate{}}), paper.Forbidden},
		"expired":           {untrusted(x509.CertificateInvalidError{Reason: x509.Expired}), paper.Forbidden},
		"cancelled":         {fmt.Errorf("get: %w", context.Canceled), paper.Transient},
		"deadline":          {context.DeadlineExceeded, paper.Transient},
		"anything else":     {errors.New("malformed HTTP response"), paper.Transient},
		"known already":     {&paper.Failure{Class: paper.TooLarge, Err: errors.New("x")}, paper.TooLarge},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := fetch.Classify(0, nil, tt.err)
			if f == nil || f.Class != tt.want {
				t.Fatalf("got %+v, want class %v", f, tt.want)
			}
			broken := tt.want == paper.Gone || tt.want == paper.Forbidden || tt.want == paper.Transient
			if f.Broken != broken {
				t.Errorf("broken: %v, want %v", f.Broken, broken)
			}
			if !errors.Is(f, tt.err) {
				t.Errorf("%v does not wrap %v", f, tt.err)
			}
		})
	}
}

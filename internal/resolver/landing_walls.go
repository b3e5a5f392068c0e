package resolver

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"

	"github.com/quire-dev/quire/paper"
)

// sign is how a page shows that it is a wall and no article. All texts are in
// lower case.
type sign struct {
	class paper.Class
	note  string
	title string // the title begins so
	body  string // the page holds this
	url   string // the path or host of the final URL holds this
	small int    // only in pages of at most this many bytes that cite no work; 0: any
}

// signs are of recorded pages and of what the products put into every wall they
// build. What also stands on pages that are let through (a captcha in a comment
// form, Cloudflare's jsd script) is not here.
var signs = []sign{ //nolint:gochecknoglobals // a table, never written
	{class: paper.Challenge, note: "Cloudflare challenge", body: "_cf_chl_opt"},
	{class: paper.Challenge, note: "Cloudflare challenge", body: "jschl_vc"},
	{class: paper.Challenge, note: "Cloudflare challenge", body: "cf-browser-verification"},
	{class: paper.Challenge, note: "Cloudflare challenge", title: "just a moment..."},
	{class: paper.Challenge, note: "Cloudflare captcha", title: "attention required! | cloudflare"},
	{class: paper.Challenge, note: "Cloudflare captcha", body: "cf-captcha-container"},
	{class: paper.Challenge, note: "Cloudflare refusal", body: "cf-error-details", small: 32 << 10},
	{class: paper.Challenge, note: "Sucuri challenge", body: "sucuri_cloudproxy_js"},
	{class: paper.Challenge, note: "Sucuri refusal", title: "sucuri website firewall"},
	{class: paper.Challenge, note: "AWS WAF challenge", body: "awswafcookiedomainlist"},
	{class: paper.Challenge, note: "AWS WAF challenge", body: "window.gokuprops"},
	{class: paper.Challenge, note: "Imperva challenge", body: "_incapsula_resource", small: 8 << 10},
	{class: paper.Challenge, note: "Imperva challenge", title: "pardon our interruption"},
	{class: paper.Challenge, note: "PerimeterX captcha", body: `id="px-captcha"`},
	{class: paper.Challenge, note: "DataDome captcha", body: "captcha-delivery.com", small: 16 << 10},
	{class: paper.Challenge, note: "Radware captcha", title: "radware bot manager captcha"},
	{class: paper.Challenge, note: "DDoS-Guard challenge", title: "ddos-guard"},
	{class: paper.Challenge, note: "Anubis challenge", body: `id="anubis_challenge"`},
	{class: paper.Challenge, note: "arXiv noticed automated access", title: "arxiv.org - automated access detected"},
	{class: paper.Challenge, note: "preparing page", title: "preparing to download", small: 8 << 10},
	{class: paper.Challenge, note: "browser check", title: "checking your browser"},
	{class: paper.Challenge, note: "redirect by script", title: "you are being redirected...", small: 8 << 10},
	{class: paper.Challenge, note: "robot check", title: "are you a robot", small: 64 << 10},
	{class: paper.Challenge, note: "robot check", title: "robot check", small: 64 << 10},
	{class: paper.Challenge, note: "robot check", title: "human verification", small: 64 << 10},
	{class: paper.Challenge, note: "robot check", title: "verify you are human", small: 64 << 10},
	{class: paper.Challenge, note: "robot check", title: "client challenge", small: 64 << 10},
	{class: paper.Challenge, note: "access denied", title: "access denied", small: 32 << 10},
	{class: paper.Challenge, note: "access denied", title: "403 forbidden", small: 32 << 10},
	{class: paper.NotFoundID, note: "doi.org does not know the DOI", title: "error: doi not found"},
	{class: paper.CookieWall, note: "asks for cookies", url: "/cookieabsent"},
	{class: paper.CookieWall, note: "asks for cookies", url: "/cookies-not-supported"},
	{class: paper.CookieWall, note: "asks for cookies", title: "cookies required", small: 64 << 10},
	{class: paper.LoginWall, note: "sign-in page", url: "/shibboleth.sso/"},
	{class: paper.LoginWall, note: "sign-in page", url: "/idp/profile/saml2/"},
	{class: paper.LoginWall, note: "sign-in page", url: "/action/showlogin"},
	{class: paper.LoginWall, note: "sign-in page", url: "/action/ssostart"},
	{class: paper.LoginWall, note: "sign-in page", url: "//idp.springer.com/"},
	{class: paper.Paywall, note: "shop page", url: "/action/showbasket"},
}

// recognise returns the first sign that a page bears.
func recognise(page []byte, doc document, base string, header http.Header) (sign, bool) {
	if strings.EqualFold(header.Get("Cf-Mitigated"), "challenge") || header.Get("X-Amzn-Waf-Action") != "" {
		return sign{class: paper.Challenge, note: "the response says that it is a challenge"}, true
	}
	title, body, where := strings.ToLower(doc.title), bytes.ToLower(page), ""
	cites := doc.firstMeta("citation_title", "citation_doi", "citation_pdf_url") != ""
	if u, err := url.Parse(base); err == nil {
		where = strings.ToLower("//" + u.Host + u.EscapedPath())
	}
	for _, s := range signs {
		if s.small > 0 && (cites || len(page) > s.small) {
			continue
		}
		if s.title != "" && strings.HasPrefix(title, s.title) ||
			s.body != "" && bytes.Contains(body, []byte(s.body)) ||
			s.url != "" && strings.Contains(where, s.url) {
			return s, true
		}
	}
	return sign{}, false
}

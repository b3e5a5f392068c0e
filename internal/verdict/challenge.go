package verdict

import "bytes"

// Challenge returns the sign by which an HTML page is known to be a captcha, a
// JavaScript wall or a robot block instead of what was asked for, or "". Give it
// the first 16 KiB of the page.
//
// A sign must not occur on ordinary pages of guarded sites. Those carry
// "captcha" in their forms, and Cloudflare and Imperva put their scripts into
// all of them; so neither word is a sign.
func Challenge(page []byte) (sign string) {
	signs := []string{
		// Cloudflare
		"<title>just a moment...", "cf-browser-verification", "jschl_vc", "jschl-answer", "_cf_chl_opt",
		"orchestrate/chl", "attention required! | cloudflare", "used cloudflare to restrict access",
		// Sucuri, Imperva, DataDome, HUMAN, Radware, AWS, Fastly
		"sucuri_cloudproxy_js", "incapsula incident id", "pardon our interruption", "captcha-delivery.com",
		"px-captcha", "radware bot manager captcha", "awswafintegration", "<title>client challenge",
		// Anubis, which guards many repositories; PubMed Central's proof of work
		"making sure you&#39;re not a bot", "making sure you're not a bot", "cloudpmc-viewer-pow",
		// arXiv, ScienceDirect and home-made ones
		"automated access detected", "are you a robot?", "verify you are human", "verify that you are human",
		"checking your browser before accessing", "unusual traffic from your",
	}
	page = bytes.ToLower(page)
	for _, s := range signs {
		if bytes.Contains(page, []byte(s)) {
			return s
		}
	}
	return ""
}

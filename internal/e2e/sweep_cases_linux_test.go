package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/quire-dev/quire/internal/testweb"
)

// hostiles are the cases of section D.
func hostiles() []hostile {
	var all []hostile
	for _, list := range [][]hostile{slowAndLong(), framing(), contents(), ranges(), redirects(), statuses(), certificates(), robotsFiles(), resolvers()} {
		all = append(all, list...)
	}
	return all
}

func slowAndLong() []hostile {
	return []hostile{
		{name: "95 slow-loris headers", fate: none, serve: is(testweb.Drip(ok+strings.Repeat("X: y\r\n", 1000), 20*time.Millisecond))},
		{name: "95 silence", fate: none, serve: on(testweb.Hang())},
		{name: "95 slow body", fate: none, serve: on(testweb.Without("Etag"), testweb.Slow(400))},
		{name: "95 stall", fate: none, serve: on(testweb.Stall(3000))},
		{name: "95 stall, once", fate: either, serve: on(once(testweb.Stall(30_000)))},
		{name: "96 endless body", fate: none, serve: is(testweb.Endless("application/pdf", "%PDF-1.7\n"))},
		{name: "96 ten terabytes declared", fate: none, serve: on(testweb.WrongLength(10 << 40))},
		{name: "97 gzip bomb", fate: none, serve: is(testweb.GzipBomb("application/pdf", 256<<20))},
		{name: "97 coded twice", fate: none, serve: on(with("Content-Encoding", "gzip, gzip"), testweb.Gzip(true))},
		{name: "97 lying coding", fate: none, serve: on(testweb.GzipLie())},
		{name: "97 another coding", fate: none, serve: on(with("Content-Encoding", "br"))},
		{name: "97 cut gzip", fate: none, serve: on(testweb.Truncate(500), testweb.Gzip(true))},
		{name: "97 gzip", fate: stored, serve: on(testweb.Gzip(true))},
		{name: "97 bad CRC", fate: none, serve: on(testweb.Rewrite(func(_ *http.Request, a *testweb.Answer) { a.Body[len(a.Body)-6] ^= 1 }), testweb.Gzip(true))},
	}
}

func framing() []hostile {
	return []hostile{
		{name: "98 length too long", fate: none, serve: on(testweb.WrongLength(10))},
		{name: "98 length too short", fate: none, serve: on(testweb.WrongLength(-4000))},
		{name: "98 a response behind the response", fate: stored, serve: text(ok + "Content-Length: {n}\r\n\r\n{file}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL")},
		{name: "99 cut in a chunk", fate: none, serve: is(testweb.Cut("application/pdf", 700))},
		{name: "99 both lengths", fate: either, serve: text(ok + "Content-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n%PDF-\r\n0\r\n\r\n")},
		{name: "99 conflicting lengths", fate: none, serve: text(ok + "Content-Length: 5\r\nContent-Length: {n}\r\n\r\n{file}")},
		{name: "99 negative length", fate: none, serve: text(ok + "Content-Length: -5\r\n\r\n{file}")},
		{name: "99 overflowing length", fate: none, serve: text(ok + "Content-Length: 99999999999999999999\r\n\r\n{file}")},
		{name: "99 bad chunk size", fate: none, serve: text(ok + "Transfer-Encoding: chunked\r\n\r\nzz\r\n{file}\r\n0\r\n\r\n")},
		{name: "99 huge chunk size", fate: none, serve: text(ok + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{file}\r\n0\r\n\r\n")},
		{name: "100 reset", fate: none, serve: on(testweb.Reset())},
		{name: "100 reset, once", fate: stored, serve: on(once(testweb.Reset()))},
		{name: "100 reset in the body", fate: either, serve: on(testweb.ResetAfter(30_000))},
		{name: "100 reset in the body, once", fate: stored, serve: on(once(testweb.ResetAfter(30_000)))},
		{name: "101 no HTTP", fate: none, serve: is(testweb.Raw("SSH-2.0-OpenSSH_9.2\x1b[31m\r\n\r\n"))},
		{name: "101 no HTTP, long", fate: none, serve: is(testweb.Raw(strings.Repeat("\x00\x1b]0;x\x07", 100_000)))},
		{name: "102 some 1xx", fate: stored, serve: on(testweb.Hints(5))},
		{name: "102 1xx storm", fate: either, serve: on(testweb.Hints(20_000))},
		{name: "103 header bomb", fate: none, serve: is(testweb.HeaderBomb(2000))},
		{name: "103 trailers", fate: stored, serve: trailers},
		{name: "103 cookie flood", fate: stored, serve: on(with("Set-Cookie", times(500, func(i int) string { return fmt.Sprintf("c%d=%s", i, strings.Repeat("x", 60)) })...))},
		{name: "103 cookie wall", fate: stored, serve: on(testweb.CookieWall())},
		{name: "115 slow but fine", fate: stored, serve: on(testweb.Slow(50_000))},
		{name: "115 open after the body", fate: stored, serve: afterwards},
	}
}

func contents() []hostile {
	page := func(body string) func([]byte) http.Handler { return is(testweb.Page(http.StatusOK, "A journal", body)) }
	return []hostile{
		{name: "105 content lies", fate: stored, serve: on(testweb.Labelled("text/html"))},
		{name: "105 a page as a PDF", fate: none, serve: func([]byte) http.Handler { return testweb.Labelled("application/pdf")(testweb.SoftNotFound()) }},
		{name: "105 soft 404", fate: none, serve: is(testweb.SoftNotFound())},
		{name: "105 captcha", fate: none, serve: is(testweb.Captcha())},
		{name: "105 challenge", fate: none, serve: is(testweb.Challenge())},
		{name: "105 empty", fate: none, serve: is(testweb.File("application/pdf", nil))},
		{name: "105 204", fate: none, serve: on(testweb.Fail(http.StatusNoContent))},
		{name: "105 UTF-16", fate: none, serve: is(testweb.Text("application/pdf", "\xff\xfe%\x00P\x00D\x00F\x00-\x001\x00.\x007\x00"))},
		{name: "105 half a file", fate: none, serve: func(file []byte) http.Handler { return testweb.File("application/pdf", file[:len(file)/2]) }},
		{name: "107 Content-Disposition leads out", fate: stored, serve: on(with("Content-Disposition", `attachment; filename="../../../etc/passwd"; filename*=UTF-8''..%2f..%2fx`))},
		{name: "107 Content-Disposition, 50 kB", fate: stored, serve: on(with("Content-Disposition", "attachment; filename="+strings.Repeat("x", 50_000)))},
		{name: "109 meta refresh to a private address", fate: none, serve: page(`<meta http-equiv="refresh" content="0; url=` + meta + `">`)},
		{name: "113 lying Content-Range", fate: stored, serve: on(with("Content-Range", "bytes 0-9/10"))},
		{name: "113 two types", fate: either, serve: on(with("Content-Type", "text/html", "application/pdf"))},
		{name: "114 HEAD lies", fate: stored, serve: liar},
		{name: "116 Alt-Svc, Link and Refresh", fate: stored, serve: on(with("Alt-Svc", `h2="10.0.0.1:443"`), with("Link", "<"+private+">; rel=preload"), with("Refresh", "0; url="+private))},
		{name: "117 hostile links", fate: none, serve: page(fmt.Sprintf(`<meta name="citation_pdf_url" content="%s"><a href="%s">PDF</a><a href="javascript:alert(1)">PDF</a><a href="file:///etc/passwd">PDF</a>`, private, meta))},
		{name: "117 pages without end", fate: none, serve: is(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			testweb.Landing("A case", "10.5555/case", r.URL.Path+"x").ServeHTTP(rw, r)
		}))},
		{name: "118 control characters", fate: none, serve: text("HTTP/1.1 404 \x1b[31mred\x07\r\nContent-Length: 0\r\n\r\n")},
		{name: "118 script in a title", fate: none, serve: is(testweb.Page(200, "\x1b]0;pwned\x07<script>alert(1)</script>", "\x1b[2J"))},
	}
}

func ranges() []hostile {
	cut := once(testweb.Truncate(30_000))
	return []hostile{
		{name: "106 cut, then the rest", fate: stored, serve: on(cut)},
		{name: "106 unasked 206", fate: none, serve: on(testweb.Unasked(30_000))},
		{name: "106 ignored Range", fate: stored, serve: on(cut, testweb.IgnoreRange())},
		{name: "106 changed ETag", fate: stored, serve: on(cut, testweb.PartTag(`"other"`))},
		{name: "106 wrong offset", fate: stored, serve: on(cut, testweb.LyingRange("bytes 29999-59999/60000"))},
		{name: "106 416", fate: stored, serve: on(cut, testweb.OnRange(testweb.Fail(416)))},
		{name: "106 416 on a complete file", fate: stored, serve: on(once(testweb.Unended()))},
		{name: "106 multipart", fate: stored, serve: on(cut, testweb.PartMultipart())},
		{name: "106 weak ETag", fate: either, serve: on(cut, with("Etag", `W/"a"`))},
		{name: "106 wrong bytes", fate: either, serve: on(cut, testweb.FromTheStart())},
	}
}

func redirects() []hostile {
	return []hostile{
		{name: "104 CRLF in Location", fate: none, serve: to("/b%0d%0aX-Injected:%20yes")},
		{name: "104 bare CR in Location", fate: none, serve: text("HTTP/1.1 302 Found\r\nLocation: /b\rX-Injected: 1\r\nContent-Length: 0\r\n\r\n")},
		{name: "108 to itself", fate: none, serve: to("/a.pdf")},
		{name: "108 for ever", fate: none, serve: is(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			testweb.Redirect(302, r.URL.Path+"x").ServeHTTP(rw, r)
		}))},
		{name: "108 bad Location", fate: none, serve: to("https://%zz/")},
		{name: "108 Location of 50 kB", fate: none, serve: to("/" + strings.Repeat("x", 50_000))},
		{name: "109 to a file", fate: none, serve: to("file:///etc/passwd")},
		{name: "109 to ftp", fate: none, serve: to("ftp://ftp.example.org/a.pdf")},
		{name: "109 to a private address", fate: none, serve: to(private)},
		{name: "109 to loopback", fate: none, serve: to("http://127.0.0.1/a.pdf")},
		{name: "109 to the metadata service", fate: none, serve: to(meta)},
		{name: "109 to a private name", fate: none, serve: to("http://inside.test-private.org/a.pdf")},
		{name: "109 to an IPv6 address", fate: none, serve: to("http://[fd00:ec2::254]/a.pdf")},
		{name: "110 with a user name", fate: stored, serve: uncredited},
	}
}

func statuses() []hostile {
	var all []hostile
	for _, status := range []int{401, 402, 403, 404, 410} {
		all = append(all, hostile{name: fmt.Sprintf("111 %d", status), fate: none, serve: on(testweb.Fail(status))})
	}
	for _, value := range []string{"2", "-5", "99999999999999999999", "Mon, 02 Jan 2006 15:04:05 GMT", "banana", "2.5", "0"} {
		all = append(all, hostile{name: "112 Retry-After " + value, fate: stored, serve: on(busy("Retry-After", value))})
	}
	return append(all,
		hostile{name: "112 no Retry-After", fate: stored, serve: on(busy())},
		hostile{name: "113 304", fate: none, serve: on(testweb.Fail(304))},
	)
}

func certificates() []hostile {
	return []hostile{
		{name: "119 expired", fate: none, serve: on(), flaw: testweb.Expired},
		{name: "119 wrong host", fate: none, serve: on(), flaw: testweb.WrongHost},
		{name: "119 self-signed", fate: none, serve: on(), flaw: testweb.SelfSigned},
	}
}

func robotsFiles() []hostile {
	say := func(text string) testweb.Behaviour { return robots(testweb.Text("text/plain", text)) }
	return []hostile{
		{name: "120 none", fate: stored, serve: landing},
		{name: "120 500", fate: none, serve: landing, robots: testweb.Fail(500)},
		{name: "120 endless", fate: stored, serve: landing, robots: robots(endlessRobots())},
		{name: "120 loop", fate: stored, serve: landing, robots: robots(testweb.Redirect(302, "/robots.txt"))},
		{name: "120 disallow", fate: none, serve: landing, robots: say("User-agent: *\nDisallow: /\n")},
		{name: "120 crawl-delay", fate: stored, serve: landing, robots: say("User-agent: *\nCrawl-delay: 1\n")},
		{name: "120 hang", fate: none, serve: landing, robots: testweb.Hang()},
		{name: "120 to a private address", fate: none, serve: landing, robots: robots(testweb.Redirect(302, "http://10.0.0.1/robots.txt"))},
		{name: "120 junk", fate: stored, serve: landing, robots: say("\x00\xff\xfe<html>\x1b[31m")},
		{name: "120 401", fate: stored, serve: landing, robots: testweb.Fail(401)},
		{name: "120 reset", fate: none, serve: landing, robots: testweb.Reset()},
		{name: "120 byte order mark and CR", fate: none, serve: landing, robots: say("\ufeffUser-agent: *\rDisallow: /real\r")},
		{name: "120 thirty stars", fate: stored, serve: landing, robots: say("User-agent: *\nDisallow: /" + strings.Repeat("*a", 30) + "$\n")},
	}
}

func resolvers() []hostile {
	return []hostile{
		{name: "121 SERVFAIL", fate: none, serve: on(), dns: "SERVFAIL"},
		{name: "121 no answer", fate: none, serve: on(), dns: "SILENCE"},
		{name: "121 junk", fate: none, serve: on(), dns: "JUNK"},
		{name: "121 a name that points to itself", fate: none, serve: on(), dns: "LOOP"},
		{name: "121 64 kB of private addresses", fate: none, serve: on(), dns: "FLOOD"},
		{name: "78 a private address", fate: none, serve: on(), dns: "10.0.0.1"},
		{name: "82 a mapped address", fate: none, serve: on(), dns: "::ffff:169.254.169.254"},
	}
}

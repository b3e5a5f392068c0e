package verdict

import (
	"fmt"
	"strings"

	"github.com/quire-dev/quire/paper"
)

// fullText is how many characters of running text a page must have to be a full
// text: about a thousand words. Of the pages in our corpus those with the full
// text have 13,500 and more, those with an abstract at most 4,900.
const fullText = 6000

// pageSign is how the title of a page with little text says that it is not what was
// asked for.
type pageSign struct {
	class  paper.Class
	note   string
	titles []string // one of which its title begins with, in lower case
}

// pageSigns are looked for in this order.
var pageSigns = []pageSign{ //nolint:gochecknoglobals // a table, never written
	{paper.Challenge, "robot check", []string{
		"captcha", "robot check", "human verification", "security check", "security verification", "are you a robot",
		"verify you are human", "access denied", "403 forbidden", "forbidden", "ddos-guard", "preparing to download",
		"you are being redirected", "checking your browser", "one moment, please", "client challenge",
	}},
	{paper.Gone, "the page says that there is none", []string{
		"404", "error 404", "http 404", "page not found", "not found", "file not found", "article not found",
		"document not found", "item not found", "object not found", "410", "gone", "error: doi not found",
		"page does not exist", "page unavailable", "oops",
	}},
	{paper.Transient, "the page says that something is out of order", []string{
		"500", "502", "503", "504", "internal server error", "bad gateway", "service unavailable", "gateway time",
		"temporarily unavailable", "site maintenance", "under maintenance", "down for maintenance", "maintenance",
	}},
	{paper.LoginWall, "sign-in page", []string{
		"log in", "login", "sign in", "signin", "shibboleth", "institutional login", "authentication required", "web login",
	}},
	{paper.CookieWall, "asks for cookies", []string{"cookies required", "cookie absent", "cookies are required", "cookies must be enabled"}},
}

// page judges the full text of a work as a page.
type page struct{ scan htmlScanner }

func newPage() *page { return new(page) }

func (p *page) write(b []byte) { p.scan.write(b) }

func (p *page) verdict(_ []byte, media string) Verdict {
	h := &p.scan
	h.endRun()
	v := Verdict{Level: Bad, MediaType: media}
	switch {
	case media != htmlType:
		return wrongType(paper.HTML, media)
	case h.running >= fullText && h.ended:
		return Verdict{Level: OK, MediaType: media}
	case h.running >= fullText:
		return Verdict{Level: OKWarn, MediaType: media, Reason: "no </html> at the end"}
	}
	title := strings.Join(strings.Fields(strings.ToLower(string(h.title[:h.titled]))), " ")
	for _, sign := range pageSigns {
		for _, begin := range sign.titles {
			if strings.HasPrefix(title, begin) {
				v.Class, v.Reason = sign.class, sign.note+": "+begin
				return v
			}
		}
	}
	v.Class, v.Reason = paper.WrongType, fmt.Sprintf("no full text: %d characters of running text", h.running)
	return v
}

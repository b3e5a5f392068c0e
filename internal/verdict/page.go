package verdict

import (
	"fmt"

	"github.com/quire-dev/quire/internal/wall"
	"github.com/quire-dev/quire/paper"
)

// fullText is how many characters of running text a page must have to be a full
// text: about a thousand words. Of the pages in our corpus those with the full
// text have 13,500 and more, those with an abstract at most 4,900.
const fullText = 6000

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
	if sign, begin := wall.Thin(string(h.title[:h.titled]), false); begin != "" {
		v.Class, v.Reason = paper.Class(sign.Class), sign.Note+": "+begin
		if v.Class == paper.NotFoundID {
			v.Class = paper.Gone // of this page; a work may be elsewhere
		}
		return v
	}
	v.Class, v.Reason = paper.WrongType, fmt.Sprintf("no full text: %d characters of running text", h.running)
	return v
}

package verdict

import (
	"bytes"

	"github.com/quire-dev/quire/internal/wall"
	"github.com/quire-dev/quire/paper"
)

// challenge returns by what an HTML page is known to be a captcha, a JavaScript wall
// or a robot block instead of what was asked for, or "". It needs the first bytes of
// the page, and its size.
func challenge(head []byte, size int64) (note string) {
	sign, found := wall.Find(wall.Page{
		Title: wall.Title(head), Body: head, Size: size, Cites: bytes.Contains(head, []byte("citation_title")),
	})
	if !found || paper.Class(sign.Class) != paper.Challenge {
		return ""
	}
	return sign.Note
}

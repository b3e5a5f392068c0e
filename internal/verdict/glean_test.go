package verdict

import (
	"bytes"
	"testing"
)

// FuzzGlimpse looks into pieces of any content: the text of contents, maps of codes,
// object streams, packets and dictionaries.
func FuzzGlimpse(f *testing.F) {
	f.Add([]byte("BT /F1 9 Tf [(a\\(b) -200 <41> ] TJ BI ID x EI (\\101\\\n) ' ET"), []byte("begincmap 1 begincodespacerange <00> <ff> endcodespacerange beginbfrange <41> <43> <0061> <44> <45> [<0041> <0042>] endbfrange"), uint8(5))
	f.Add([]byte("1 0 2 9 <</Kids[]/Count 3>> <</F1 7 0 R/ToUnicode 8 0 R/Producer(x)>>"), []byte("<x:xmpmeta a='10.5555/x'>"), uint8(8))
	f.Add([]byte("((((((<<<</ "), []byte("<"), uint8(0))
	f.Fuzz(func(t *testing.T, a, b []byte, first uint8) {
		var g gleaner
		for kind := range pieceKinds {
			for object, data := range [][]byte{a, b} {
				g.pieces[kind] = append(g.pieces[kind], &piece{kind: kind, object: int64(object + 7), first: int64(first), data: data})
			}
		}
		g.fonts[0].object, g.fonts[0].codes, g.nfonts = 7, 8, 1
		before := [2][]byte{bytes.Clone(a), bytes.Clone(b)}
		l := newGlimpse(&g)
		if n := l.pages(first%2 == 0); n < 0 || n > maxPages {
			t.Errorf("%d pages", n)
		}
		id, note := l.identify(Work{DOI: "10.5555/x", ArXiv: "2101.00001", Title: "A title that is long enough"})
		if (id == Contradicted) != (note != "") {
			t.Errorf("%q %q", id, note)
		}
		if text := l.firstPages(); len(text) > maxShown+2*maxString {
			t.Errorf("%d bytes of text", len(text))
		}
		if !bytes.Equal(a, before[0]) || !bytes.Equal(b, before[1]) {
			t.Error("a piece was changed")
		}
	})
}

package testweb_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"testing"

	"github.com/quire-dev/quire/internal/testweb"
)

func TestPDF(t *testing.T) {
	for _, size := range []int{0, 900, 2048, 2049, 9999, 10_000, 10_001, 61_440, 100_000} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			const seed = "A title (with brackets)\nhttps://a.example/a.pdf"
			file := testweb.PDF(seed, size)
			if size >= 2048 && len(file) != size {
				t.Errorf("%d bytes, want %d", len(file), size)
			}
			if !bytes.Equal(file, testweb.PDF(seed, size)) {
				t.Error("same seed, other bytes")
			}
			if bytes.Equal(file, testweb.PDF(seed+"!", size)) {
				t.Error("other seed, same bytes")
			}
			if !bytes.Contains(file, []byte(`(A title \(with brackets\)) Tj`)) || !bytes.Contains(file, []byte("a.pdf) Tj")) {
				t.Error("the page does not show the seed")
			}
			checkPDF(t, file)
		})
	}
}

// checkPDF follows startxref to the table and every offset to its object.
func checkPDF(t *testing.T, file []byte) {
	t.Helper()
	if !bytes.HasPrefix(file, []byte("%PDF-1.4\n")) || !bytes.Contains(file[len(file)-16:], []byte("%%EOF")) {
		t.Error("marks of start and end are missing")
	}
	m := regexp.MustCompile(`startxref\n(\d+)\n%%EOF\n+$`).FindSubmatch(file)
	if m == nil {
		t.Fatal("no startxref")
	}
	at, _ := strconv.Atoi(string(m[1]))
	if !bytes.HasPrefix(file[at:], []byte("xref\n0 7\n")) {
		t.Fatalf("no table at %d", at)
	}
	for n, row := range regexp.MustCompile(`(\d{10}) 00000 n \n`).FindAllSubmatch(file[at:], -1) {
		offset, _ := strconv.Atoi(string(row[1]))
		if want := fmt.Sprintf("%d 0 obj\n", n+1); !bytes.HasPrefix(file[offset:], []byte(want)) {
			t.Errorf("object %d is not at %d", n+1, offset)
		}
	}
	for _, s := range regexp.MustCompile(`(?s)<< /Length (\d+) >>\nstream\n(.*?)\nendstream`).FindAllSubmatch(file, -1) {
		if want, _ := strconv.Atoi(string(s[1])); want != len(s[2]) {
			t.Errorf("stream of %d bytes says %d", len(s[2]), want)
		}
	}
}

func BenchmarkPDF(b *testing.B) {
	for b.Loop() {
		testweb.PDF("https://a.example/a.pdf", 60<<10)
	}
}

package testweb

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// minPDF is the least size of a made PDF with a short text, in bytes.
const minPDF = 2 << 10

// PDF makes a valid one-page PDF of exactly size bytes, or of as many as its
// text needs if that is more. The same seed and size give the same bytes; the
// page shows the lines of seed.
func PDF(seed string, size int) []byte {
	bare := layPDF(seed, 0)
	offset := len(strconv.Itoa(size)) - len(strconv.Itoa(len(bare))) // the table's offset grows by so many digits
	file := layPDF(seed, max(0, size-len(bare)-offset))
	for len(file) < size {
		file = append(file, '\n') // readers ignore what little is missing
	}
	return file
}

// SizeOf derives a size of 2 to 60 KiB from a seed.
func SizeOf(seed string) int {
	sum := sha256.Sum256([]byte(seed))
	return minPDF + int(binary.BigEndian.Uint64(sum[:])%(58<<10))
}

// layPDF lays out a PDF around so many bytes of noise, which make files as
// incompressible as real ones.
func layPDF(seed string, noise int) []byte {
	objects := [][]byte{
		[]byte("<< /Type /Catalog /Pages 2 0 R >>"),
		[]byte("<< /Type /Pages /Kids [3 0 R] /Count 1 >>"),
		[]byte("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 4 0 R >> >> /Contents 5 0 R >>"),
		[]byte("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"),
		stream([]byte(pageText(seed))),
		stream(hexNoise(seed, noise)),
	}
	var b bytes.Buffer
	b.Grow(minPDF + noise)
	b.WriteString("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
	offsets := make([]int, len(objects))
	for i, o := range objects {
		offsets[i] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n", i+1)
		b.Write(o)
		b.WriteString("\nendobj\n")
	}
	table := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, offset := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, table)
	return b.Bytes()
}

// stream writes its length in ten digits, so that layouts differ by their noise alone.
func stream(content []byte) []byte {
	b := fmt.Appendf(make([]byte, 0, len(content)+64), "<< /Length %010d >>\nstream\n", len(content))
	b = append(b, content...)
	return append(b, "\nendstream"...)
}

func pageText(seed string) string {
	var b strings.Builder
	b.WriteString("BT /F1 11 Tf 14 TL 40 780 Td\n")
	for line := range strings.Lines(seed) {
		fmt.Fprintf(&b, "(%s) Tj T*\n", escapePDF(strings.TrimSuffix(line, "\n")))
	}
	b.WriteString("ET")
	return b.String()
}

func escapePDF(text string) string {
	return strings.NewReplacer(`\`, `\\`, `(`, `\(`, `)`, `\)`, "\r", `\r`).Replace(text)
}

func hexNoise(seed string, n int) []byte {
	source := rand.NewChaCha8(sha256.Sum256([]byte(seed)))
	noise := make([]byte, (n+1)/2)
	_, _ = source.Read(noise)
	return hex.AppendEncode(make([]byte, 0, n+1), noise)[:n]
}

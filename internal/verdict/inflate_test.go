package verdict

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"
	"testing"
)

// inflated pushes body through in pieces of size bytes.
func inflated(body []byte, size int) (text []byte, problem string) {
	z := &inflater{sink: func(p []byte) { text = append(text, p...) }}
	for len(body) > 0 {
		n := min(size, len(body))
		z.write(body[:n])
		body = body[n:]
	}
	z.finish()
	return text, z.problem
}

func deflated(t testing.TB, text []byte, level int) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, level)
	if err != nil {
		t.Fatal(err)
	}
	w.Name, w.Comment, w.Extra = "a name", "a comment", []byte("extra")
	w.Write(text)
	w.Close()
	return b.Bytes()
}

func TestInflater(t *testing.T) {
	texts := map[string][]byte{
		"nothing": nil, "a byte": {1}, "zeros": make([]byte, 1<<17),
		"words": []byte(strings.Repeat("some words, again and again; ", 3_000)),
	}
	var digits bytes.Buffer
	for i := range 10_000 {
		fmt.Fprintf(&digits, "%x ", i*i*i)
	}
	texts["digits"] = digits.Bytes()
	for name, text := range texts {
		for level := gzip.HuffmanOnly; level <= gzip.BestCompression; level++ {
			body := deflated(t, text, level)
			for _, size := range []int{1, 100, 1 << 20} {
				if got, problem := inflated(body, size); problem != "" || !bytes.Equal(got, text) {
					t.Errorf("%s, level %d, in pieces of %d: %d bytes of %d, %q", name, level, size, len(got), len(text), problem)
				}
			}
			for _, short := range []int{1, 4, 9, len(body) / 2, len(body) - 20, len(body) - 1} {
				if _, problem := inflated(body[:len(body)-short], 64); problem != "cut" {
					t.Errorf("%s, level %d, %d bytes short: %q", name, level, short, problem)
				}
			}
		}
	}
}

func TestInflater_bounds(t *testing.T) {
	z := &inflater{sink: func([]byte) {}, total: maxInflated - 100}
	z.write(deflated(t, make([]byte, 101), gzip.BestSpeed))
	z.finish()
	if z.problem != "inflates to more than 1 GiB" {
		t.Errorf("%q", z.problem)
	}
	for name, body := range map[string]string{
		"unknown kind":    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x00\x07",
		"lengths differ":  "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x00\x01\x01\x00\x00\x00",
		"copy of nothing": "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x00\x03\x02\x00\x00\x00",
	} {
		if _, problem := inflated([]byte(body), 1); !strings.HasPrefix(problem, "damaged: ") {
			t.Errorf("%s: %q", name, problem)
		}
	}
}

// What the standard library inflates is inflated to the same bytes.
func FuzzInflater(f *testing.F) {
	for _, level := range []int{gzip.HuffmanOnly, gzip.NoCompression, gzip.BestSpeed, gzip.BestCompression} {
		f.Add(deflated(f, []byte(strings.Repeat("words and words; ", 300)), level), uint8(9))
	}
	f.Fuzz(func(t *testing.T, body []byte, size uint8) {
		got, problem := inflated(body, int(size)+1)
		r, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return
		}
		want, err := io.ReadAll(io.LimitReader(r, 64<<20))
		if err == nil && len(want) < 64<<20 && (problem != "" || !bytes.Equal(got, want)) {
			t.Errorf("%q: got %d bytes, want %d", problem, len(got), len(want))
		}
	})
}

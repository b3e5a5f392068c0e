package dump_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/gofrs/flock"
	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/dump"
)

var errNoKey = errors.New("no key")

// keyValue reads lines such as key=value.
func keyValue(line []byte) (string, []byte, error) {
	key, value, ok := bytes.Cut(line, []byte("="))
	if !ok {
		return "", nil, errNoKey
	}
	return string(key), bytes.Clone(value), nil
}

func imported(t *testing.T, path, text string) dump.Report {
	t.Helper()
	rep, err := dump.Import(t.Context(), strings.NewReader(text), path, keyValue, nil)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// wantAll looks keys up in the index at path; "" stands for none.
func wantAll(t *testing.T, path string, want map[string]string) {
	t.Helper()
	x, err := dump.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	for key, value := range want {
		got, err := x.Get(t.Context(), key)
		if err != nil || string(got) != value || (got == nil) != (value == "") {
			t.Errorf("Get(%q) = %q, %v, want %q", key, got, err, value)
		}
	}
}

func zipped(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestImport(t *testing.T) {
	const text = "a=1\n\n  \r\nb=2\r\nnonsense\na=3\n'x' OR 1=4\nlast=5"
	two := append(zipped(t, text[:20]), zipped(t, text[20:])...) // as by pigz or cat
	for name, from := range map[string]io.Reader{
		"plain": strings.NewReader(text), "gzip": bytes.NewReader(zipped(t, text)), "two gzip streams": bytes.NewReader(two),
		"a byte at a time": iotest.OneByteReader(strings.NewReader(text)),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a b?c#d%.db") // what would mean something in a URI
			rep, err := dump.Import(t.Context(), from, path, keyValue, nil)
			if err != nil {
				t.Fatal(err)
			}
			want := dump.Report{Lines: 6, Records: 5, Bad: 1, First: []dump.BadLine{{Number: 5, Err: errNoKey}}}
			if diff := cmp.Diff(want, rep, cmp.Comparer(func(a, b error) bool { return errors.Is(a, b) })); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			wantAll(t, path, map[string]string{"a": "3", "b": "2", "'x' OR 1": "4", "last": "5", "c": "", "A": "", "": ""})
			if left, err := filepath.Glob(filepath.Dir(path) + "/*.new*"); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

// TestImport_longLines: lines over the limit are counted and passed over, however long.
func TestImport_longLines(t *testing.T) {
	long := strings.Repeat("x", dump.MaxLine-2)
	text := io.MultiReader(
		strings.NewReader("a=1\nk="+long+"\n"),                                                 // as long as may be
		strings.NewReader("k=x"+long+"\n"),                                                     // a byte more
		strings.NewReader("z="), io.LimitReader(zeros{}, 40<<20), strings.NewReader("\nb=2\n"), // longer than any buffer
		io.LimitReader(zeros{}, 3<<20)) // and to the end of the file
	path := filepath.Join(t.TempDir(), "x.db")
	rep, err := dump.Import(t.Context(), text, path, keyValue, nil)
	if err != nil {
		t.Fatal(err)
	}
	if rep.Lines != 6 || rep.Records != 3 || rep.Bad != 3 || rep.First[1].Number != 4 || !strings.Contains(rep.First[0].Err.Error(), "1048576 bytes") {
		t.Errorf("%+v", rep)
	}
	wantAll(t, path, map[string]string{"a": "1", "b": "2", "k": long, "z": ""})
}

// zeros never ends, as a compression bomb hardly does.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}

// TestImport_memory: a dump of any length is read in the same memory.
func TestImport_memory(t *testing.T) {
	value := strings.Repeat("v", 200)
	r, w := io.Pipe()
	go func() {
		var err error
		for n := 0; n < 120_000 && err == nil; n++ {
			_, err = fmt.Fprintf(w, "10.5555/%d=%s\n", n*7919%120_000, value)
		}
		_ = w.CloseWithError(err)
	}()
	var most uint64
	calls := 0
	path := filepath.Join(t.TempDir(), "x.db")
	rep, err := dump.Import(t.Context(), r, path, keyValue, func(dump.Report) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		most = max(most, m.HeapAlloc)
		calls++
	})
	if err != nil || rep.Records != 120_000 || calls != 12 {
		t.Fatalf("%+v, %v, told %d times", rep, err, calls)
	}
	if most > 24<<20 {
		t.Errorf("the heap took %d MiB", most>>20)
	}
	t.Logf("heap %d MiB", most>>20)
	wantAll(t, path, map[string]string{"10.5555/0": value, "10.5555/119999": value, "10.5555/120000": ""})
}

// TestImport_fails: what was there is still there, and nothing else.
func TestImport_fails(t *testing.T) {
	whole := zipped(t, strings.Repeat("new=1\n", 100_000))
	cancelled, cancel := context.WithCancel(t.Context())
	broken := errors.New("disk on fire")
	for name, tt := range map[string]struct {
		ctx  context.Context
		from io.Reader
		want error
	}{
		"cut compression":     {t.Context(), bytes.NewReader(whole[:len(whole)/2]), io.ErrUnexpectedEOF},
		"damaged compression": {t.Context(), bytes.NewReader(append(whole[:len(whole)-8:len(whole)-8], 0, 0, 0, 0, 0, 0, 0, 0)), gzip.ErrChecksum},
		"no compression":      {t.Context(), strings.NewReader("\x1f\x8bx"), io.ErrUnexpectedEOF},
		"reader":              {t.Context(), io.MultiReader(strings.NewReader("a=2\n"), iotest.ErrReader(broken)), broken},
		"nothing":             {t.Context(), strings.NewReader(""), dump.ErrEmpty},
		"no record":           {t.Context(), strings.NewReader("x\ny\n"), dump.ErrEmpty},
		"interrupted":         {cancelled, io.MultiReader(strings.NewReader("a=2\n"), onRead(cancel), strings.NewReader(strings.Repeat("a=2\n", 50_000))), context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "x.db")
			imported(t, path, "a=1\n")
			if err := os.WriteFile(path+".new", []byte("of an import that crashed"), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := dump.Import(tt.ctx, tt.from, path, keyValue, nil); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			wantAll(t, path, map[string]string{"a": "1", "new": ""})
			imported(t, path, "a=3\n")
			wantAll(t, path, map[string]string{"a": "3"})
			files, err := os.ReadDir(dir)
			if err != nil || len(files) != 2 {
				t.Errorf("files %v, %v, want the index and its lock", files, err)
			}
		})
	}
}

// onRead calls do and ends.
type onRead func()

func (do onRead) Read([]byte) (int, error) { do(); return 0, io.EOF }

func TestImport_refuses(t *testing.T) {
	dir := t.TempDir()
	precious := filepath.Join(dir, "precious.txt")
	if err := os.WriteFile(precious, []byte("my thesis"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := dump.Import(t.Context(), strings.NewReader("a=1\n"), precious, keyValue, nil); !errors.Is(err, dump.ErrNotIndex) {
		t.Errorf("over a file of another kind: %v", err)
	}
	if text, err := os.ReadFile(precious); string(text) != "my thesis" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := dump.Import(t.Context(), strings.NewReader("a=1\n"), filepath.Join(dir, "no", "x.db"), keyValue, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("into no directory: %v", err)
	}
	busy := filepath.Join(dir, "busy.db")
	lock := flock.New(busy + ".lock")
	if ok, err := lock.TryLock(); !ok || err != nil {
		t.Fatal(ok, err)
	}
	defer lock.Unlock()
	if _, err := dump.Import(t.Context(), strings.NewReader("a=1\n"), busy, keyValue, nil); !errors.Is(err, dump.ErrBusy) {
		t.Errorf("beside another: %v", err)
	}
}

// An index that is read stays as it is while another takes its place.
func TestImport_whileOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	imported(t, path, "a=1\n")
	x, err := dump.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	imported(t, path, "a=2\nb=3\n")
	if got, err := x.Get(t.Context(), "a"); string(got) != "1" || err != nil {
		t.Errorf("the open one has %q, %v", got, err)
	}
	wantAll(t, path, map[string]string{"a": "2", "b": "3"})
}

func TestOpen_refuses(t *testing.T) {
	dir := t.TempDir()
	if _, err := dump.Open(t.Context(), filepath.Join(dir, "none.db")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("nothing there: %v", err)
	}
	good := filepath.Join(dir, "good.db")
	imported(t, good, "a=1\n")
	whole, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	later := bytes.Clone(whole)
	later[63] = 99 // the schema's version
	for name, content := range map[string][]byte{
		"empty": nil, "gzip": zipped(t, "a=1\n"), "another database": append([]byte("SQLite format 3\x00"), make([]byte, 200)...),
		"header alone": whole[:80], "later version": later, "garbage": append(bytes.Clone(whole[:100]), bytes.Repeat([]byte("x"), len(whole))...),
	} {
		path := filepath.Join(dir, "bad.db")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if x, err := dump.Open(t.Context(), path); err == nil {
			t.Errorf("%s: opened %v", name, x)
		}
	}
}

func FuzzImport(f *testing.F) {
	f.Add([]byte("{\"a\":1}\n\n{\"a\":2}"))
	f.Add([]byte("\x1f\x8b\x08"))
	f.Fuzz(func(t *testing.T, text []byte) {
		lines := 0
		path := filepath.Join(t.TempDir(), "x.db")
		rep, err := dump.Import(t.Context(), bytes.NewReader(text), path, func(line []byte) (string, []byte, error) {
			lines++
			if len(line) == 0 || len(line) > dump.MaxLine || bytes.ContainsRune(line, '\n') {
				t.Errorf("line %q", line)
			}
			if !json.Valid(line) {
				return "", nil, errNoKey
			}
			return string(line), bytes.Clone(line), nil
		}, nil)
		if rep.Lines != rep.Records+rep.Bad || int64(lines) > rep.Lines {
			t.Errorf("%+v of %d lines", rep, lines)
		}
		if _, statErr := os.Stat(path); (statErr == nil) != (err == nil) {
			t.Errorf("import ended with %v, the index with %v", err, statErr)
		}
	})
}

package export_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/export"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// shelf is a data directory with a file for each artifact.
func shelf(t *testing.T, ids ...string) (data string, src source) {
	t.Helper()
	data = t.TempDir()
	var jobs []queue.Job
	for i, id := range ids {
		text := fmt.Appendf(nil, "%%PDF-1.7 file %d", i)
		sum := sha256.Sum256(text)
		name := hex.EncodeToString(sum[:])
		f := paper.File{Path: "artifacts/sha256/" + name + ".pdf", SHA256: name, Bytes: int64(len(text))}
		write(t, filepath.Join(data, f.Path), text)
		jobs = append(jobs, stored(id, f))
	}
	return data, source{
		n: len(jobs), job: func(id int64) queue.Job { return jobs[id-1] },
		record: func(string) (paper.Record, error) { return paper.Record{}, nil },
	}
}

func write(t *testing.T, name string, text []byte) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o750), os.WriteFile(name, text, 0o600)); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, name ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(name...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// checkBag checks a bag by RFC 8493 §3: every file of data/ is in the manifest
// and has its sum, every tag file is in the tag manifest, the Oxum is right, and
// sha256sum agrees where there is one.
func checkBag(t *testing.T, dir string) (payload []string) {
	t.Helper()
	size := int64(0)
	listed := map[string]string{}
	for _, manifest := range []string{"manifest-sha256.txt", "tagmanifest-sha256.txt"} {
		for line := range strings.Lines(read(t, dir, manifest)) {
			sum, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
			if !ok || listed[name] != "" || strings.Contains(name, "%") {
				t.Errorf("%s: %q", manifest, line)
			}
			listed[name] = sum
		}
		if sha256sum, err := exec.LookPath("sha256sum"); err == nil {
			c := exec.CommandContext(t.Context(), sha256sum, "-c", "--strict", "--quiet", manifest)
			c.Dir = dir
			if out, err := c.CombinedOutput(); err != nil {
				t.Errorf("sha256sum -c %s: %v\n%s", manifest, err, out)
			}
		}
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		text := read(t, path)
		sum := sha256.Sum256([]byte(text))
		if name != "tagmanifest-sha256.txt" && listed[filepath.ToSlash(name)] != hex.EncodeToString(sum[:]) {
			t.Errorf("%s is not listed with its sum", name)
		}
		if inner, ok := strings.CutPrefix(filepath.ToSlash(name), "data/"); ok {
			payload = append(payload, inner)
			size += int64(len(text))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if oxum := fmt.Sprintf("Payload-Oxum: %d.%d\n", size, len(payload)); !strings.Contains(read(t, dir, "bag-info.txt"), oxum) {
		t.Errorf("bag-info.txt has no %q:\n%s", oxum, read(t, dir, "bag-info.txt"))
	}
	if got, want := read(t, dir, "bagit.txt"), "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"; got != want {
		t.Errorf("bagit.txt is %q, want %q", got, want)
	}
	slices.Sort(payload)
	return payload
}

// never is told of files that should all be there.
func never(t *testing.T) func(string, error) {
	return func(id string, why error) { t.Errorf("%s left out: %v", id, why) }
}

func TestBag(t *testing.T) {
	ids := []string{"doi:10.1000/a", "doi:10.1002/(sici)1<1::aid-x>3.0.co;2-#", "arxiv:hep-th/9901001", "pmcid:PMC1", "url:https://example.org/a%20b"}
	data, src := shelf(t, ids...)
	src.n++
	done := src.job
	src.job = func(id int64) queue.Job {
		if int(id) > len(ids) {
			return queue.Job{ArtifactID: "pmid:9", State: queue.Error}
		}
		return done(id)
	}
	target := filepath.Join(t.TempDir(), "bag")
	got, err := export.Bag(t.Context(), target, src, export.Options{Version: "1.0"}, data, never(t))
	if want := (export.Bagged{Files: 5, Bytes: 5 * 15}); err != nil || got != want {
		t.Fatalf("got %+v, %v, want %+v", got, err, want)
	}
	hash := sha256.Sum256([]byte("https://example.org/a%20b"))
	want := []string{
		"manifest.jsonl", "works/10.1000/a.pdf", "works/10.1002/=28sici=291=3C1=3A=3Aaid-x=3E3.0.co=3B2-=23.pdf",
		"works/arxiv/hep-th=2F9901001.pdf", "works/pmcid/PMC1.pdf", "works/url/" + hex.EncodeToString(hash[:]) + ".pdf",
	}
	if diff := cmp.Diff(want, checkBag(t, target)); diff != "" {
		t.Errorf("payload (-want +got):\n%s", diff)
	}
	for i, line := range strings.Split(strings.TrimSpace(read(t, target, "data/manifest.jsonl")), "\n") {
		var l struct {
			ID   string `json:"artifact_id"`
			Path string
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil || l.ID != ids[i] || read(t, target, l.Path) == "" {
			t.Errorf("%s: %v", line, err)
		}
	}
	for _, line := range []string{"Bag-Software-Agent: quire 1.0\n", "Bagging-Date: 20"} {
		if !strings.Contains(read(t, target, "bag-info.txt"), line) {
			t.Errorf("bag-info.txt has no %q", line)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(target), ".*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// Of what is missing, damaged or elsewhere nothing gets into the bag.
func TestBag_leavesOut(t *testing.T) {
	data, src := shelf(t, "pmid:1", "pmid:2", "pmid:3", "pmid:4", "pmid:5", "pmid:6", "pmid:7", "pmid:8")
	jobs := make([]queue.Job, src.n)
	files := make([]paper.File, src.n)
	for i := range jobs {
		jobs[i] = src.job(int64(i + 1))
		if err := json.Unmarshal(jobs[i].Result, &files[i]); err != nil {
			t.Fatal(err)
		}
	}
	at := func(i int) string { return filepath.Join(data, files[i].Path) }
	outside := filepath.Join(filepath.Dir(data), "outside.pdf")
	write(t, outside, []byte("x"))
	write(t, at(1), []byte("damaged"))
	if err := errors.Join(os.Remove(at(0)), os.Remove(at(2)), os.Symlink(outside, at(2)), os.Remove(at(3)), os.Mkdir(at(3), 0o750)); err != nil {
		t.Fatal(err)
	}
	files[4].Path = "../outside.pdf"
	files[5].Path = "s3://bucket/x.pdf"
	jobs[4], jobs[5], jobs[6].Result = stored("pmid:5", files[4]), stored("pmid:6", files[5]), nil
	src.job = func(id int64) queue.Job { return jobs[id-1] }

	why := map[string]string{}
	target := filepath.Join(t.TempDir(), "bag")
	got, err := export.Bag(t.Context(), target, src, export.Options{}, data, func(id string, err error) { why[id] = err.Error() })
	if err != nil || got.Files != 1 || got.LeftOut != 7 {
		t.Fatalf("got %+v, %v", got, err)
	}
	for id, want := range map[string]string{
		"pmid:1": "no such file", "pmid:2": "its SHA-256 is not", "pmid:3": "not a regular file", "pmid:4": "not a regular file",
		"pmid:5": "not in the data directory", "pmid:6": "on another machine", "pmid:7": "it has no file",
	} {
		if !strings.Contains(why[id], want) {
			t.Errorf("%s left out: %q, want %q", id, why[id], want)
		}
	}
	if diff := cmp.Diff([]string{"manifest.jsonl", "works/pmid/8.pdf"}, checkBag(t, target)); diff != "" {
		t.Errorf("payload (-want +got):\n%s", diff)
	}
}

func TestBag_empty(t *testing.T) {
	target := filepath.Join(t.TempDir(), "bag")
	if got, err := export.Bag(t.Context(), target, source{}, export.Options{}, t.TempDir(), never(t)); err != nil || got != (export.Bagged{}) {
		t.Fatalf("got %+v, %v", got, err)
	}
	if payload := checkBag(t, target); !slices.Equal(payload, []string{"manifest.jsonl"}) {
		t.Errorf("payload %q", payload)
	}
}

// A bag that can't be made leaves nothing behind, and nothing is overwritten.
func TestBag_fails(t *testing.T) {
	data, src := shelf(t, "pmid:1", "pmid:2")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "there"), []byte("mine"))
	if err := os.Symlink("nowhere", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	stopped, stop := context.WithCancel(t.Context())
	stop()
	tests := map[string]struct {
		ctx    context.Context
		target string
		record error
		want   error
	}{
		"target is a file":     {t.Context(), "there", nil, fs.ErrExist},
		"target is a link":     {t.Context(), "link", nil, fs.ErrExist},
		"target is the folder": {t.Context(), ".", nil, fs.ErrExist},
		"no folder":            {t.Context(), "no/bag", nil, fs.ErrNotExist},
		"store breaks":         {t.Context(), "bag", broken, broken},
		"interrupted":          {stopped, "bag", nil, context.Canceled},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			src.record = func(id string) (paper.Record, error) {
				if id == "pmid:2" {
					return paper.Record{}, tt.record
				}
				return paper.Record{}, nil
			}
			_, err := export.Bag(tt.ctx, filepath.Join(dir, tt.target), src, export.Options{}, data, never(t))
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			entries, err := os.ReadDir(dir)
			if err != nil || len(entries) != 2 || read(t, dir, "there") != "mine" {
				t.Errorf("the folder has %v, %v", entries, err)
			}
		})
	}
}

// Where the system can't link, files are copied.
func TestBag_copies(t *testing.T) {
	const shm = "/dev/shm"
	data, src := shelf(t, "pmid:1")
	dir, err := os.MkdirTemp(shm, "quire-bag-") //nolint:usetesting // where t.TempDir is not
	if err != nil {
		t.Skipf("no other file system: %v", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	write(t, filepath.Join(data, "x"), nil)
	if err := os.Link(filepath.Join(data, "x"), filepath.Join(dir, "x")); err == nil {
		t.Skip("no other file system")
	}
	target := filepath.Join(dir, "bag")
	if got, err := export.Bag(t.Context(), target, src, export.Options{}, data, never(t)); err != nil || got.Files != 1 {
		t.Fatalf("got %+v, %v", got, err)
	}
	if payload := checkBag(t, target); !slices.Contains(payload, "works/pmid/1.pdf") {
		t.Errorf("payload %q", payload)
	}
}

// The manifest is written as it grows, over several pages of the store.
func TestBag_pages(t *testing.T) {
	ids := make([]string, 1100)
	for i := range ids {
		ids[i] = "pmid:" + strconv.Itoa(i+1)
	}
	data, src := shelf(t, ids...)
	target := filepath.Join(t.TempDir(), "bag")
	if got, err := export.Bag(t.Context(), target, src, export.Options{}, data, never(t)); err != nil || got.Files != len(ids) {
		t.Fatalf("got %+v, %v", got, err)
	}
	if n := len(checkBag(t, target)); n != len(ids)+1 {
		t.Errorf("%d files, want %d", n, len(ids)+1)
	}
	if !bytes.Contains([]byte(read(t, target, "data/manifest.jsonl")), []byte(`"artifact_id":"pmid:1100"`)) {
		t.Error("the last line is missing")
	}
}

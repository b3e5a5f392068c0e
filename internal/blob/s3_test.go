package blob_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/quire-dev/quire/internal/blob"
	"github.com/quire-dev/quire/internal/blobtest"
	"github.com/quire-dev/quire/internal/s3test"
)

// remote is an S3 store in an empty bucket.
type remote struct {
	*blob.S3
	server *s3test.Server
	bucket string
	temps  string
}

// openS3 opens a store in a bucket of its own. endpoint is empty for the server's.
func openS3(t *testing.T, endpoint string) remote {
	t.Helper()
	server := s3.Server(t)
	r := remote{server: server, bucket: server.Bucket(t), temps: filepath.Join(t.TempDir(), "tmp")}
	r.S3 = r.reopen(t, endpoint)
	return r
}

func (r remote) reopen(t *testing.T, endpoint string) *blob.S3 {
	t.Helper()
	place := r.place(t)
	place.Endpoint = cmp.Or(endpoint, place.Endpoint)
	store, err := blob.OpenS3(blob.S3Config{Place: place, Temp: r.temps, Roots: r.server.Roots})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

func (r remote) place(t testing.TB) blob.S3Place {
	t.Helper()
	place, err := blob.ParseS3(r.server.URL(r.bucket))
	if err != nil {
		t.Fatal(err)
	}
	return place
}

// kept are the keys of all files of the bucket, without the prefix of the store.
func (r remote) kept(t testing.TB) []string {
	t.Helper()
	var keys []string
	for _, key := range slices.Sorted(maps.Keys(r.server.Files(t, r.bucket))) {
		keys = append(keys, strings.TrimPrefix(key, "papers/"))
	}
	return keys
}

// client is a client of the library beside the store's.
func (r remote) client(t testing.TB) *minio.Client {
	t.Helper()
	place := r.place(t)
	client, err := minio.New(place.Endpoint, &minio.Options{
		Creds: credentials.NewStaticV4(s3test.AccessKey, s3test.SecretKey, ""), Region: s3test.Region, BucketLookup: minio.BucketLookupPath,
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func (r remote) plant(t testing.TB, key, body string) {
	t.Helper()
	_, err := r.client(t).PutObject(t.Context(), r.bucket, "papers/"+key, strings.NewReader(body), int64(len(body)), minio.PutObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

func (r remote) stat(t testing.TB, key string) minio.ObjectInfo {
	t.Helper()
	info, err := r.client(t).StatObject(t.Context(), r.bucket, "papers/"+key, minio.StatObjectOptions{Checksum: true})
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func (r remote) wantNothing(t testing.TB) {
	t.Helper()
	temps, err := os.ReadDir(r.temps)
	if kept := r.kept(t); err != nil || len(kept)+len(temps) > 0 {
		t.Errorf("left: %v, temporary %v, %v", kept, temps, err)
	}
}

func TestS3(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) blobtest.Subject {
		r := openS3(t, "")
		return blobtest.Subject{Store: r.S3, Temps: r.temps, Kept: r.kept, Plant: r.plant}
	})
}

// What the service is told of an object it keeps: hash, type, and (F 138) that
// browsers are to save it, not to show it.
func TestS3_headers(t *testing.T) {
	r := openS3(t, "")
	b := mustPut(t, r, []byte("a paper"), ".pdf")
	info := r.stat(t, b.Path)
	raw, _ := hex.DecodeString(b.SHA256)
	if info.ChecksumSHA256 != base64.StdEncoding.EncodeToString(raw) || info.UserMetadata["Sha256"] != b.SHA256 {
		t.Errorf("checksum %q, metadata %v, want those of %s", info.ChecksumSHA256, info.UserMetadata, b.SHA256)
	}
	if info.ContentType != "application/pdf" || info.Metadata.Get("Content-Disposition") != "attachment" {
		t.Errorf("type %q, headers %v", info.ContentType, info.Metadata)
	}
}

// An object that is there is neither sent again nor touched.
func TestS3_existed(t *testing.T) {
	for name, size := range map[string]int{"small": 100, "asked for first": 2 << 20, "in parts": 11 << 20} {
		t.Run(name, func(t *testing.T) {
			r := openS3(t, "")
			r.SetSizes(5<<20, 0)
			body := make([]byte, size)
			b := mustPut(t, r, body, ".pdf")
			before := r.stat(t, b.Path)
			if again := mustPut(t, r, body, ".pdf"); !again.Existed {
				t.Errorf("got %+v, want that it existed", again)
			}
			if after := r.stat(t, b.Path); !after.LastModified.Equal(before.LastModified) || after.ETag != before.ETag {
				t.Errorf("the object was written again: %v, %v", before, after)
			}
		})
	}
}

// B 54: what is in the place of an object and is another stays there.
func TestS3_foreign(t *testing.T) {
	tests := map[string]struct {
		planted string
		sum     bool // it was put with its SHA-256
		want    error
	}{
		"B 54: of another size":               {"hi", false, blob.ErrForeign},
		"B 54: of the same size":              {"another paper", true, blob.ErrForeign},
		"B 54: of the same size, without sum": {"another paper", false, nil}, // as on a disk, only reading would tell
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := openS3(t, "")
			body := []byte("a whole paper")
			key := blobOf(body, ".pdf").Path
			if tt.sum {
				r.plantWithSum(t, key, tt.planted)
			} else {
				r.plant(t, key, tt.planted)
			}
			b, err := put(t.Context(), r, body, ".pdf")
			if !errors.Is(err, tt.want) || blob.OutOfService(err) || err == nil && !b.Existed {
				t.Errorf("Commit: %+v, %v, want %v", b, err, tt.want)
			}
			if got := blobtest.Read(t, r, key); string(got) != tt.planted {
				t.Errorf("overwritten: %q", got)
			}
		})
	}
}

func (r remote) plantWithSum(t testing.TB, key, body string) {
	t.Helper()
	sum := sha256.Sum256([]byte(body))
	_, err := minio.Core{Client: r.client(t)}.PutObject(t.Context(), r.bucket, "papers/"+key, strings.NewReader(body), int64(len(body)), "", "",
		minio.PutObjectOptions{UserMetadata: map[string]string{"x-amz-checksum-sha256": base64.StdEncoding.EncodeToString(sum[:])}, DisableContentSha256: true})
	if err != nil {
		t.Fatal(err)
	}
}

// H 180: a temporary file that reads otherwise than it was written does not become an
// object: the service compares the hash, or in parts we do.
func TestS3_damageOnTheWay(t *testing.T) {
	for name, size := range map[string]int64{"H 180: in one": 300_000, "H 180: in parts": 11 << 20} {
		t.Run(name, func(t *testing.T) {
			r := openS3(t, "")
			r.SetSizes(5<<20, 0)
			w, err := r.Create(t.Context(), "1-1")
			must(t, err)
			_, err = w.Write(make([]byte, size)) // more than is buffered
			must(t, err)
			temps, err := filepath.Glob(filepath.Join(r.temps, "*"))
			if err != nil || len(temps) != 1 {
				t.Fatal(temps, err)
			}
			file, err := os.OpenFile(temps[0], os.O_WRONLY, 0)
			must(t, err)
			_, err = file.WriteAt([]byte{1}, 7)
			must(t, errors.Join(err, file.Close()))
			if b, err := w.Commit(t.Context(), ".pdf"); !blob.OutOfService(err) {
				t.Errorf("Commit: %+v, %v, want it refused", b, err)
			}
			r.wantNothing(t)
		})
	}
}

// A file in parts is the same blob, with the hash in its metadata.
func TestS3_parts(t *testing.T) {
	r := openS3(t, "")
	r.SetSizes(5<<20, 0)
	body := make([]byte, 12<<20)
	_, err := rand.Read(body)
	must(t, err)
	b := mustPut(t, r, body, ".zip")
	info := r.stat(t, b.Path)
	if b.Path != blobOf(body, ".zip").Path || info.UserMetadata["Sha256"] != b.SHA256 || !strings.HasSuffix(info.ChecksumSHA256, "-3") {
		t.Errorf("%+v is kept with checksum %q, metadata %v", b, info.ChecksumSHA256, info.UserMetadata)
	}
	if got := blobtest.Read(t, r, b.Path); !bytes.Equal(got, body) {
		t.Error("reads as other bytes")
	}
}

func TestS3_Walk_pages(t *testing.T) {
	r := openS3(t, "")
	r.SetSizes(1<<20, 2)
	var want []string
	for i := range 7 {
		want = append(want, mustPut(t, r, fmt.Append(nil, i), ".pdf").Path)
	}
	r.plant(t, "elsewhere", "not below sha256/")
	slices.Sort(want)
	var got []string
	must(t, r.Walk(t.Context(), func(b blob.Blob) error { got = append(got, b.Path); return nil }))
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Reading on after a seek is of the same object, or fails.
func TestS3_Open_changedMeanwhile(t *testing.T) {
	r := openS3(t, "")
	key := mustPut(t, r, []byte("0123456789"), "").Path
	f, _, err := r.Open(t.Context(), key)
	must(t, err)
	defer f.Close()
	r.plant(t, key, "abcdefghij")
	if n, err := f.Read(make([]byte, 10)); err == nil {
		t.Errorf("read %d bytes of another object", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	f, _, err = r.Open(ctx, key)
	must(t, err)
	defer f.Close()
	cancel()
	if _, err := f.Read(make([]byte, 10)); !errors.Is(err, context.Canceled) || blob.OutOfService(err) {
		t.Errorf("Read after the end: %v", err)
	}
}

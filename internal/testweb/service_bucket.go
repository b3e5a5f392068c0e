package testweb

import (
	"encoding/xml"
	"net/http"
	"slices"
	"strings"
)

// bucket is a read-only S3 bucket that anybody may list: object key to handler.
type bucket struct {
	name    string
	objects map[string]http.Handler
	keys    []string // of objects, sorted
}

func newBucket(name string, objects map[string]http.Handler) *bucket {
	b := &bucket{name: name, objects: objects}
	for key := range objects {
		b.keys = append(b.keys, key)
	}
	slices.Sort(b.keys)
	return b
}

type bucketListing struct {
	XMLName        xml.Name         `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListBucketResult"`
	Name           string           `xml:"Name"`
	Prefix         string           `xml:"Prefix"`
	KeyCount       int              `xml:"KeyCount"`
	MaxKeys        int              `xml:"MaxKeys"`
	Delimiter      string           `xml:"Delimiter,omitempty"`
	IsTruncated    bool             `xml:"IsTruncated"`
	Contents       []bucketContent  `xml:"Contents"`
	CommonPrefixes []bucketPrefixes `xml:"CommonPrefixes"`
}

type bucketContent struct {
	Key string `xml:"Key"`
}

type bucketPrefixes struct {
	Prefix string `xml:"Prefix"`
}

func (b *bucket) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/" || r.URL.Path == "" {
		replyXML(rw, http.StatusOK, b.list(r.URL.Query().Get("prefix"), r.URL.Query().Get("delimiter")))
		return
	}
	key := strings.TrimPrefix(r.URL.Path, "/")
	if h, ok := b.objects[key]; ok {
		h.ServeHTTP(rw, r)
		return
	}
	replyXML(rw, http.StatusNotFound, struct {
		XMLName xml.Name `xml:"Error"`
		Code    string
		Message string
		Key     string
	}{Code: "NoSuchKey", Message: "The specified key does not exist.", Key: key})
}

// list is ListObjectsV2: keys that start with prefix, those with a delimiter
// further on rolled up into common prefixes.
func (b *bucket) list(prefix, delimiter string) bucketListing {
	listing := bucketListing{Name: b.name, Prefix: prefix, Delimiter: delimiter, MaxKeys: 1000}
	start, _ := slices.BinarySearch(b.keys, prefix)
	for _, key := range b.keys[start:] {
		rest, ok := strings.CutPrefix(key, prefix)
		if !ok {
			break
		}
		if listing.KeyCount == listing.MaxKeys {
			listing.IsTruncated = true
			break
		}
		dir, _, deeper := strings.Cut(rest, delimiter)
		if delimiter == "" || !deeper {
			listing.Contents = append(listing.Contents, bucketContent{key})
			listing.KeyCount++
			continue
		}
		common := bucketPrefixes{prefix + dir + delimiter}
		if n := len(listing.CommonPrefixes); n == 0 || listing.CommonPrefixes[n-1] != common {
			listing.CommonPrefixes = append(listing.CommonPrefixes, common)
			listing.KeyCount++
		}
	}
	return listing
}

func replyXML(rw http.ResponseWriter, status int, v any) {
	body, err := xml.Marshal(v)
	if err != nil {
		http.Error(rw, err.Error(), http.StatusInternalServerError)
		return
	}
	reply(rw, status, "application/xml", append([]byte(xml.Header), body...))
}

// Package sidecar writes the file beside a work's link that says what the work's
// file is: where it came from, under what licence, who says so, and how it was
// checked. It is made of the catalog's record and of nothing else, so it can be
// made again at any time, byte for byte.
package sidecar

import (
	"bytes"
	"encoding/json"

	"github.com/quire-dev/quire/paper"
)

// Ext is what stands behind the name of the work. No file of a work has it: none
// of the formats that are kept is JSON.
const Ext = ".json"

// doc is the shape of a sidecar. Unknown is null.
type doc struct {
	ArtifactID string    `json:"artifact_id"`
	IDs        paper.IDs `json:"ids"`
	Title      *string   `json:"title"`
	Published  *string   `json:"published"` // YYYY, YYYY-MM or YYYY-MM-DD

	License  *string `json:"license"`
	Version  *string `json:"version"`
	Resolver *string `json:"resolver"` // the source that led to the file
	// ClaimBy is the source that gave licence and version with the file's own URL;
	// null if the licence was told of the work as a whole.
	ClaimBy *string `json:"claim_by"`

	URL  *string     `json:"url"` // where the bytes came from, after redirects
	Hops []paper.Hop `json:"hops"`

	Path      string  `json:"path"` // as in the record
	SHA256    string  `json:"sha256"`
	Bytes     int64   `json:"bytes"`
	MediaType *string `json:"media_type"`
	Verdict   *string `json:"verdict"`

	StoredAt     *string `json:"stored_at"` // RFC 3339, UTC, milliseconds
	Attempts     int     `json:"attempts"`
	QuireVersion *string `json:"quire_version"`
}

// Encode returns the sidecar of a record with a file: indented JSON that ends in a
// line end. Control characters are escaped.
func Encode(r paper.Record) []byte {
	f := r.File
	d := doc{
		ArtifactID: r.ArtifactID, IDs: r.IDs, Title: known(r.Title), Published: known(r.Published),
		License: known(f.License), Version: known(string(f.Version)), Resolver: known(f.Resolver),
		URL: known(f.URL), Hops: []paper.Hop{}, Path: f.Path, SHA256: f.SHA256, Bytes: f.Bytes,
		MediaType: known(f.MediaType), Verdict: known(f.Verdict), Attempts: r.Attempts, QuireVersion: known(r.QuireVersion),
	}
	for _, t := range r.Tried {
		if t.Gave() {
			d.Hops = append(d.Hops, t.Hops...)
			if t.License == f.License && t.Version == f.Version {
				d.ClaimBy = known(t.Source)
			}
		}
	}
	if !r.At.IsZero() {
		at := r.At.UTC().Format("2006-01-02T15:04:05.000Z")
		d.StoredAt = &at
	}
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(d); err != nil {
		panic(err) // only strings, numbers and slices of them
	}
	return text.Bytes()
}

// known is nil for an empty text, which says nothing.
func known(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

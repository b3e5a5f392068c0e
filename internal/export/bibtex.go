package export

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strings"

	"github.com/quire-dev/quire/internal/report"
	"github.com/quire-dev/quire/queue"
)

// BibTeX writes an entry per artifact that is done and returns how many. Paths of
// files are those of the records, as seen from the directory dir; data is the
// directory that they are relative to.
func BibTeX(ctx context.Context, w io.Writer, src report.Source, opt Options, data, dir string) (n int, err error) {
	opt.States = []queue.State{queue.Done}
	return each(ctx, src, opt, func(l report.Line) error {
		_, err := io.WriteString(w, bibEntry(l, func(stored string) string { return seenFrom(dir, data, stored) }))
		return err
	})
}

func bibEntry(l report.Line, place func(stored string) string) string {
	kind := "misc"
	if l.IDs.DOI != "" {
		kind = "article" // records don't tell the kinds of works
	}
	var b strings.Builder
	fmt.Fprintf(&b, "@%s{%s", kind, bibKey(l.ArtifactID))
	field := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, ",\n  %-13s = {%s}", name, value)
		}
	}
	if l.Title != nil {
		field("title", "{"+tex(*l.Title)+"}") // the inner braces keep its capitals
	}
	if strings.ContainsAny(l.IDs.DOI, `{}\%`) {
		field("doi", "https://doi.org/"+verbatim(l.IDs.DOI))
	} else {
		field("doi", l.IDs.DOI)
	}
	if l.IDs.ArXiv != "" {
		field("eprint", l.IDs.ArXiv)
		field("archiveprefix", "arXiv")
	}
	field("pmid", l.IDs.PMID)
	field("pmcid", l.IDs.PMCID)
	field("openalex", l.IDs.OpenAlex)
	url := l.IDs.URL
	if url == "" {
		url = text(l.URL)
	}
	field("url", verbatimURL(url))
	if l.Path != nil {
		// Braces have no escape there.
		if at := place(*l.Path); !strings.ContainsAny(at, "{}") {
			field("file", ":"+jabRef(at)+":"+strings.ToUpper(strings.TrimPrefix(path.Ext(*l.Path), ".")))
		}
	}
	b.WriteString("\n}\n\n")
	return b.String()
}

// maxKey is how long a key may be, in bytes: some programs make file names of it.
const maxKey = 120

// bibKey makes a key of an artifact's id: always the same, and another for
// another id, also where case does not count. What keys can't have is written as
// + and two hex digits; a longer key is cut and ends in a hash, as those of URLs
// do.
func bibKey(id string) string {
	var b strings.Builder
	for _, c := range []byte(id) {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(".:/-_", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "+%02x", c)
		}
	}
	key := b.String()
	if !strings.HasPrefix(id, "url:") && len(key) <= maxKey {
		return key
	}
	sum := sha256.Sum256([]byte(id))
	return key[:min(len(key), maxKey-33)] + "+" + hex.EncodeToString(sum[:16])
}

// texSpecial escapes what is special in LaTeX, without a brace more or less.
//
//nolint:gochecknoglobals // a table, never written
var texSpecial = strings.NewReplacer(
	`\`, `\textbackslash{}`, `{`, `\textbraceleft{}`, `}`, `\textbraceright{}`, `~`, `\textasciitilde{}`, `^`, `\textasciicircum{}`,
	`&`, `\&`, `%`, `\%`, `$`, `\$`, `#`, `\#`, `_`, `\_`,
)

// tex writes text for LaTeX, on one line.
func tex(s string) string {
	return texSpecial.Replace(report.Printable(strings.Join(strings.Fields(s), " ")))
}

// verbatim percent-encodes what would end or open the braces of a field that
// programs read as it stands, and the percent sign.
func verbatim(s string) string { return verbatimURL(strings.ReplaceAll(s, "%", "%25")) }

// verbatimURL leaves the percent signs of a URL. To servers a percent-encoded brace
// is the same.
func verbatimURL(url string) string {
	return strings.NewReplacer("{", "%7B", "}", "%7D", `\`, "%5C").Replace(url)
}

// jabRef escapes a path for the file field, DESCRIPTION:PATH:TYPE
// (https://docs.jabref.org/finding-sorting-and-cleaning-entries/filelinks).
func jabRef(p string) string {
	return strings.NewReplacer(`\`, `\\`, ":", `\:`, ";", `\;`).Replace(p)
}

// seenFrom returns the path of a stored file relative to dir, with slashes. It is
// as it was if it is the URL of an object.
func seenFrom(dir, data, stored string) string {
	if strings.Contains(stored, "://") {
		return stored
	}
	full := filepath.FromSlash(stored)
	if !filepath.IsAbs(full) {
		full = filepath.Join(data, full)
	}
	abs, err := filepath.Abs(full)
	if err != nil {
		return filepath.ToSlash(full)
	}
	if dir, err = filepath.Abs(dir); err == nil {
		if rel, err := filepath.Rel(dir, abs); err == nil {
			return filepath.ToSlash(rel)
		}
	}
	return filepath.ToSlash(abs)
}

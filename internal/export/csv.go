package export

import (
	"context"
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"github.com/quire-dev/quire/internal/report"
)

// header names the columns, of which row gives the cells.
func header() []string {
	return []string{
		"artifact_id", "state", "reason", "class", "title", "doi", "arxiv", "pmcid", "pmid", "openalex", "license", "version",
		"resolver", "url", "path", "sha256", "bytes", "media_type", "verdict", "attempts", "run", "created_at", "updated_at", "last_error",
	}
}

func row(l report.Line) []string {
	return []string{
		l.ArtifactID, string(l.State), text(l.Reason), text(l.Class), text(l.Title), l.IDs.DOI, l.IDs.ArXiv, l.IDs.PMCID, l.IDs.PMID,
		l.IDs.OpenAlex, text(l.License), text(l.Version), text(l.Resolver), text(l.URL), text(l.Path), text(l.SHA256), text(l.Bytes),
		text(l.MediaType), text(l.Verdict), strconv.Itoa(l.Attempts), text(l.Run), l.CreatedAt.String(), l.UpdatedAt.String(), text(l.LastError),
	}
}

// CSV writes a header and a row per artifact (RFC 4180) and returns how many.
// Control characters are escaped as [report.Printable] does, and no cell is a
// formula to a spreadsheet.
func CSV(ctx context.Context, w io.Writer, src report.Source, opt Options) (n int, err error) {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if err := out.Write(header()); err != nil {
		return 0, err
	}
	n, err = each(ctx, src, opt, func(l report.Line) error {
		cells := row(l)
		for i, cell := range cells {
			cells[i] = report.Printable(inert(cell))
		}
		return out.Write(cells)
	})
	if err != nil {
		return n, err
	}
	out.Flush()
	return n, out.Error()
}

// inert puts an apostrophe before what spreadsheets take for a formula
// (https://owasp.org/www-community/attacks/CSV_Injection).
func inert(cell string) string {
	if cell != "" && strings.IndexByte("=+-@\t\r\x00", cell[0]) >= 0 {
		return "'" + cell
	}
	return cell
}

package resolver

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/quire-dev/quire/paper"
)

// wayback looks for captures of the files that are no longer where they were, in
// the index of the Internet Archive's Wayback Machine: one dead address per
// request, and the next one, under the cursor, if there is no capture. Its index, unlike the availability API,
// tells captures of a PDF from those of the page that took its place.
type wayback struct{ cfg Config }

const (
	// maxDead is how many dead addresses of a work are asked about: the index bears
	// 24 requests a minute.
	maxDead = 3
	// maxCaptures is how many different captures of one address are tried.
	maxCaptures = 2
)

func (w wayback) accepts(a paper.Artifact) bool { return len(w.dead(a)) > 0 }

// dead are the files to ask about. What has failed at the archive itself is none.
func (w wayback) dead(a paper.Artifact) []paper.Candidate {
	var dead []paper.Candidate
	for _, c := range a.Dead {
		if c.Kind == paper.PDF && !strings.HasPrefix(c.URL, w.cfg.BaseURL+"/") && len(dead) < maxDead {
			dead = append(dead, c)
		}
	}
	return dead
}

// place is that of the file that is asked about now.
func (w wayback) place(a paper.Artifact) int {
	at := slices.IndexFunc(w.dead(a), func(c paper.Candidate) bool { return c.URL == a.Cursor })
	return max(at, 0)
}

func (w wayback) url(a paper.Artifact) string {
	return w.cfg.BaseURL + "/cdx/search/cdx?url=" + escapeSegment(w.dead(a)[w.place(a)].URL) +
		"&output=json&fl=timestamp,original,digest&filter=statuscode:200&filter=mimetype:application/pdf&limit=-5"
}

func (w wayback) answer(a paper.Artifact, reply paper.Reply) (paper.Answer, error) {
	if err := check(reply, false); err != nil {
		return paper.Answer{}, err
	}
	captures, err := readCaptures(reply.Body)
	if err != nil {
		return paper.Answer{}, err
	}
	dead, at := w.dead(a), w.place(a)
	answer := paper.Answer{Note: "no capture of a dead link"}
	for _, c := range captures {
		if !sameFile(c.original, dead[at].URL) {
			continue
		}
		answer.Note = "a capture of a dead link"
		answer.Candidates = append(answer.Candidates, paper.Candidate{
			URL: w.cfg.BaseURL + "/web/" + c.timestamp + "id_/" + c.original, Kind: paper.PDF, // id_: the bytes as they were
			Version: dead[at].Version, License: dead[at].License,
		})
	}
	if len(answer.Candidates) == 0 && at+1 < len(dead) {
		answer.Cursor = dead[at+1].URL
	}
	return answer, nil
}

// capture is a row of the index.
type capture struct{ timestamp, original, digest string }

var captureTime = regexp.MustCompile(`^[0-9]{14}$`)

// readCaptures reads an array of arrays, the first of which names the columns.
// The latest of the captures that differ come first; rows that are none are
// left out.
func readCaptures(body []byte) ([]capture, error) {
	var rows list[list[text]]
	if err := json.Unmarshal(body, &rows); err != nil {
		return nil, unreadable(body, err)
	}
	if rows == nil {
		return nil, unreadable(body, errNotArray)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	column := func(row list[text], name text) string {
		if i := slices.Index(rows[0], name); i >= 0 && i < len(row) {
			return string(row[i])
		}
		return ""
	}
	var captures []capture
	seen := make(map[string]bool)
	for _, row := range slices.Backward(rows[1:]) {
		c := capture{column(row, "timestamp"), column(row, "original"), column(row, "digest")}
		if !captureTime.MatchString(c.timestamp) || c.original == "" || seen[c.digest] || len(captures) == maxCaptures {
			continue
		}
		seen[c.digest] = true
		captures = append(captures, c)
	}
	return captures, nil
}

// sameFile reports whether two URLs are the same but for scheme, www and case,
// which the index does not tell apart, and a port.
func sameFile(a, b string) bool {
	return strings.EqualFold(bareURL(a), bareURL(b))
}

func bareURL(raw string) string {
	u, err := cleanURL(raw)
	if err != nil {
		return raw
	}
	_, rest, _ := strings.Cut(u, "://")
	host, path, _ := strings.Cut(rest, "/")
	host, _, _ = strings.Cut(strings.TrimPrefix(host, "www."), ":")
	return host + "/" + path
}

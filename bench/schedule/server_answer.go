package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/quire-dev/quire/internal/testweb"
)

// Answers do not keep a client waiting for longer than this without a byte, so
// that slow stations are slow and not dead. Scaled timeouts are above it.
const longestSilence = 400 * time.Millisecond

const (
	fileSizes = 64      // different ones, from 1 KiB to 64 KiB
	sizeStep  = 1 << 10 // between them
)

// makeFiles makes a PDF of each size. A job's file is one of them and its number,
// so that no two are the same.
func makeFiles() [][]byte {
	files := make([][]byte, fileSizes)
	for n := range files {
		files[n] = makeFile(n)
	}
	return files
}

func makeFile(n int) []byte { return testweb.PDF(fmt.Sprintf("rig %d", n), (n+1)*sizeStep) }

// sized returns the PDF of a job. One that takes long is larger: programs give up
// bodies that bring less than 1 KiB a second.
func (s *server) sized(j job, took time.Duration) []byte {
	n := max(j.N%fileSizes, int(2*took.Seconds()))
	if n < len(s.files) {
		return s.files[n]
	}
	return makeFile(n)
}

// file serves a job's file at the host that has it, and at another that it is
// gone, or has moved if the job knows no other.
func (s *server) file(rw http.ResponseWriter, r *http.Request, at int, j job, took time.Duration) int {
	last := len(j.Hosts) - 1
	if j.Hosts[last] != at {
		if !pause(r.Context(), took) {
			return 0
		}
		status := http.StatusNotFound
		if j.Hops {
			status = http.StatusFound
			rw.Header().Set("Location", s.url(j, slices.Index(j.Hosts, at)+1))
		}
		rw.WriteHeader(status)
		return status
	}
	body := slices.Concat(s.sized(j, took), fmt.Appendf(nil, "%% rig %d\n", j.N))
	head := min(took/3, longestSilence)
	if !pause(r.Context(), head) {
		return 0
	}
	rw.Header().Set("Content-Type", "application/pdf")
	rw.Header().Set("Content-Length", strconv.Itoa(len(body)))
	left := took - head
	parts := int(left/longestSilence) + 1
	flush := http.NewResponseController(rw)
	for n := range parts {
		if _, err := rw.Write(body[n*len(body)/(parts+1) : (n+1)*len(body)/(parts+1)]); err != nil {
			return 0
		}
		if flush.Flush() != nil || !pause(r.Context(), left/time.Duration(parts)) {
			return 0
		}
	}
	if _, err := rw.Write(body[parts*len(body)/(parts+1):]); err != nil {
		return 0
	}
	return http.StatusOK
}

// resolve serves what a resolver says of a job: nothing, unless it is the last
// that the job asks.
func (s *server) resolve(rw http.ResponseWriter, r *http.Request, at int, j job, took time.Duration) int {
	if !pause(r.Context(), took) {
		return 0
	}
	knows := j.Ask[len(j.Ask)-1] == at
	if !knows && s.Stations[at].Name != "europepmc" {
		rw.WriteHeader(http.StatusNotFound)
		return http.StatusNotFound
	}
	var urls []string
	if knows {
		for place := range j.Hosts {
			if place == 0 || !j.Hops {
				urls = append(urls, s.url(j, place))
			}
		}
	}
	rw.Header().Set("Content-Type", "application/json")
	if json.NewEncoder(rw).Encode(answers()[s.Stations[at].Name](j, urls)) != nil {
		return 0
	}
	return http.StatusOK
}

// answers are the shapes of the services' answers, by resolver.
func answers() map[string]func(j job, urls []string) any {
	return map[string]func(job, []string) any{
		"unpaywall": unpaywallAnswer, "openalex": openAlexAnswer, "crossref": crossrefAnswer, "europepmc": europePMCAnswer,
	}
}

type object = map[string]any

// each makes an object of each URL.
func each(urls []string, of func(url string) object) []object {
	list := []object{}
	for _, u := range urls {
		list = append(list, of(u))
	}
	return list
}

func unpaywallAnswer(j job, urls []string) any {
	kind := "url_for_pdf"
	if j.Page {
		kind = "url_for_landing_page"
	}
	return object{"doi": j.doi(), "is_oa": true, "oa_status": "gold", "oa_locations": each(urls, func(u string) object {
		return object{kind: u, "version": "publishedVersion", "license": "cc-by"}
	})}
}

func openAlexAnswer(j job, urls []string) any {
	kind := "pdf_url"
	if j.Page {
		kind = "landing_page_url"
	}
	return object{"doi": "https://doi.org/" + j.doi(), "locations": each(urls, func(u string) object {
		return object{"is_oa": true, kind: u, "version": "publishedVersion", "license": "cc-by"}
	})}
}

func crossrefAnswer(j job, urls []string) any {
	if j.Page {
		urls = nil // its links are to files
	}
	return object{"message": object{"DOI": j.doi(), "type": "journal-article", "link": each(urls, func(u string) object {
		return object{"URL": u, "content-type": "application/pdf", "content-version": "vor", "intended-application": "text-mining"}
	})}}
}

func europePMCAnswer(j job, urls []string) any {
	style := "pdf"
	if j.Page {
		style = "html"
	}
	found := []object{}
	if len(urls) > 0 {
		found = append(found, object{"source": "MED", "doi": j.doi(), "fullTextUrlList": object{
			"fullTextUrl": each(urls, func(u string) object {
				return object{"availabilityCode": "OA", "documentStyle": style, "url": u}
			}),
		}})
	}
	return object{"resultList": object{"result": found}}
}

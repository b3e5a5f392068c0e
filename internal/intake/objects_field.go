package intake

import (
	"bytes"
	"errors"
	"fmt"
)

// readCSL reads CSL-JSON (https://citeproc-js.readthedocs.io/en/latest/csl-json/markup.html):
// an array of items, {"items": […]} as Zotero answers, or an item a line.
func readCSL(in *input, _ Options, yield func(Row, error) bool) error {
	return readObjects(in, &schema{field: cslSlot, list: "items", what: "the item"}, yield)
}

func cslSlot(name []byte) slot {
	switch string(bytes.ToLower(name)) {
	case "doi":
		return slot(doi)
	case "pmid":
		return slot(pmid)
	case "pmcid":
		return slot(pmcid)
	case "url":
		return slot(webURL)
	case "title":
		return slot(title)
	case "id", "number", "archive_location": // a key of the user's, of a report or preprint, in arXiv or elsewhere
		return maybeID
	case "note":
		return note
	case "container-title":
		return arxivNote
	}
	return ignored
}

// readUnpaywall reads a dump or feed of Unpaywall, a record a line
// (https://unpaywall.org/data-format). Open or not, the DOI is the work.
func readUnpaywall(in *input, _ Options, yield func(Row, error) bool) error {
	return readObjects(in, &schema{field: unpaywallSlot, list: "results", what: "the record"}, yield)
}

func unpaywallSlot(name []byte) slot {
	switch string(name) {
	case "doi":
		return slot(doi)
	case "title":
		return slot(title)
	}
	return ignored
}

// readOpenAlex reads works as OpenAlex answers with them and as its snapshot has
// them (https://docs.openalex.org/api-entities/works/work-object).
func readOpenAlex(in *input, _ Options, yield func(Row, error) bool) error {
	in.allow(maxObject)
	return readObjects(in, &schema{
		field: openAlexSlot, inside: "ids", nested: openAlexID, list: "results", what: "the work",
	}, yield)
}

func openAlexSlot(name []byte) slot {
	switch string(name) {
	case "id":
		return slot(openAlex)
	case "doi":
		return slot(doi)
	case "title", "display_name":
		return slot(title)
	}
	return ignored
}

func openAlexID(name []byte) slot {
	switch string(name) {
	case "openalex":
		return slot(openAlex)
	case "doi":
		return slot(doi)
	case "pmid":
		return slot(pmid)
	case "pmcid":
		return slot(pmcid)
	}
	return ignored
}

// entry reads an object into e. Like row it is strict about JSON.
func (s *scanner) entry(object []byte, sc *schema, e *entry) error {
	s.reset(object)
	if c := s.space(); c != '{' {
		return fmt.Errorf("%s where a JSON object should begin", s.found())
	}
	s.pos++
	err := s.members(func() error {
		key, err := s.key()
		if err != nil {
			return err
		}
		if sc.inside != "" && string(key) == sc.inside && s.is('{') {
			s.pos++
			return s.members(func() error {
				name, err := s.name()
				if err != nil {
					return err
				}
				return s.text(sc.nested(name), name, e)
			})
		}
		return s.text(sc.field(key), key, e)
	})
	if err != nil {
		return err
	}
	if s.space() != 0 || s.pos < len(s.line) {
		return fmt.Errorf("%s after the JSON object", s.found())
	}
	return nil
}

// text reads a value into its slot. The first of a list of texts counts.
func (s *scanner) text(to slot, name []byte, e *entry) error {
	if to == ignored {
		return s.skip(0)
	}
	start := s.pos
	switch c := s.line[s.pos]; {
	case c == '"':
		text, err := s.str()
		if err != nil {
			return err
		}
		if bytes.IndexByte(text, 0) >= 0 {
			return fmt.Errorf("%.40s has a NUL character in it", name)
		}
		e.add(to, string(text))
		return nil
	case c == '[':
		s.pos++
		first := true
		return s.members(func() error {
			if first && s.is('"') {
				first = false
				return s.text(to, name, e)
			}
			return s.skip(1)
		})
	case to == slot(pmid) && isDigit(c):
		if err := s.skip(0); err != nil {
			return err
		}
		e.add(to, integer(s.line[start:s.pos]))
		return nil
	case c != 'n' && to != slot(title) && to != maybeID && to != note && to != arxivNote && e.fault == nil:
		e.fault = errors.New(string(name[:min(len(name), 40)]) + " is not a string")
	}
	return s.skip(0)
}

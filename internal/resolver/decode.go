package resolver

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// maxElements bounds the elements that are read of one array; the longest list
// of locations seen in recorded answers has 20.
const maxElements = 1000

// decode reads a JSON object into v. A field of the wrong type is left out; an
// answer that is no object, or is cut, is an error.
func decode(body []byte, v any) error {
	object := bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
	if len(object) == 0 {
		return unreadable(nil, errEmpty)
	}
	if object[0] != '{' {
		return unreadable(object, errNotObject)
	}
	if err := lenient(json.Unmarshal(object, v)); err != nil {
		return unreadable(object, err)
	}
	return nil
}

// lenient forgives values of a wrong type: encoding/json leaves them out and
// reads on.
func lenient(err error) error {
	if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return nil
	}
	return err
}

// decodeArray reads a JSON array of exactly n elements, each as it stands.
func decodeArray(body []byte, n int) ([]json.RawMessage, error) {
	array := bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
	if len(array) == 0 {
		return nil, unreadable(nil, errEmpty)
	}
	var elements list[json.RawMessage]
	if err := json.Unmarshal(array, &elements); err != nil {
		return nil, unreadable(array, err)
	}
	if elements == nil {
		return nil, unreadable(array, errNotArray)
	}
	if len(elements) != n {
		return nil, unreadable(array, fmt.Errorf("%w: %d of %d", errOtherNumber, len(elements), n))
	}
	return elements, nil
}

// list is an array without the elements that have the wrong type. What is no
// array is nil.
type list[T any] []T

// UnmarshalJSON never fails: raw is valid JSON already.
func (l *list[T]) UnmarshalJSON(raw []byte) error {
	*l = nil
	dec := json.NewDecoder(bytes.NewReader(raw))
	if start, err := dec.Token(); err != nil || start != json.Delim('[') {
		return nil //nolint:nilerr // no array: no list
	}
	*l = list[T]{}
	for dec.More() && len(*l) < maxElements {
		var element T
		err := dec.Decode(&element)
		if lenient(err) != nil {
			break
		}
		if err == nil {
			*l = append(*l, element)
		}
	}
	return nil //nolint:nilerr // what could be read is the list
}

// text is a string, or a number as it is written; anything else is empty.
type text string

// UnmarshalJSON never fails.
func (t *text) UnmarshalJSON(raw []byte) error {
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		var n json.Number
		if err := json.Unmarshal(raw, &n); err != nil {
			n = ""
		}
		s = n.String()
	}
	*t = text(strings.TrimSpace(s))
	return nil
}

// texts is an array of strings or, as some services write one of them, a string.
type texts []string

// UnmarshalJSON never fails.
func (t *texts) UnmarshalJSON(raw []byte) error {
	*t = nil
	var several list[text]
	var one text
	_, _ = several.UnmarshalJSON(raw), one.UnmarshalJSON(raw)
	for _, element := range append(several, one) {
		if element != "" {
			*t = append(*t, string(element))
		}
	}
	return nil
}

// first is the first of them, or empty.
func (t texts) first() string {
	if len(t) == 0 {
		return ""
	}
	return t[0]
}

// flag is a boolean that services write as true, "Y", "yes" or 1.
type flag bool

// UnmarshalJSON never fails.
func (f *flag) UnmarshalJSON(raw []byte) error {
	switch strings.ToLower(strings.Trim(string(raw), `"`)) {
	case "true", "y", "yes", "1":
		*f = true
	default:
		*f = false
	}
	return nil
}

package resolver

import (
	"fmt"
	"regexp"
	"strings"
)

var dateForm = regexp.MustCompile(`^[12][0-9]{3}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$`)

// dateOf returns a date of publication as YYYY, YYYY-MM or YYYY-MM-DD, or nothing
// if the field holds none. A time of day is dropped.
func dateOf(field text) string {
	date, _, _ := strings.Cut(strings.TrimSpace(string(field)), "T")
	if !dateForm.MatchString(date) {
		return ""
	}
	return date
}

// dateParts is a date as Crossref writes it: a list of lists of year, month and day,
// of which the later may be missing.
type dateParts struct {
	Parts list[list[int]] `json:"date-parts"`
}

func (d dateParts) date() string {
	if len(d.Parts) == 0 || len(d.Parts[0]) == 0 {
		return ""
	}
	formats := []string{"%04d", "-%02d", "-%02d"}
	var date strings.Builder
	for i, part := range d.Parts[0][:min(len(d.Parts[0]), len(formats))] {
		fmt.Fprintf(&date, formats[i], part)
	}
	return dateOf(text(date.String()))
}

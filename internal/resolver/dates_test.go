package resolver

import (
	"encoding/json"
	"testing"
)

func TestDates(t *testing.T) {
	for field, want := range map[text]string{
		"2020": "2020", " 2020-05 ": "2020-05", "2020-05-31": "2020-05-31", "2020-05-31T10:00:00Z": "2020-05-31",
		"": "", "2020-13": "", "2020-5": "", "31.5.2020": "", "0020-01-01": "", "2020-05-32": "",
	} {
		if got := dateOf(field); got != want {
			t.Errorf("dateOf(%q) = %q, want %q", field, got, want)
		}
	}
	for doc, want := range map[string]string{
		`{"date-parts":[[2020,5,1]]}`: "2020-05-01", `{"date-parts":[[2020,5]]}`: "2020-05", `{"date-parts":[[2020]]}`: "2020",
		`{"date-parts":[[2020,5,1,9]]}`: "2020-05-01", `{"date-parts":[[null]]}`: "", `{"date-parts":[]}`: "",
		`{"date-parts":[[99999999999999999999]]}`: "", `{"date-parts":"2020"}`: "", `{}`: "", `{"date-parts":[[-3,44]]}`: "",
	} {
		var d dateParts
		if err := lenient(json.Unmarshal([]byte(doc), &d)); err != nil {
			t.Fatal(err)
		}
		if got := d.date(); got != want {
			t.Errorf("%s is %q, want %q", doc, got, want)
		}
	}
}

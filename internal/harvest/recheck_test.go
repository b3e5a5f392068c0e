package harvest

import (
	"testing"
	"time"

	"github.com/quire-dev/quire/paper"
)

func TestRecheck(t *testing.T) {
	created := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	tests := map[string]struct {
		class     paper.Class
		published string
		age       int // of the job, in days
		want      int // age at the re-check; 0: none
	}{
		"not open":                    {paper.NoOALocation, "2019-02-03", 0, 30},
		"not open after a month":      {paper.NoOALocation, "2019-02-03", 31, 90},
		"not open after three months": {paper.NoOALocation, "2019", 90, 365},
		"not open after a year":       {paper.NoOALocation, "2019", 365, 0},
		"fresh":                       {paper.NoOALocation, "2026-05-20", 0, 3},
		"fresh, by the month":         {paper.NoOALocation, "2026-03", 4, 7},
		"fresh, by the year":          {paper.NoOALocation, "2026", 8, 14},
		"fresh, long ago":             {paper.NoOALocation, "2026-05-20", 40, 90},
		"not yet published":           {paper.NoOALocation, "2026-09-01", 0, 3},
		"just not fresh":              {paper.NoOALocation, "2026-03-03", 0, 30},
		"no date":                     {paper.NoOALocation, "", 0, 30},
		"a page without a file":       {paper.NoPDFLink, "2026-05-20", 0, 90},
		"a paywall, looked at again":  {paper.Paywall, "", 91, 0},
		"forbidden":                   {paper.Forbidden, "", 1, 30},
		"forbidden twice":             {paper.Forbidden, "", 31, 0},
		"no such identifier":          {paper.NotFoundID, "2026-05-20", 0, 0},
		"transient":                   {paper.Transient, "", 0, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			at, worth := recheck(tt.class, tt.published, created, created.Add(time.Duration(tt.age)*day))
			want := created.Add(time.Duration(tt.want) * day)
			if worth != (tt.want > 0) || worth && !at.Equal(want) {
				t.Errorf("re-check at %v (%v), want %v", at, worth, want)
			}
		})
	}
}

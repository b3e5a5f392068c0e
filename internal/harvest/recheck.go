package harvest

import (
	"time"

	"github.com/quire-dev/quire/paper"
)

// recent is how young a work is of which an open copy may turn up any day:
// some publishers' links answer 404 in the first week and then work.
const recent = 90 * day

const day = 24 * time.Hour

// recheck says when it is worth looking again for a file that was not found, if it
// is: at the next of certain ages of the job, so that a work is looked for as often
// however it is asked for again. Embargoes of repositories are 6, 12 or 24 months;
// walls come down seldom.
func recheck(class paper.Class, published string, created, now time.Time) (at time.Time, worth bool) {
	var ages []int // in days
	switch class {
	case paper.NoOALocation:
		ages = []int{30, 90, 365}
		if created.Sub(latest(published)) < recent {
			ages = []int{3, 7, 14, 30, 90, 365}
		}
	case paper.NoPDFLink, paper.CookieWall, paper.LoginWall, paper.Paywall:
		ages = []int{90}
	case paper.Forbidden:
		ages = []int{30}
	default:
		return time.Time{}, false
	}
	for _, age := range ages {
		if at := created.Add(time.Duration(age) * day); at.After(now) {
			return at.UTC().Truncate(time.Millisecond), true
		}
	}
	return time.Time{}, false
}

// latest returns the last day that a date such as 2026, 2026-03 or 2026-03-01 can
// mean, or the zero time if it is none.
func latest(date string) time.Time {
	for layout, next := range map[string][3]int{"2006": {1, 0, -1}, "2006-01": {0, 1, -1}, time.DateOnly: {}} {
		if t, err := time.Parse(layout, date); err == nil {
			return t.AddDate(next[0], next[1], next[2])
		}
	}
	return time.Time{}
}

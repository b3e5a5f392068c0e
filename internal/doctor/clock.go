package doctor

import (
	"fmt"
	"slices"
	"time"
)

// clockOff is how far a clock may be off. Certificates, waits that are given as
// dates, quotas that begin at midnight and rechecks go by it, and S3 refuses
// requests that are off by a quarter of an hour. A machine that sets its clock by
// the network is within a second.
const clockOff = time.Minute

// Clock compares this machine's clock with those of hosts, which are ahead of it by
// so much each. Of several the one in the middle counts.
func Clock(ahead []time.Duration) Check {
	switch n := len(ahead); n {
	case 0:
		return Check{Name: "clock", Status: Skipped, Found: "no host has told the time"}
	case 1:
		return apart(ahead[0], "the host that was asked")
	default:
		slices.Sort(ahead)
		return apart(ahead[n/2], fmt.Sprintf("%d hosts", n))
	}
}

// apart judges by how much others' clock is ahead of ours.
func apart(ahead time.Duration, whose string) Check {
	c := Check{Name: "clock", Status: OK}
	switch off := ahead.Abs().Round(time.Second); {
	case off <= time.Second:
		c.Found = "within a second of that of " + whose
	case ahead > 0:
		c.Found = fmt.Sprintf("%s behind that of %s", span(off), whose)
	default:
		c.Found = fmt.Sprintf("%s ahead of that of %s", span(off), whose)
	}
	if ahead.Abs() > clockOff {
		c.Status = Warn
		c.Next = "set it by the network (NTP): certificates, waits that are given as dates and S3 go by it"
	}
	return c
}

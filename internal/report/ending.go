package report

import (
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// ending is what people are told of a way to end without a file.
type ending struct {
	one, many string // what a work, or several, did: "12 are not open"
	then      string // what to do about it
	way       way

	// recheck is after how many days it may be worth asking again: ours, as no
	// service publishes any. Dead links and damaged files seldom change in less.
	recheck []int
}

// way is how works are asked for again.
type way int

const (
	never   way = iota
	retry       // quire queue retry-failed: they ended in error
	due         // quire queue retry-failed --due: the harvest has said when
	reask       // quire queue prune, and importing them again: they ended as skipped
	inspect     // by a human
)

const (
	month   = 30
	quarter = 90
)

// endingOf tells of a failure class, or of a reason where there is none. ok is
// false for a word that is neither, which another handler may use.
func endingOf(word string) (e ending, ok bool) {
	switch paper.Class(word) {
	case paper.NotFoundID:
		e = ending{"has an identifier that does not exist", "have identifiers that do not exist", "correct the input and import it again", never, nil}
	case paper.NoOALocation:
		e = ending{"is not open", "are not open", "look again when it is time", due, nil}
	case paper.NoPDFLink:
		e = ending{"has open pages that name no file", "have open pages that name no file", "look again when it is time", due, nil}
	case paper.Throttled:
		e = ending{"was refused for being asked for too fast", "were refused for being asked for too fast", "retry: the pace was learnt", retry, []int{0}}
	case paper.BudgetExhausted:
		e = ending{"met a day's allowance that was spent", "met a day's allowance that was spent", "retry after midnight UTC", retry, []int{1}}
	case paper.Transient:
		e = ending{"met a host that failed", "met hosts that failed", "retry tomorrow", retry, []int{1}}
	case paper.Forbidden:
		e = ending{"was refused by its host", "were refused by their hosts", "look again when it is time", due, nil}
	case paper.Challenge:
		e = ending{"is behind a captcha or script wall", "are behind captchas or script walls", "Quire does not get round these: retry after 30 days", retry, []int{month}}
	case paper.CookieWall, paper.LoginWall:
		e = ending{"is behind a cookie or login wall", "are behind cookie or login walls", "look again when it is time", due, nil}
	case paper.Paywall:
		e = ending{"is behind a paywall", "are behind paywalls", "look again when it is time", due, nil}
	default:
		return endingOfFile(word)
	}
	return e, true
}

// endingOfFile is endingOf for what the files themselves were, and for the rest.
func endingOfFile(word string) (e ending, ok bool) {
	switch paper.Class(word) {
	case paper.RedirectLoop:
		e = ending{"was redirected in circles", "were redirected in circles", "retry after 30 days", retry, []int{month}}
	case paper.Gone:
		e = ending{"has only dead links", "have only dead links", "retry after 90 days", retry, []int{quarter}}
	case paper.WrongType:
		e = ending{"gave something that is not the file", "gave something that is not the file", "retry after 90 days", retry, []int{quarter}}
	case paper.InvalidContent:
		e = ending{"gave a damaged file", "gave damaged files", "retry after 30 days", retry, []int{month}}
	case paper.WrongWork:
		e = ending{"gave another work's file", "gave other works' files", "look at them with quire explain", inspect, nil}
	case paper.TooLarge:
		e = ending{"is over accept.max_bytes", "are over accept.max_bytes", "raise it if you want them", reask, nil}
	case paper.PolicySkipped:
		e = ending{"is refused by the policy on licences, versions or robots.txt", "are refused by the policy on licences, versions or robots.txt", "change accept if it is too strict", reask, nil}
	case paper.Config:
		e = ending{"met a fault of the configuration or the disk", "met a fault of the configuration or the disk", "mend it, see quire config check, then retry", retry, []int{0}}
	case paper.Crashed:
		e = ending{"ended the program each time", "ended the program each time", "update Quire, then retry", retry, nil}
	default:
		if word != queue.ReasonCancelled {
			return ending{}, false
		}
		e = ending{"was cancelled", "were cancelled", "import them again if they are wanted after all", reask, nil}
	}
	return e, true
}

// words says what n works did.
func (e ending) words(n int) string {
	if n == 1 {
		return e.one
	}
	return e.many
}

// wait is after how many days people are told to ask again: of several times the
// one in the middle.
func (e ending) wait() int {
	if len(e.recheck) == 0 {
		return 0
	}
	return e.recheck[len(e.recheck)/2]
}

package limit

import "time"

// day counts the requests of a day of UTC.
type day struct {
	number int64 // days since 1970
	spent  int32
}

const secondsPerDay = 24 * 60 * 60

func (d *day) count(now time.Time, n int32) {
	if today := now.Unix() / secondsPerDay; today != d.number {
		d.number, d.spent = today, 0
	}
	d.spent = max(d.spent+n, 0)
}

// today returns how many requests there were.
func (d *day) today(now time.Time) int {
	if now.Unix()/secondsPerDay != d.number {
		return 0
	}
	return int(d.spent)
}

// until is when a daily budget is there again, zero if it is not used up.
func (d *day) until(daily int, now time.Time) time.Time {
	if daily <= 0 || d.today(now) < daily {
		return time.Time{}
	}
	left := (d.number+1)*secondsPerDay - now.Unix()
	return now.Add(time.Duration(left)*time.Second - time.Duration(now.Nanosecond()))
}

// counting reports whether the count of today matters.
func (d *day) counting(daily int, now time.Time) bool { return daily > 0 && d.today(now) > 0 }

// Today returns how many requests have started since midnight UTC.
func (k *Key) Today(now time.Time) int { return k.day.today(now) }

// The retry budget: retries may be a fifth of the requests, and one in ten seconds
// besides, so that a failing key is not asked ever more
// (https://sre.google/sre-book/handling-overload/, with 10 % there;
// Finagle's RetryBudget, 20 % and 10 a second).
const (
	retryShare  = 0.2
	retryPerSec = 0.1
	retryStore  = 10 // retries that may be saved up
)

// retries is a token bucket. Its level is kept as what is missing, so that the
// zero value is a full one.
type retries struct {
	missing float64
	at      time.Time // when missing was right
}

func (r *retries) settle(now time.Time) {
	if since := now.Sub(r.at); since > 0 {
		r.missing = max(0, r.missing-retryPerSec*since.Seconds())
		r.at = now
	}
}

// earn counts a request.
func (r *retries) earn(now time.Time) {
	if r.missing > 0 {
		r.settle(now)
		r.missing = max(0, r.missing-retryShare)
	}
}

// Retry takes a retry out of the key's budget and returns how long it must wait
// at least: 0 while the budget lasts.
func (k *Key) Retry(now time.Time) (wait time.Duration) {
	r := &k.retries
	r.settle(now)
	r.missing++
	if over := r.missing - retryStore; over > 0 {
		return time.Duration(over / retryPerSec * float64(time.Second))
	}
	return 0
}

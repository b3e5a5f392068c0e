package limit

import (
	"math"
	"time"
)

// day counts the requests of a day of UTC.
type day struct {
	epoch  time.Duration // since 1970, of instant 0
	number int64         // days since 1970
	spent  int32
	until  time.Duration // the budget is there again; past if it is not used up
}

const oneDay = 24 * time.Hour

func (d *day) at(now time.Duration) int64 { return int64((d.epoch + now) / oneDay) }

// count adds n requests, if there is a budget.
func (d *day) count(now time.Duration, n int32, daily int) {
	if daily <= 0 {
		return
	}
	if today := d.at(now); today != d.number {
		d.number, d.spent = today, 0
	}
	d.spent = max(d.spent+n, 0)
	d.limit(daily)
}

// limit works out until when the budget is used up.
func (d *day) limit(daily int) {
	d.until = math.MinInt64
	if daily > 0 && int(d.spent) >= daily {
		d.until = time.Duration(d.number+1)*oneDay - d.epoch
	}
}

// counting reports whether the count of today matters.
func (d *day) counting(daily int, now time.Duration) bool {
	return daily > 0 && d.spent > 0 && d.number == d.at(now)
}

// Today returns how many requests have started since midnight UTC, if there is a
// daily budget.
func (k *Key) Today(now time.Duration) int {
	if !k.day.counting(k.rule.Daily, now) {
		return 0
	}
	return int(k.day.spent)
}

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
	at      time.Duration // when missing was right
}

func (r *retries) settle(now time.Duration) {
	if since := now - r.at; since > 0 {
		r.missing = max(0, r.missing-retryPerSec*since.Seconds())
		r.at = now
	}
}

// earn counts a request.
func (r *retries) earn(now time.Duration) {
	if r.missing > 0 {
		r.settle(now)
		r.missing = max(0, r.missing-retryShare)
	}
}

// Retry takes a retry out of the key's budget and returns how long it must wait
// at least: 0 while the budget lasts.
func (k *Key) Retry(now time.Duration) (wait time.Duration) {
	r := &k.retries
	r.settle(now)
	r.missing++
	if over := r.missing - retryStore; over > 0 {
		return time.Duration(over / retryPerSec * float64(time.Second))
	}
	return 0
}

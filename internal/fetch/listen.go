package fetch

import (
	"context"
	"net/http"
	"time"

	"github.com/quire-dev/quire/queue"
)

type listenKey struct{}

// listen is told what the answers to a context's requests announce. Nil ignores it.
type listen func(queue.Allowance)

// Listen returns a context whose requests, made by a [Client], tell hear what
// each answer announces of its host's limits, whatever its status: see
// [Announced]. So whoever paces the requests learns of it without all who make
// them passing it on. hear is called before the answer is returned, by the
// goroutine that asked.
func Listen(ctx context.Context, hear func(queue.Allowance)) context.Context {
	return context.WithValue(ctx, listenKey{}, listen(hear))
}

func listener(ctx context.Context) listen {
	l, _ := ctx.Value(listenKey{}).(listen)
	return l
}

func (l listen) hear(host string, h http.Header) {
	if l != nil {
		l(Announced(host, h, time.Now()))
	}
}

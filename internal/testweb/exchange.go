package testweb

import (
	"bufio"
	"net"
	"net/http"
	"strconv"
	"sync"
)

// exchange is the ResponseWriter of one request: it books the answer. The
// request ends, for the books, when its answer's last byte is about to leave:
// ending later would count the client's next request as one too many.
type exchange struct {
	http.ResponseWriter
	ledger *ledger
	head   bool // the request is a HEAD
	wrote  bool
	left   int64 // bytes of the declared body still to come; -1: not declared
	once   sync.Once
}

func (x *exchange) end() { x.once.Do(x.ledger.ended) }

// WriteHeader books the status, unless it is an informational one.
func (x *exchange) WriteHeader(status int) {
	if status >= http.StatusOK && !x.wrote {
		x.wrote = true
		if n, err := strconv.ParseInt(x.Header().Get("Content-Length"), 10, 64); err == nil && !x.head {
			x.left = n
		}
		x.ledger.answered(status, x.Header().Get("Retry-After"))
	}
	x.ResponseWriter.WriteHeader(status)
}

// Write holds back the last byte of a declared body until the end is booked.
func (x *exchange) Write(p []byte) (int, error) {
	if !x.wrote {
		x.WriteHeader(http.StatusOK)
	}
	if x.left <= 0 || int64(len(p)) < x.left {
		return x.write(p)
	}
	first, err := x.write(p[:x.left-1])
	if err != nil {
		return first, err
	}
	x.end()
	rest, err := x.write(p[first:])
	return first + rest, err
}

func (x *exchange) write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if x.head {
		return x.ResponseWriter.Write(p)
	}
	x.ledger.sent(len(p)) // first the book, then the wire: the client may look at once
	n, err := x.ResponseWriter.Write(p)
	x.ledger.sent(n - len(p))
	if x.left > 0 {
		x.left -= int64(n)
	}
	return n, err
}

// Flush sends what is buffered.
func (x *exchange) Flush() { _ = http.NewResponseController(x.ResponseWriter).Flush() }

// Hijack hands over the connection, which goes on booking.
func (x *exchange) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffer, err := http.NewResponseController(x.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	return &hijacked{Conn: conn, exchange: x}, buffer, nil
}

// hijacked is a connection whose handler writes its answer by hand.
type hijacked struct {
	net.Conn
	exchange *exchange
}

// Write books all bytes, and the status if p starts with a status line.
func (h *hijacked) Write(p []byte) (int, error) {
	if status, ok := statusOf(p); ok && !h.exchange.wrote {
		h.exchange.wrote = true
		h.exchange.ledger.answered(status, "")
	}
	h.exchange.ledger.sent(len(p))
	n, err := h.Conn.Write(p)
	h.exchange.ledger.sent(n - len(p))
	return n, err
}

// Close books the end of the request and hangs up.
func (h *hijacked) Close() error {
	h.exchange.end()
	return h.Conn.Close()
}

// last books the end of the request and writes what the client may take for a
// whole answer.
func (h *hijacked) last(p []byte) {
	h.exchange.end()
	_, _ = h.Write(p)
}

// statusOf reads the status of "HTTP/1.1 200 OK".
func statusOf(p []byte) (int, bool) {
	const before = len("HTTP/1.1 ")
	if len(p) < before+3 || string(p[:5]) != "HTTP/" {
		return 0, false
	}
	status, err := strconv.Atoi(string(p[before : before+3]))
	return status, err == nil
}

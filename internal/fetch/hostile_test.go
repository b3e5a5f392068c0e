package fetch_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quire-dev/quire/internal/fetch"
	"github.com/quire-dev/quire/paper"
)

// raw serves whatever talk writes, after it has read a request's header. Talk is
// told to end by the closing of conn.
func raw(t testing.TB, talk func(conn net.Conn)) (url string) {
	t.Helper()
	return accepting(t, func(conn net.Conn) {
		for r := bufio.NewReader(conn); ; {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			if line == "\r\n" {
				break
			}
		}
		talk(conn)
	})
}

// rawTLS serves whatever talk writes, once something has come: a ClientHello.
func rawTLS(t testing.TB, talk func(conn net.Conn)) (url string) {
	t.Helper()
	return accepting(t, func(conn net.Conn) {
		if _, err := conn.Read(make([]byte, 4<<10)); err == nil {
			talk(conn)
		}
	})
}

func accepting(t testing.TB, talk func(conn net.Conn)) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var (
		served sync.WaitGroup
		mu     sync.Mutex
		open   []net.Conn
	)
	served.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, conn)
			mu.Unlock()
			served.Go(func() {
				defer conn.Close()
				talk(conn)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, conn := range open {
			conn.Close()
		}
		mu.Unlock()
		served.Wait()
	})
	return "http://" + l.Addr().String() + "/"
}

// say returns a talk of one text; hang waits for the client to leave.
func say(text string) func(net.Conn) { return func(c net.Conn) { fmt.Fprint(c, text) } }
func hang(c net.Conn)                { _, _ = io.Copy(io.Discard, c) }

// drip sends text again and again until the client leaves.
func drip(text string, every time.Duration) func(net.Conn) {
	return func(c net.Conn) {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for range tick.C {
			if _, err := fmt.Fprint(c, text); err != nil {
				return
			}
		}
	}
}

func flood(text string) func(net.Conn) {
	text = strings.Repeat(text, 1+(64<<10)/len(text))
	return func(c net.Conn) {
		for {
			if _, err := fmt.Fprint(c, text); err != nil {
				return
			}
		}
	}
}

func talks(parts ...func(net.Conn)) func(net.Conn) {
	return func(c net.Conn) {
		for _, part := range parts {
			part(c)
		}
	}
}

func reset(c net.Conn) {
	_ = c.(*net.TCPConn).SetLinger(0)
	c.Close()
}

func gzipped(text string) string {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	fmt.Fprint(z, text)
	z.Close()
	return packed.String()
}

const (
	okHead   = "HTTP/1.1 200 OK\r\n"
	gzipHead = okHead + "Content-Encoding: gzip\r\nConnection: close\r\n\r\n"
)

func TestClient_hostileServers(t *testing.T) {
	const maxBytes = 256 << 10
	packed := gzipped("some text, some text")
	tests := map[string]struct {
		talk func(net.Conn)
		want paper.Class // of Open or Read
		body string      // if it is fine
		time bool        // only a timeout ends it
	}{
		"fine":                         {say(okHead + "Content-Length: 2\r\n\r\nok"), "", "ok", false},
		"D 119: HTTP/1.0":              {say("HTTP/1.0 200 OK\r\n\r\nok"), "", "ok", false},
		"chunked":                      {say(okHead + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"), "", "ok", false},
		"D 103: trailers":              {say(okHead + "Transfer-Encoding: chunked\r\nTrailer: X\r\n\r\n2\r\nok\r\n0\r\nX: y\r\n\r\n"), "", "ok", false},
		"D 95: silence":                {hang, paper.Transient, "", true},
		"D 95: slow-loris headers":     {talks(say(okHead), drip("X: y\r\n", 5*time.Millisecond)), paper.Transient, "", true},
		"D 100: closes at once":        {func(net.Conn) {}, paper.Transient, "", false},
		"D 100: resets":                {reset, paper.Transient, "", false},
		"cut headers":                  {say(okHead + "Content-Le"), paper.Transient, "", false},
		"D 101: not HTTP":              {say("SSH-2.0-OpenSSH_9.2\r\n\x1b[31m"), paper.Transient, "", false},
		"D 101: not HTTP, long line":   {flood("\x00\x1b[31m"), paper.Transient, "", false},
		"D 103: header bomb":           {talks(say(okHead), flood("X: y\r\n")), paper.Transient, "", false},
		"D 103: one long header":       {talks(say(okHead+"X: "), flood("y")), paper.Transient, "", false},
		"D 103: cookie flood":          {say(okHead + strings.Repeat("Set-Cookie: a=b\r\n", 1000) + "Content-Length: 2\r\n\r\nok"), "", "ok", false},
		"D 102: few 1xx":               {say(strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 3) + okHead + "Content-Length: 2\r\n\r\nok"), "", "ok", false},
		"D 102: 1xx storm":             {flood("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"), paper.Transient, "", false},
		"D 102: slow 1xx storm":        {drip("HTTP/1.1 103 Early Hints\r\n\r\n", 5*time.Millisecond), paper.Transient, "", true},
		"D 99: conflicting lengths":    {say(okHead + "Content-Length: 2\r\nContent-Length: 3\r\n\r\nok!"), paper.Transient, "", false},
		"D 99: negative length":        {say(okHead + "Content-Length: -2\r\n\r\nok"), paper.Transient, "", false},
		"D 99: overflowing length":     {say(okHead + "Content-Length: 99999999999999999999\r\n\r\nok"), paper.Transient, "", false},
		"D 96: ten terabytes":          {say(okHead + "Content-Length: 10000000000000\r\n\r\nok"), paper.TooLarge, "", false},
		"D 96: endless":                {talks(say(okHead+"\r\n"), flood("x")), paper.TooLarge, "", false},
		"D 96: endless chunks":         {talks(say(okHead+"Transfer-Encoding: chunked\r\n\r\n"), flood("1\r\nx\r\n")), paper.TooLarge, "", false},
		"at the limit":                 {say(okHead + "\r\n" + strings.Repeat("x", maxBytes)), "", strings.Repeat("x", maxBytes), false},
		"D 96: over the limit":         {say(okHead + "\r\n" + strings.Repeat("x", maxBytes+1)), paper.TooLarge, "", false},
		"D 98: short body":             {say(okHead + "Content-Length: 3\r\n\r\nok"), paper.Transient, "", false},
		"D 98: more than the length":   {say(okHead + "Content-Length: 2\r\n\r\nok, HTTP/1.1 200 OK\r\n\r\n"), "", "ok", false},
		"D 99: cut chunk":              {say(okHead + "Transfer-Encoding: chunked\r\n\r\n5\r\nok"), paper.Transient, "", false},
		"D 99: both lengths":           {say(okHead + "Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"), "", "ok", false},
		"D 99: huge chunk size":        {say(okHead + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nok"), paper.Transient, "", false},
		"D 99: bad chunk size":         {say(okHead + "Transfer-Encoding: chunked\r\n\r\nzz\r\nok"), paper.Transient, "", false},
		"D 100: reset in the body":     {talks(say(okHead+"Content-Length: 9\r\n\r\nok"), reset), paper.Transient, "", false},
		"D 95: stall in the body":      {talks(say(okHead+"Content-Length: 9\r\n\r\nok"), hang), paper.Transient, "", true},
		"D 95: trickle in the body":    {talks(say(okHead+"Content-Length: 999\r\n\r\n"), drip("x", 10*time.Millisecond)), paper.Transient, "", true},
		"gzip unasked":                 {say(gzipHead + packed), "", "some text, some text", false},
		"gzip in two members":          {say(gzipHead + packed + packed), "", strings.Repeat("some text, some text", 2), false},
		"gzip, empty":                  {say(gzipHead), "", "", false},
		"D 97: gzip bomb":              {say(gzipHead + string(zeros(t, 8<<20))), paper.TooLarge, "", false},
		"D 97: gzip, cut":              {say(gzipHead + packed[:len(packed)-9]), paper.InvalidContent, "", false},
		"D 97: gzip, cut short":        {say(okHead + "Content-Encoding: gzip\r\nContent-Length: 999\r\n\r\n" + packed[:9]), paper.Transient, "", false},
		"D 97: gzip, bad checksum":     {say(gzipHead + packed[:len(packed)-8] + "xxxx" + packed[len(packed)-4:]), paper.InvalidContent, "", false},
		"D 97: gzip that is none":      {say(gzipHead + "%PDF-1.7"), paper.InvalidContent, "", false},
		"D 97: gzip, endless nothing":  {talks(say(gzipHead), flood(gzipped(""))), paper.TooLarge, "", false},
		"D 97: gzip twice":             {say(okHead + "Content-Encoding: gzip, gzip\r\n\r\n" + gzipped(packed)), paper.InvalidContent, "", false},
		"D 97: brotli unasked":         {say(okHead + "Content-Encoding: br\r\n\r\nxx"), paper.InvalidContent, "", false},
		"a charset as coding":          {say(okHead + "Content-Encoding: UTF-8\r\nContent-Length: 2\r\n\r\nok"), "", "ok", false},
		"no content, gzip":             {say("HTTP/1.1 204 No Content\r\nContent-Encoding: gzip\r\n\r\n"), "", "", false},
		"switching protocols":          {say("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nok"), "", "ok", false},
		"D 104: redirect with lone CR": {say("HTTP/1.1 302 Found\r\nLocation: /a\rX-Evil: 1\r\n\r\n"), paper.Transient, "", false},
		"redirect with odd code":       {say("HTTP/1.1 302 Found\r\nLocation: /a\r\nContent-Encoding: br\r\nContent-Length: 0\r\n\r\n"), paper.InvalidContent, "", false},
	}
	patient := newClient(t, func(cfg *fetch.Config) { cfg.MaxBytes = maxBytes })
	hasty := newClient(t, func(cfg *fetch.Config) {
		cfg.MaxBytes = maxBytes
		cfg.Timeouts = fetch.Timeouts{Header: 60 * time.Millisecond, Idle: 60 * time.Millisecond}
	})
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := patient
			if tt.time {
				c = hasty
			}
			body, err := open(t, c, raw(t, tt.talk))
			checkClass(t, err, tt.want)
			if f, ok := errors.AsType[*paper.Failure](err); ok && f.Broken != (tt.want == paper.Transient) {
				t.Errorf("broken: %v, in %+v", f.Broken, f)
			}
			if err == nil && string(body) != tt.body {
				t.Errorf("body of %d bytes %.100q, want %.100q", len(body), body, tt.body)
			}
		})
	}
}

// TestClient_timeouts checks that each timeout is the one that ends it.
func TestClient_timeouts(t *testing.T) {
	const short, long = 30 * time.Millisecond, time.Minute
	tests := map[string]struct {
		talk     func(net.Conn)
		timeouts fetch.Timeouts
		want     string
	}{
		"header":  {hang, fetch.Timeouts{Header: short, Idle: long, Total: long}, "timeout awaiting response headers"},
		"idle":    {talks(say(okHead+"\r\nx"), hang), fetch.Timeouts{Header: long, Idle: short, Total: long}, "stalled"},
		"pace":    {talks(say(okHead+"\r\n"), drip("x", short/4)), fetch.Timeouts{Header: long, Idle: short, Total: long}, "stalled"},
		"total":   {talks(say(okHead+"\r\n"), drip(strings.Repeat("x", 999), short/4)), fetch.Timeouts{Header: long, Idle: long, Total: 2 * short}, "total time is up"},
		"total 0": {hang, fetch.Timeouts{Header: long, Idle: long, Total: short}, "total time is up"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, func(cfg *fetch.Config) { cfg.Timeouts = tt.timeouts })
			start := time.Now()
			_, err := open(t, c, raw(t, tt.talk))
			checkClass(t, err, paper.Transient)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if took := time.Since(start); took < short || took > 10*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// TestClient_slowReader checks that only the server's time counts as idle.
func TestClient_slowReader(t *testing.T) {
	const idle = 40 * time.Millisecond
	c := newClient(t, func(cfg *fetch.Config) { cfg.Timeouts.Idle = idle })
	resp, err := c.Open(t.Context(), raw(t, say(okHead+"Content-Length: 4\r\n\r\nabcd")), "")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var got []byte
	for b := make([]byte, 1); ; {
		n, err := resp.Body.Read(b)
		got = append(got, b[:n]...)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		<-time.After(2 * idle) // as a full disk or a slow hash would
	}
	if string(got) != "abcd" {
		t.Errorf("got %q", got)
	}
}

// TestClient_staleConnection checks that a connection that the server closed
// after one answer costs no failure.
func TestClient_staleConnection(t *testing.T) {
	url := raw(t, say(okHead+"Content-Length: 2\r\n\r\nok")) // closes, without having said so
	c := newClient(t, nil)
	for range 20 {
		if body, err := open(t, c, url); err != nil || string(body) != "ok" {
			t.Fatalf("%q, %v", body, err)
		}
	}
}

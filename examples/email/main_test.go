package main

import (
	"fmt"
	"net"
	"net/textproto"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// mailServer speaks as much SMTP (RFC 5321) as sending takes. The first try at
// each address of the domain busy.example is put off, and those of no.example are refused.
type mailServer struct {
	net.Listener
	sessions sync.WaitGroup

	mu       sync.Mutex
	tries    map[string]int
	got      map[string]int // messages taken, by address
	at, peak map[string]int // sessions at once, by domain
}

func serveMail(t *testing.T) *mailServer {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &mailServer{Listener: l, tries: map[string]int{}, got: map[string]int{}, at: map[string]int{}, peak: map[string]int{}}
	s.sessions.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.sessions.Go(func() { s.serve(textproto.NewConn(conn)) })
		}
	})
	t.Cleanup(func() { l.Close(); s.sessions.Wait() })
	return s
}

func (s *mailServer) serve(c *textproto.Conn) {
	defer c.Close()
	say := func(line string) { _ = c.PrintfLine("%s", line) }
	say("220 ready")
	var to, domain string
	defer func() { s.count(domain, -1) }()
	for {
		line, err := c.ReadLine()
		if err != nil {
			return
		}
		switch verb, rest, _ := strings.Cut(line, " "); strings.ToUpper(verb) {
		case "RCPT":
			to = strings.Trim(strings.TrimPrefix(rest, "TO:"), "<>")
			_, domain, _ = strings.Cut(to, "@")
			s.count(domain, 1)
			say(s.judge(to, domain))
		case "DATA":
			say("354 go on")
			if _, err := c.ReadDotLines(); err != nil {
				return
			}
			s.mu.Lock()
			s.got[to]++
			s.mu.Unlock()
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 well")
		}
	}
}

func (s *mailServer) count(domain string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at[domain] += n
	s.peak[domain] = max(s.peak[domain], s.at[domain])
}

func (s *mailServer) judge(to, domain string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries[to]++
	switch {
	case domain == "no.example":
		return "550 nobody here"
	case domain == "busy.example" && s.tries[to] == 1:
		return "451 later"
	}
	return "250 known"
}

func TestSend(t *testing.T) {
	server := serveMail(t)
	var mails []mail
	for i := range 12 {
		domain := []string{"a.example", "B.example", "busy.example"}[i%3]
		mails = append(mails, mail{ID: fmt.Sprint("mail:", i), To: fmt.Sprintf("reader%d@%s", i, domain), Text: "Good news."})
	}
	mails = append(mails, mail{ID: "mail:no", To: "reader@no.example"})
	file := filepath.Join(t.TempDir(), "mails.db")
	for round, want := range []int{12, 0} { // the second time all are known
		sum, err := send(t.Context(), sender{server.Addr().String(), "us@quire.example"}, file, mails)
		if err != nil || sum.Done != want || sum.Error != 1-round {
			t.Errorf("round %d: %+v, %v; want %d done", round, sum, err, want)
		}
	}
	for _, m := range mails[:12] {
		if n := server.got[m.To]; n != 1 {
			t.Errorf("%s got %d mails, want 1", m.To, n)
		}
	}
	for domain, peak := range server.peak {
		if peak > 2 {
			t.Errorf("%d sessions at once for %s, want at most 2", peak, domain)
		}
	}
	if n := server.tries["reader@no.example"]; n != 3 {
		t.Errorf("%d tries at an address that is refused, want 3", n)
	}
}

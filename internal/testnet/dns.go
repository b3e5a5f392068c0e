package testnet

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// Zone is a DNS: by name, what it answers at the first question, the second, and
// so on: addresses, one name that it is an alias of, or a word: SERVFAIL, SILENCE,
// JUNK, LOOP (a name that points to itself) or FLOOD (64 KiB of private addresses).
// "*" stands for all names that are not there.
type Zone map[string][][]string

// Serve makes z the DNS of this process.
func (z Zone) Serve(t *testing.T) {
	t.Helper()
	net.DefaultResolver.PreferGo = true
	net.DefaultResolver.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, "127.0.0.1:53")
	}
	z.ServeAt(t, "127.0.0.1")
}

// ServeAt makes z the DNS at an address, over UDP and, for what is too long, TCP.
func (z Zone) ServeAt(t *testing.T, addr string) {
	t.Helper()
	addr = net.JoinHostPort(addr, "53")
	conn, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	t.Cleanup(func() { conn.Close(); l.Close(); serving.Wait() })
	serving.Go(func() {
		asked := map[string]int{}
		for packet := make([]byte, 1500); ; {
			n, from, err := conn.ReadFrom(packet)
			if err != nil {
				return
			}
			if b := z.reply(packet[:n], asked); b != nil {
				_, _ = conn.WriteTo(b, from)
			}
		}
	})
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			answerFlood(conn)
		}
	})
}

func (z Zone) find(name dnsmessage.Name) (sets [][]string, known bool) {
	if sets, known = z[strings.ToLower(strings.TrimSuffix(name.String(), "."))]; !known {
		sets, known = z["*"]
	}
	return sets, known
}

// reply returns the packet that answers another, nil for none.
func (z Zone) reply(packet []byte, asked map[string]int) []byte {
	var m dnsmessage.Message
	if m.Unpack(packet) != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	key := q.GoString()
	m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
	switch sets, _ := z.find(q.Name); {
	case len(sets) != 1 || len(sets[0]) != 1:
		m.Answers, m.RCode = z.answer(q, asked[key])
	case sets[0][0] == "SILENCE":
		return nil
	case sets[0][0] == "JUNK":
		return append(packet[:2:2], strings.Repeat("\xff", 900)...)
	case sets[0][0] == "FLOOD":
		m.Truncated = true
	case sets[0][0] == "LOOP":
		b, _ := m.Pack()
		b[7] = 1 // one answer, whose name is a pointer to that pointer
		return append(b, 0xc0, byte(len(b)), 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 93, 184, 215, 14)
	default:
		m.Answers, m.RCode = z.answer(q, asked[key])
	}
	asked[key]++
	b, err := m.Pack()
	if err != nil {
		return nil
	}
	return b
}

// answerFlood answers one question over TCP with as many private addresses as the
// two bytes of the length allow.
func answerFlood(conn net.Conn) {
	defer conn.Close()
	length := make([]byte, 2)
	if _, err := io.ReadFull(conn, length); err != nil {
		return
	}
	packet := make([]byte, binary.BigEndian.Uint16(length))
	if _, err := io.ReadFull(conn, packet); err != nil {
		return
	}
	var m dnsmessage.Message
	if m.Unpack(packet) != nil || len(m.Questions) != 1 {
		return
	}
	q := m.Questions[0]
	m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
	for i := range 4000 { // each takes 16 bytes: 64,000 of 65,535
		if q.Type != dnsmessage.TypeA {
			break
		}
		m.Answers = append(m.Answers, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class},
			Body:   &dnsmessage.AResource{A: [4]byte{10, 0, byte(i >> 8), byte(i)}},
		})
	}
	b, err := m.Pack()
	if err == nil {
		_, _ = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...))
	}
}

func (z Zone) answer(q dnsmessage.Question, asked int) ([]dnsmessage.Resource, dnsmessage.RCode) {
	sets, known := z.find(q.Name)
	if !known {
		return nil, dnsmessage.RCodeNameError
	}
	var found []dnsmessage.Resource
	header := dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class}
	for _, value := range sets[min(asked, len(sets)-1)] {
		addr, err := netip.ParseAddr(value)
		switch {
		case value == "SERVFAIL":
			return nil, dnsmessage.RCodeServerFailure
		case err != nil:
			alias := dnsmessage.MustNewName(value + ".")
			found = append(found, dnsmessage.Resource{Header: header, Body: &dnsmessage.CNAMEResource{CNAME: alias}})
			more, _ := z.answer(dnsmessage.Question{Name: alias, Type: q.Type, Class: q.Class}, asked)
			found = append(found, more...)
		case addr.Is4() && q.Type == dnsmessage.TypeA:
			found = append(found, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: addr.As4()}})
		case addr.Is6() && q.Type == dnsmessage.TypeAAAA:
			found = append(found, dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: addr.As16()}})
		}
	}
	return found, dnsmessage.RCodeSuccess
}

package fetch_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// inNamespace runs the calling test again, in a process whose network has nothing
// but a loopback interface that answers for every address there is: whatever is
// dialled arrives at a canary and not outside. It reports whether it is there.
func inNamespace(t *testing.T) bool {
	const mark = "QUIRE_TEST_NAMESPACE"
	if os.Getenv(mark) != "" {
		return true
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=1m")
	cmd.Env = append(os.Environ(), mark+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		if os.Getenv("CI") == "true" && os.Getuid() == 0 {
			t.Fatalf("no network namespace: %v", err)
		}
		t.Skipf("no network namespace: %v", err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("in the namespace: %v\n%s", err, out.Bytes())
	}
	return false
}

// takeEveryAddress makes the loopback interface the owner of all addresses.
func takeEveryAddress(t *testing.T) {
	t.Helper()
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	up := make([]byte, syscall.SizeofIfInfomsg)
	binary.NativeEndian.PutUint32(up[4:], uint32(lo.Index))
	binary.NativeEndian.PutUint32(up[8:], syscall.IFF_UP)
	binary.NativeEndian.PutUint32(up[12:], syscall.IFF_UP)
	netlink(t, syscall.RTM_NEWLINK, up)
	for _, family := range []byte{syscall.AF_INET, syscall.AF_INET6} {
		// ip route add local default dev lo
		route := []byte{
			family, 0, 0, 0, syscall.RT_TABLE_LOCAL, syscall.RTPROT_BOOT, syscall.RT_SCOPE_HOST, syscall.RTN_LOCAL,
			0, 0, 0, 0,
		}
		route = binary.NativeEndian.AppendUint16(route, 8)
		route = binary.NativeEndian.AppendUint16(route, syscall.RTA_OIF)
		route = binary.NativeEndian.AppendUint32(route, uint32(lo.Index))
		netlink(t, syscall.RTM_NEWROUTE, route)
	}
}

// netlink sends one request to the kernel and waits for its acknowledgement.
func netlink(t *testing.T, kind uint16, body []byte) {
	t.Helper()
	s, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, syscall.NETLINK_ROUTE)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(s)
	message := binary.NativeEndian.AppendUint32(nil, uint32(syscall.SizeofNlMsghdr+len(body)))
	message = binary.NativeEndian.AppendUint16(message, kind)
	message = binary.NativeEndian.AppendUint16(message, syscall.NLM_F_REQUEST|syscall.NLM_F_ACK|syscall.NLM_F_CREATE)
	message = append(message, make([]byte, 8)...) // sequence and port: any
	message = append(message, body...)
	if err := syscall.Sendto(s, message, 0, &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK}); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 4096)
	n, _, err := syscall.Recvfrom(s, answer, 0)
	if err != nil || n < syscall.SizeofNlMsghdr+4 {
		t.Fatalf("netlink request %d: %d bytes, %v", kind, n, err)
	}
	if code := int32(binary.NativeEndian.Uint32(answer[syscall.SizeofNlMsghdr:])); code != 0 {
		t.Fatalf("netlink request %d: %v", kind, syscall.Errno(-code))
	}
}

// canary answers HTTP on every address and remembers on which it was reached.
type canary struct {
	mu      sync.Mutex
	reached []string
}

func (c *canary) start(t *testing.T, port int) {
	t.Helper()
	l, err := net.Listen("tcp", fmt.Sprintf(":%d", port))
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "canary") }),
		ConnState: func(conn net.Conn, state http.ConnState) {
			if state == http.StateNew {
				c.mu.Lock()
				c.reached = append(c.reached, conn.LocalAddr().String())
				c.mu.Unlock()
			}
		},
	}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { s.Close() })
}

// take returns where the canary was reached since the last call.
func (c *canary) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	reached := c.reached
	c.reached = nil
	return reached
}

// zone is a DNS: by name, what it answers at the first question, the second, and
// so on: addresses, one name that it is an alias of, or a word: SERVFAIL, SILENCE,
// JUNK, LOOP (a name that points to itself) or FLOOD (64 KiB of private addresses).
type zone map[string][][]string

// serve makes z the DNS of this process, over UDP and, for what is too long, TCP.
func (z zone) serve(t *testing.T) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:53")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:53")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(); l.Close() })
	net.DefaultResolver.PreferGo = true
	net.DefaultResolver.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, "127.0.0.1:53")
	}
	go func() {
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
	}()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			answerFlood(conn)
		}
	}()
}

// reply returns the packet that answers another, nil for none.
func (z zone) reply(packet []byte, asked map[string]int) []byte {
	var m dnsmessage.Message
	if m.Unpack(packet) != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	key := q.GoString()
	m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
	switch sets := z[strings.TrimSuffix(q.Name.String(), ".")]; {
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

func (z zone) answer(q dnsmessage.Question, asked int) ([]dnsmessage.Resource, dnsmessage.RCode) {
	sets, known := z[strings.TrimSuffix(q.Name.String(), ".")]
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

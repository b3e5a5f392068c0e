package testnet

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"

	"github.com/quire-dev/quire/internal/need"
)

// InNamespace runs the calling test again, in a process whose network has nothing
// but a loopback interface that answers for every address there is: whatever is
// dialled arrives at a canary and not outside. It reports whether it is there.
func InNamespace(t *testing.T) bool {
	const mark = "QUIRE_TEST_NAMESPACE"
	if os.Getenv(mark) != "" {
		return true
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=5m")
	cmd.Env = append(os.Environ(), mark+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	need.Or(t, "namespace", cmd.Start())
	if err := cmd.Wait(); err != nil {
		t.Errorf("in the namespace: %v\n%s", err, out.Bytes())
	} else {
		t.Logf("in the namespace:\n%s", out.Bytes())
	}
	return false
}

// TakeEveryAddress makes the loopback interface the owner of all addresses.
func TakeEveryAddress(t *testing.T) {
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

// Canary answers HTTP on every address and remembers on which it was reached.
type Canary struct {
	mu      sync.Mutex
	reached []string
}

// Start makes it listen on a port of every address, until the test ends.
func (c *Canary) Start(t *testing.T, port int) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", fmt.Sprintf(":%d", port))
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

// Take returns where the canary was reached since the last call.
func (c *Canary) Take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	reached := c.reached
	c.reached = nil
	return reached
}

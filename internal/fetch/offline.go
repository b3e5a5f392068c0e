package fetch

import (
	"errors"
	"net"
	"syscall"
)

// Offline reports whether a request failed because this machine has no network, which
// is neither the host's fault nor the work's: no connection came about, and there is
// no route to anywhere.
func Offline(err error) bool {
	var lookup *net.DNSError
	if !errors.As(err, &lookup) && !errors.Is(err, syscall.ENETUNREACH) && !errors.Is(err, syscall.ENETDOWN) {
		return false
	}
	return !routed()
}

// routed asks the system for a route to addresses that nobody has (RFC 5737 and
// RFC 3849). To connect a datagram socket sends nothing.
func routed() bool {
	for _, ip := range []net.IP{net.IPv4(192, 0, 2, 1), net.ParseIP("2001:db8::1")} {
		conn, err := net.DialUDP("udp", nil, &net.UDPAddr{IP: ip, Port: 9})
		if err == nil {
			_ = conn.Close()
			return true
		}
		if !errors.Is(err, syscall.ENETUNREACH) && !errors.Is(err, syscall.ENETDOWN) && !errors.Is(err, syscall.EAFNOSUPPORT) && !errors.Is(err, syscall.EADDRNOTAVAIL) {
			return true // it does not say that there is none
		}
	}
	return false
}

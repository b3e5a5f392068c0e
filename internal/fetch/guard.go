package fetch

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"syscall"

	"code.dny.dev/ssrf"
)

// errPolicy marks what we do not request by rule, whoever asks for it.
var errPolicy = errors.New("refused by policy")

// webPort tells the ports that a URL may name by itself. Behind others sit other
// services often enough.
func webPort(port uint16) bool { return port == 80 || port == 443 || port == 8080 || port == 8443 }

// guard judges addresses. Only the address that is about to be dialled counts:
// names can be rebound and written in many ways.
type guard struct {
	public *ssrf.Guardian // IANA's special-purpose registries
	allow  []netip.Prefix
}

func newGuard(allow []netip.Prefix) *guard {
	return &guard{public: ssrf.New(), allow: allow}
}

// check returns an error unless addr is public or exempt. An IPv4 address that
// hides in a NAT64 one is judged too.
func (g *guard) check(addr netip.Addr) error {
	addr = addr.Unmap().WithZone("")
	exempt := g.exempt(addr)
	if exempt && ssrf.IPv6NAT64Prefix.Contains(addr) {
		b := addr.As16()
		return g.check(netip.AddrFrom4([4]byte(b[12:])))
	}
	if !exempt && g.public.SafeAddr(addr) != nil {
		return fmt.Errorf("private address %s: %w", addr, errPolicy)
	}
	return nil
}

func (g *guard) exempt(addr netip.Addr) bool {
	return slices.ContainsFunc(g.allow, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// allowsLoopback reports whether this machine itself is exempt.
func (g *guard) allowsLoopback() bool {
	return g.exempt(netip.AddrFrom4([4]byte{127, 0, 0, 1})) || g.exempt(netip.IPv6Loopback())
}

// permit judges an address and its port. The port is free where the operator has
// chosen it, and at exempt addresses.
func (g *guard) permit(target netip.AddrPort, anyPort bool) error {
	if err := g.check(target.Addr()); err != nil {
		return err
	}
	if !anyPort && !webPort(target.Port()) && !g.exempt(target.Addr().Unmap().WithZone("")) {
		return fmt.Errorf("port %d: %w", target.Port(), errPolicy)
	}
	return nil
}

// control returns the [net.Dialer]'s hook: it runs between the choice of an address
// and the connect.
func (g *guard) control(anyPort bool) func(network, address string, _ syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		target, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		return g.permit(target, anyPort)
	}
}

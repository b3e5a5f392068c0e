package testweb

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"sync"
	"time"
)

// CertFlaw says what is wrong with the certificate of a host.
type CertFlaw uint8

// The flaws.
const (
	NoFlaw CertFlaw = iota
	Expired
	WrongHost
	SelfSigned
)

const validity = 30 * 24 * time.Hour

// authority mints a certificate for each name that is asked for. All of them
// share one key: what counts here is the price, about 50 µs a name.
type authority struct {
	certificateOf *x509.Certificate
	pem           []byte
	key, leafKey  *ecdsa.PrivateKey

	mu     sync.Mutex
	leaves map[string]*tls.Certificate
	flaws  map[string]CertFlaw
	serial int64
}

func newAuthority() (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	leafKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(time.Now().UnixNano()), // two boxes must not share issuer and serial
		Subject:               pkix.Name{CommonName: "quire test web"},
		NotBefore:             time.Now().Add(-validity),
		NotAfter:              time.Now().Add(validity),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &authority{
		certificateOf: cert,
		pem:           pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		key:           key,
		leafKey:       leafKey,
		leaves:        map[string]*tls.Certificate{},
		flaws:         map[string]CertFlaw{},
	}, nil
}

// certificate is a tls.Config.GetCertificate. A client that names no host gets
// the certificate of localhost.
func (a *authority) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	name := hostName(hello.ServerName)
	if name == "" {
		name = "localhost"
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if leaf, ok := a.leaves[name]; ok {
		return leaf, nil
	}
	leaf, err := a.mint(name, a.flaws[name])
	if err != nil {
		return nil, err
	}
	a.leaves[name] = leaf
	return leaf, nil
}

// mint makes the certificate of a name. The caller holds a.mu.
func (a *authority) mint(name string, flaw CertFlaw) (*tls.Certificate, error) {
	a.serial++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(a.serial),
		DNSNames:     []string{name},
		NotBefore:    time.Now().Add(-validity),
		NotAfter:     time.Now().Add(validity),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if name == "localhost" {
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	}
	issuer, key := a.certificateOf, a.key
	switch flaw {
	case NoFlaw:
	case Expired:
		template.NotAfter = time.Now().Add(-time.Hour)
	case WrongHost:
		template.DNSNames = []string{"other.invalid"}
	case SelfSigned:
		issuer, key = template, a.leafKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, a.leafKey.Public(), key)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: a.leafKey}, nil
}

func (a *authority) spoil(name string, flaw CertFlaw) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.flaws[name] = flaw
	delete(a.leaves, name)
}

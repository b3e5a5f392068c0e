package testweb

import (
	"net/http"
	"strings"
)

const robotsPath = "/robots.txt"

// Host registers a host, over TLS and plain: h behind the behaviours, the first
// of them outermost. It replaces what the host served before. The behaviours do
// not touch /robots.txt, which is 404 until [Web.Robots] says otherwise.
func (w *Web) Host(name string, h http.Handler, behaviours ...Behaviour) {
	w.mu.Lock()
	defer w.mu.Unlock()
	name = hostName(name)
	s := w.hosts[name]
	s.handler = chain(h, behaviours)
	w.hosts[name] = s
}

// Robots gives a host a robots.txt, behind behaviours of its own. From then on
// the host's account counts the requests that the text disallows.
func (w *Web) Robots(name, text string, behaviours ...Behaviour) {
	name = hostName(name)
	w.ledger(name).setRules(parseRobots(text))

	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.hosts[name]
	s.robots = chain(Text("text/plain", text), behaviours)
	w.hosts[name] = s
}

// Suffix serves every host whose name ends in suffix, and is not registered by
// its own name, with h, /robots.txt included: hundreds of hosts for one benchmark.
func (w *Web) Suffix(suffix string, h http.Handler) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.suffixes[strings.ToLower(suffix)] = h
}

// Fallback serves the hosts that nobody registered, /robots.txt included. It is
// 404 by default.
func (w *Web) Fallback(h http.Handler) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fallback = h
}

// Certificate makes a host show a flawed certificate from now on.
func (w *Web) Certificate(name string, flaw CertFlaw) {
	w.authority.spoil(hostName(name), flaw)
}

// answer serves one request of any host and keeps the host's account.
func (w *Web) answer(rw http.ResponseWriter, r *http.Request) {
	name := hostName(r.Host)
	w.mu.RLock()
	if w.closed {
		w.mu.RUnlock()
		panic(http.ErrAbortHandler)
	}
	w.serving.Add(1)
	h := w.route(name, r)
	w.mu.RUnlock()
	defer w.serving.Done()

	x := w.ledger(name).begin(rw, r)
	defer x.end()
	h.ServeHTTP(x, r)
}

// route finds the handler of a request. The caller holds w.mu.
func (w *Web) route(name string, r *http.Request) http.Handler {
	s, ok := w.hosts[name]
	switch {
	case r.URL.Path == robotsPath && s.robots != nil:
		return s.robots
	case r.URL.Path == robotsPath && ok:
		return http.NotFoundHandler()
	case s.handler != nil:
		return s.handler
	}
	for suffix, h := range w.suffixes {
		if strings.HasSuffix(name, suffix) {
			return h
		}
	}
	return w.fallback
}

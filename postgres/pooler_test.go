package postgres_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/quire-dev/quire/internal/storetest"
	"github.com/quire-dev/quire/postgres"
	"github.com/quire-dev/quire/queue"
)

// pooler gives clients a server connection for each transaction, out of few, as
// PgBouncer does in its transaction mode: what a session set, prepared or listens
// to is gone, or somebody else's, by the next one.
type pooler struct {
	dsn     string
	proxy   *proxy
	servers chan *pgproto3.Frontend
	running sync.WaitGroup
}

const poolerServers = 3

func newPooler(t *testing.T, dsn string) *pooler {
	t.Helper()
	p := &pooler{servers: make(chan *pgproto3.Frontend, poolerServers), proxy: listenFor(t, dsn)}
	p.dsn = p.proxy.dsn
	for range poolerServers {
		conn, err := pgx.Connect(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := conn.PgConn().Hijack()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { raw.Conn.Close() })
		p.servers <- raw.Frontend
	}
	p.running.Go(func() {
		for {
			conn, err := p.proxy.listener.Accept()
			if err != nil {
				return
			}
			p.running.Go(func() { p.serve(conn) })
		}
	})
	t.Cleanup(func() {
		p.proxy.listener.Close()
		p.running.Wait()
	})
	return p
}

// serve serves a client until it leaves.
func (p *pooler) serve(conn net.Conn) {
	defer conn.Close()
	client := pgproto3.NewBackend(conn, conn)
	for {
		start, err := client.ReceiveStartupMessage()
		if err != nil {
			return
		}
		if _, ok := start.(*pgproto3.StartupMessage); ok {
			break
		}
		if _, err := conn.Write([]byte("N")); err != nil { // no encryption
			return
		}
	}
	client.Send(&pgproto3.AuthenticationOk{})
	client.Send(&pgproto3.ParameterStatus{Name: "standard_conforming_strings", Value: "on"})
	client.Send(&pgproto3.ParameterStatus{Name: "client_encoding", Value: "UTF8"})
	client.Send(&pgproto3.BackendKeyData{ProcessID: 1, SecretKey: []byte{0, 0, 0, 1}})
	client.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	if client.Flush() != nil {
		return
	}
	for {
		first, err := client.Receive()
		if err != nil {
			return
		}
		if _, bye := first.(*pgproto3.Terminate); bye {
			return
		}
		server := <-p.servers
		ok := transaction(client, server, first)
		p.servers <- server
		if !ok {
			return
		}
	}
}

// transaction passes messages on until the server is out of a transaction and
// has answered all that it was asked.
func transaction(client *pgproto3.Backend, server *pgproto3.Frontend, first pgproto3.FrontendMessage) bool {
	msg := first
	for {
		var status byte
		server.Send(msg)
		switch msg.(type) {
		case *pgproto3.Sync, *pgproto3.Query:
			if server.Flush() != nil {
				return false
			}
			for {
				answer, err := server.Receive()
				if err != nil {
					return false
				}
				if _, lost := answer.(*pgproto3.NotificationResponse); lost {
					continue // of nobody who is there now
				}
				client.Send(answer)
				if ready, ok := answer.(*pgproto3.ReadyForQuery); ok {
					status = ready.TxStatus
					break
				}
			}
			if client.Flush() != nil || status == 'I' {
				return true
			}
		}
		var err error
		if msg, err = client.Receive(); err != nil {
			server.Send(&pgproto3.Query{String: "ROLLBACK"})
			_ = server.Flush()
			for {
				if answer, err := server.Receive(); err != nil {
					return false
				} else if _, ok := answer.(*pgproto3.ReadyForQuery); ok {
					return false
				}
			}
		}
	}
}

// Behind a transaction pooler everything works but listening: two stores at once
// run the load of a busy queue, and see each other's statements fail.
func TestStore_pooler(t *testing.T) {
	t.Parallel()
	p := newPooler(t, server.Server(t).Open(t))
	a, b := open(t, p.dsn), open(t, p.dsn)
	const n = 300
	enqueue(t, a, newJobs(0, n)...)
	var all sync.WaitGroup
	for _, s := range []*postgres.Store{a, b, a, b} {
		all.Go(func() {
			for {
				leases, err := s.Lease(t.Context(), "me", []queue.Want{{Key: newJobs(0, 1)[0].Key, N: 7}}, time.Minute)
				if err != nil {
					t.Errorf("Lease: %v", err)
				}
				if len(leases) == 0 {
					return
				}
				errs, err := s.Settle(t.Context(), done(leases)...)
				for _, e := range append(errs, err) {
					if e != nil {
						t.Errorf("Settle: %v", e)
					}
				}
				if _, err := s.Stats(t.Context()); err != nil {
					t.Errorf("Stats: %v", err)
				}
			}
		})
	}
	all.Wait()
	if st, err := b.Stats(t.Context()); err != nil || st.Done != n || st.Total() != n {
		t.Errorf("Stats: %+v, %v", st, err)
	}
	if !postgres.Unnamed(a) || !postgres.Unnamed(b) {
		t.Error("prepared statements did not fail: this is no transaction pooler")
	}
}

// Watch cannot listen there, so it looks.
func TestWatch_pooler(t *testing.T) {
	t.Parallel()
	dsn := server.Server(t).Open(t)
	p := newPooler(t, dsn)
	watching, other := open(t, p.dsn), open(t, dsn)
	woken := make(chan struct{}, 1000)
	watch(t, watching, func([]queue.KeyBacklog) { woken <- struct{}{} })
	for range 2 { // it wakes when it begins to look, and after its first look
		wait(t, woken)
	}
	enqueue(t, other, newJobs(0, 1)...)
	wait(t, woken)
}

// watch watches s until the test ends.
func watch(t *testing.T, s storetest.Store, wake func([]queue.KeyBacklog)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Watch(ctx, wake) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Watch: %v", err)
		}
	})
}

func wait(t *testing.T, woken <-chan struct{}) {
	t.Helper()
	select {
	case <-woken:
	case <-time.After(30 * time.Second):
		t.Fatal("not woken within 30 s")
	}
}

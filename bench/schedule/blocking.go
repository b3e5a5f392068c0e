package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// What the baseline does after a failure, before scaling: as libraries for
// retries do it, in the worker that failed.
const (
	blockingAttempts = 5
	blockingBase     = time.Second // doubled with each attempt
	blockingPatience = 40          // attempts after a 429
)

// blockingSpec is what the baseline's process is told.
type blockingSpec struct {
	Spec spec
	Port int
}

// blocking runs the baseline.
func (t *trial) blocking(ctx context.Context) error {
	c, err := self(ctx, "blocking")
	if err != nil {
		return err
	}
	text, err := json.Marshal(blockingSpec{t.spec, t.port})
	if err != nil {
		return err
	}
	c.Stdin = strings.NewReader(string(text) + "\n")
	_, late := t.split()
	start := time.Now()
	t.enqueued = make(map[int]int64, len(late))
	for _, j := range late {
		t.enqueued[j.N] = start.Add(j.After).UnixNano()
	}
	cl, err := startClient(c)
	if err != nil {
		return err
	}
	stop := time.Now().Add(t.patience)
	if t.rate > 0 {
		stop = time.Now().Add(refuseFor)
	}
	how, err := t.follow(ctx, cl, stop)
	t.cut = how == cut && t.rate == 0
	return err
}

// pool is the baseline: a goroutine per worker, a semaphore per key, a job from
// its first request to its last in one worker, which holds one permit at a time.
type pool struct {
	*world
	client *http.Client
	turns  []chan struct{} // a semaphore per station
	paces  []pacer
	queue  chan job
}

// pacer spaces the starts at one station.
type pacer struct {
	mu   sync.Mutex
	next time.Time
}

func runBlocking(ctx context.Context, in io.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Scan()
	var s blockingSpec
	if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
		return fmt.Errorf("read spec: %w", err)
	}
	w, err := newWorld(s.Spec)
	if err != nil {
		return err
	}
	p := &pool{world: w, paces: make([]pacer, len(w.Stations)), queue: make(chan job, len(w.Jobs))}
	targets := make(map[string]string)
	for at, st := range w.Stations {
		p.turns = append(p.turns, make(chan struct{}, st.Cap))
		targets[st.hostname()+":80"] = net.JoinHostPort(address(at), fmt.Sprint(s.Port))
	}
	dialer := net.Dialer{Timeout: w.scaled(connectTimeout)}
	p.client = &http.Client{
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				return dialer.DialContext(ctx, network, targets[addr])
			},
			ResponseHeaderTimeout: w.scaled(answerTimeout),
			MaxIdleConnsPerHost:   w.Workers,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	var workers sync.WaitGroup
	for range w.Workers {
		workers.Go(func() {
			for j := range p.queue {
				p.do(ctx, j)
			}
		})
	}
	start := time.Now()
	for _, j := range w.Jobs {
		if !pause(ctx, time.Until(start.Add(j.After))) {
			break
		}
		p.queue <- j
	}
	close(p.queue)
	workers.Wait()
	return nil
}

// do makes a job's requests one after the other.
func (p *pool) do(ctx context.Context, j job) {
	for _, at := range j.Ask {
		if !p.get(ctx, at, p.askURL(at, j)) {
			return
		}
	}
	for place, at := range j.Hosts {
		p.get(ctx, at, p.url(j, place)) // the next one may do
	}
}

func (p *pool) askURL(at int, j job) string {
	return "http://" + p.Stations[at].hostname() + "/" + j.doi()
}

// get makes a request until it is answered, or too often. It waits for its turn
// and between attempts with the worker it has.
func (p *pool) get(ctx context.Context, at int, url string) bool {
	wait := p.scaled(blockingBase)
	for attempt := 1; ; attempt++ {
		status, err := p.once(ctx, at, url)
		switch {
		case err == nil && status != http.StatusTooManyRequests:
			return true
		case err != nil && attempt == blockingAttempts, attempt == blockingPatience, !pause(ctx, wait):
			return false
		}
		wait = min(2*wait, p.scaled(retryBase))
	}
}

func (p *pool) once(ctx context.Context, at int, url string) (status int, err error) {
	p.turns[at] <- struct{}{}
	defer func() { <-p.turns[at] }()
	if every := p.Stations[at].Every; every > 0 && !pause(ctx, p.paces[at].turn(every)) {
		return 0, ctx.Err()
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	resp, err := p.client.Do(r)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// turn returns how long the caller's start must wait.
func (p *pacer) turn(every time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	at := p.next
	if at.Before(now) {
		at = now
	}
	p.next = at.Add(every)
	return at.Sub(now)
}

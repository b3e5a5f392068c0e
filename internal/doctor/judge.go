package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/quire-dev/quire/internal/fetch"
	"github.com/quire-dev/quire/paper"
)

// judge says what an answer means, or that there was none.
func (p Probe) judge(ctx context.Context, s *Source, way *line, err error) {
	s.Host, s.HTTP, s.Latency, s.ahead = way.host, way.status, way.latency, way.ahead
	s.Fields, s.Announced = limitFields(way.header), way.announced
	fail, _ := errors.AsType[*paper.Failure](err)
	if fail != nil && s.HTTP == 0 {
		s.HTTP = fail.Status
	}
	if err == nil {
		s.Status, s.Found = OK, fmt.Sprintf("%d in %s", s.HTTP, span(s.Latency))
		p.compare(s)
		return
	}
	s.Found = p.brief(err, way.host)
	switch class := classOf(fail); {
	case errors.Is(ctx.Err(), context.Canceled):
		s.Status, s.Found = Skipped, "interrupted"
	case class == paper.Throttled, class == paper.BudgetExhausted:
		s.Status, s.Found = Warn, fmt.Sprintf("%d: it asks for fewer requests", s.HTTP)
		if fail.RetryAfter > 0 {
			s.Found = fmt.Sprintf("%d: it wants to be left alone for %s", s.HTTP, span(fail.RetryAfter))
		}
		s.Next = "a run waits as long and goes on elsewhere; look whether others use this address or key"
	case s.HTTP == http.StatusUnauthorized, s.HTTP == http.StatusForbidden && (p.HasKey || p.TakesKey):
		s.Status, s.Settings, s.Next = Fail, true, "see the key: resolvers."+p.Name+".api_key_file; or leave the source out"
	case class == paper.Config && s.HTTP > 0:
		s.Status, s.Settings, s.Next = Fail, true, "see contact and resolvers."+p.Name+": it does not take what it is told of you"
	case class == paper.Config:
		s.Status, s.Settings, s.Next = Fail, true, "see http in the configuration: ca_file, proxy"
	case s.HTTP >= 500:
		s.Status, s.Next = Warn, "it has trouble of its own; a run goes on with the others and asks it again"
	case s.HTTP == 0:
		s.Status = Fail
		s.Next = "see network, name server, firewall, http.proxy and resolvers." + p.Name + ".base_url"
	case class == paper.Challenge, class == paper.Forbidden:
		s.Status, s.Next = Fail, "it shuts this address out; ask the service, or leave it out: resolvers."+p.Name+".enabled: false"
	default:
		s.Status, s.Next = Warn, "it does not answer as it is documented: see resolvers."+p.Name+".base_url"
	}
}

// brief is an error without what its row says already, and with the host in place of
// the whole address.
func (p Probe) brief(err error, host string) string {
	text := strings.TrimPrefix(err.Error(), "ask "+p.Name+": ")
	for _, start := range []string{"get http", "post http"} {
		if address, why, ok := strings.Cut(text, ": "); ok && strings.HasPrefix(address, start) {
			return host + ": " + why
		}
	}
	return text
}

func classOf(f *paper.Failure) paper.Class {
	if f == nil {
		return ""
	}
	return f.Class
}

// compare says whether a key announces less than what is in force, or more.
func (p Probe) compare(s *Source) {
	a := s.Announced
	whole := time.Duration(float64(a.Every) * fetch.PaceShare) // as it was announced
	const same = 1.01                                          // the share is no exact number
	switch {
	case a.Wait > 0:
		s.Status, s.Found = Warn, fmt.Sprintf("%s; its quota is used up for %s", s.Found, span(a.Wait))
		s.Next = "a run waits as long and goes on elsewhere"
	case float64(whole) > float64(p.Rule.Every)*same:
		s.Status = Warn
		s.Found = fmt.Sprintf("%s; announces %s, less than the %s in force", s.Found, rate(whole), rate(p.Rule.Every))
		s.Next = fmt.Sprintf("a run keeps to that from its first answer on; to begin with it: limits: {%s: {every: %s}}", p.Key, roundUp(whole))
	case a.InFlight > 0 && (p.Rule.InFlight == 0 || a.InFlight < p.Rule.InFlight):
		s.Status = Warn
		s.Found = fmt.Sprintf("%s; announces %d at once, less than the %d in force", s.Found, a.InFlight, p.Rule.InFlight)
		s.Next = fmt.Sprintf("a run keeps to that from its first answer on; to begin with it: limits: {%s: {in_flight: %d}}", p.Key, a.InFlight)
	case whole > 0 && float64(whole)*same < float64(p.Rule.Every):
		s.Found = fmt.Sprintf("%s; announces more: %s", s.Found, rate(whole))
	}
}

// rate writes the least time between two starts as people think of it.
func rate(every time.Duration) string {
	switch {
	case every <= 0:
		return "any number"
	case every < time.Second:
		return strings.TrimSuffix(strconv.FormatFloat(float64(time.Second)/float64(every), 'f', 1, 64), ".0") + "/s"
	}
	return "one every " + every.Round(10*time.Millisecond).String()
}

// roundUp makes an interval one that is nice to write, and no shorter.
func roundUp(d time.Duration) time.Duration {
	const to = time.Millisecond
	return (d + to - 1).Truncate(to)
}

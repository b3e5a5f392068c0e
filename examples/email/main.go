// Command email sends the mails in the JSON array on its standard input, each once however often it is started, and tries up to three times.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/smtp"
	"os"
	"strings"
	"time"

	"github.com/quire-dev/quire/orchestrator"
	"github.com/quire-dev/quire/queue"
	"github.com/quire-dev/quire/sqlite"
)

type mail struct{ ID, To, Text string }

type sender struct{ server, from string }

func (s sender) Step(_ context.Context, step queue.Step) []queue.Outcome {
	var m mail
	_ = json.Unmarshal(step.Jobs[0].Payload, &m) // written by send
	step.Send()
	if err := smtp.SendMail(s.server, nil, s.from, []string{m.To}, []byte("To: "+m.To+"\r\n\r\n"+m.Text+"\r\n")); err != nil {
		return []queue.Outcome{{Verb: queue.Retry, Class: "undelivered", Reason: "undelivered", Error: err.Error()}}
	}
	return []queue.Outcome{{Verb: queue.Finish, State: queue.Done, Reason: "sent"}}
}

func send(ctx context.Context, s sender, file string, mails []mail) (sum orchestrator.Summary, err error) {
	store, err := sqlite.Open(ctx, file, sqlite.Options{Create: true})
	if err != nil {
		return sum, err
	}
	defer store.Close()
	var jobs []queue.NewJob
	for _, m := range mails {
		payload, _ := json.Marshal(m) // strings can always be written
		jobs = append(jobs, queue.NewJob{ArtifactID: m.ID, Key: "domain:" + strings.ToLower(m.To[strings.LastIndex(m.To, "@")+1:]), Payload: payload})
	}
	if _, err := store.Enqueue(ctx, jobs); err != nil {
		return sum, err
	}
	perDomain := func(string) orchestrator.Limit { return orchestrator.Limit{InFlight: 2, Every: 50 * time.Millisecond} }
	run, err := orchestrator.New(store, s, orchestrator.Config{Owner: "email", Drain: true, Limit: perDomain, Retry: queue.RetryPolicy{Base: time.Second}})
	if err != nil {
		return sum, err
	}
	return run.Run(ctx)
}

func main() {
	var mails []mail
	decodeErr := json.NewDecoder(os.Stdin).Decode(&mails)
	sum, err := send(context.Background(), sender{os.Getenv("SMTP_SERVER"), os.Getenv("SMTP_FROM")}, "mails.db", mails)
	fmt.Fprintln(os.Stderr, sum, decodeErr, err)
}

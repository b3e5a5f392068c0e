package report

import (
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/quire-dev/quire/queue"
)

// Attempt is the JSON shape of a try that failed or broke off.
type Attempt struct {
	Number    int     `json:"number"`
	StartedAt Time    `json:"started_at"`
	EndedAt   Time    `json:"ended_at"`
	Seconds   float64 `json:"seconds"`
	Key       string  `json:"key"`
	Reason    *string `json:"reason"`
	Class     *string `json:"class"`
	Error     *string `json:"error"`
	Owner     string  `json:"owner"` // of the lease: a run
}

// JobHistory is the JSON shape of a job with what is kept of its failed attempts.
type JobHistory struct {
	Job
	History []Attempt `json:"history"`
}

// NewHistory makes the shapes of attempts, oldest first. It is never nil.
func NewHistory(attempts []queue.Attempt) []Attempt {
	history := make([]Attempt, len(attempts))
	for i, a := range attempts {
		history[i] = Attempt{
			Number: a.Number, StartedAt: Time(a.Started), EndedAt: Time(a.Ended),
			Seconds: a.Ended.Sub(a.Started).Round(time.Millisecond).Seconds(),
			Key:     a.Key, Reason: known(a.Reason), Class: known(a.Class), Error: known(a.Error), Owner: a.Owner,
		}
	}
	return history
}

// why is the attempt's end in a few words.
func (a Attempt) why() string {
	text := orUnknown(a.Class)
	if a.Class == nil && a.Reason != nil {
		text = *a.Reason
	}
	if a.Error != nil && !strings.Contains(text, *a.Error) {
		text += ": " + *a.Error
	}
	return text
}

// ownerShown is how much of an owner's name is shown: enough to tell runs apart.
const ownerShown = 8

// WriteHistory shows attempts as a table, for a terminal.
func WriteHistory(w io.Writer, history []Attempt) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(cells ...string) error {
		for i, cell := range cells {
			cells[i] = Printable(cell)
		}
		_, err := io.WriteString(table, strings.Join(cells, "\t")+"\n")
		return err
	}
	if err := row("attempt", "started", "took", "key", "reason", "class", "owner", "error"); err != nil {
		return err
	}
	for _, a := range history {
		took := time.Duration(a.Seconds * float64(time.Second)).Round(time.Millisecond)
		owner := a.Owner[:min(len(a.Owner), ownerShown)]
		if err := row(strconv.Itoa(a.Number), a.StartedAt.String(), took.String(), a.Key, cell(a.Reason), cell(a.Class), owner, cell(a.Error)); err != nil {
			return err
		}
	}
	return table.Flush()
}

// cell is a text in a table: a dash if there is none.
func cell(s *string) string {
	if s == nil {
		return "-"
	}
	return *s
}

package cli

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/report"
	"github.com/quire-dev/quire/queue"
)

// summaryJSON is the JSON shape of a summary.
type summaryJSON struct {
	quire.Summary
	Rejected    int             `json:"rejected"` // arguments and rows that were of no use
	RejectsFile *string         `json:"rejects_file"`
	Next        []report.Advice `json:"next"`
}

// endShown is of how many ways to end without a file people are told what to do.
const endShown = 8

// summary tells what the run did, what is left, and what to do next.
func (w *watch) summary(sum quire.Summary, in added) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.json {
		next := w.next(sum, in, func(t time.Time) string { return report.Time(t).String() })
		return w.printJSON(summaryJSON{sum, in.Rejected, in.RejectsFile, next})
	}
	for _, row := range []struct {
		name  string
		n     int
		about string
	}{
		{"done", sum.Done, w.doneLine(sum)},
		{"skipped", sum.Skipped, ranked(w.run.Reasons(queue.Skipped))},
		{"error", sum.Error, ranked(w.run.Reasons(queue.Error))},
		{"left", sum.Remaining, leftLine(sum)},
		{"total", sum.Done + sum.Skipped + sum.Error + sum.Remaining, fmt.Sprintf("in %s, %d requests",
			time.Duration(sum.ElapsedSeconds*float64(time.Second)).Round(10*time.Millisecond), sum.Requests)},
	} {
		w.printf("%s\n", strings.TrimRight(fmt.Sprintf("%-8s %6d   %s", row.name, row.n, row.about), " "))
	}
	defer w.out.Flush()
	if w.passing {
		return nil
	}
	now := time.Now()
	next := w.next(sum, in, func(t time.Time) string { return clockText(t, now) })
	report.WriteAdvice(w.out, next[:min(len(next), endShown)])
	if more := len(next) - endShown; more > 0 {
		w.printf("  and %d more: %s report\n", more, printable(w.self()))
	}
	if sum.Skipped+sum.Error > 0 {
		w.printf("\nall works  %[1]s report\none work   %[1]s explain ID\n", printable(w.self()))
	}
	return nil
}

// next is what there is to do after a run: about what is left first, then about
// what was of no use, then about each way in which works ended without a file.
func (w *watch) next(sum quire.Summary, in added, clock func(time.Time) string) []report.Advice {
	list := report.AdviseWaits(sum.Waits, sum.Remaining, sum.QueuePaused, time.Now(), clock)
	if in.Rejected > 0 {
		list = append(list, report.Advice{Count: in.Rejected, Text: rejectedText(in)})
	}
	list = append(list, w.misses.Advice("")...)
	for i, a := range list {
		if a.Command != nil {
			command := strings.ReplaceAll(*a.Command, "quire queue", w.self()+" queue")
			list[i].Command = &command
		}
	}
	return slices.Concat([]report.Advice{}, list)
}

// rejectedText says what to do about input that was of no use.
func rejectedText(in added) string {
	if in.RejectsFile == nil {
		return fmt.Sprintf("%d of the arguments could not be read: correct them, and give them again.", in.Rejected)
	}
	return fmt.Sprintf("%d could not be read, for the reasons in %s: correct and import them again.", in.Rejected, *in.RejectsFile)
}

// ended takes in the end of a job. It is called from many goroutines.
func (w *watch) ended(e quire.Event) {
	if e.State == queue.Done {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.misses.Add(queue.Job{State: e.State, Class: e.Class, Reason: e.Reason, Result: e.Result})
}

// doneLine says where the files are.
func (w *watch) doneLine(sum quire.Summary) string {
	switch {
	case sum.Done == 0:
		return ""
	case w.passing:
		return report.Size(sum.Bytes)
	}
	where := filepath.Join(w.data, "works")
	if strings.HasPrefix(w.artifacts, "s3:") {
		where = quire.Config{Artifacts: w.artifacts}.ArtifactsName()
	}
	return fmt.Sprintf("%s in %s; a line each in %s", report.Size(sum.Bytes), printable(where), printable(filepath.Join(w.data, "manifest.jsonl")))
}

// leftLine says how long the rest takes at least, if that is long.
func leftLine(sum quire.Summary) string {
	if sum.Remaining == 0 || sum.BoundSeconds == nil || report.Seconds(*sum.BoundSeconds) <= longBound {
		return ""
	}
	key := "max_workers"
	if sum.BoundKey != nil {
		key = *sum.BoundKey
	}
	return fmt.Sprintf("take %s at least, bound by %s", report.Span(report.Seconds(*sum.BoundSeconds)), printable(key))
}

// clockText writes an instant in local time, with the day if it is another one.
func clockText(t, now time.Time) string {
	t, now = t.Local(), now.Local()
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format("15:04 MST")
	}
	return t.Format("2006-01-02 15:04 MST")
}

// ranked lists counted words, most frequent first.
func ranked(counts map[string]int) string {
	words := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	for i, word := range words {
		words[i] = fmt.Sprintf("%s %d", printable(word), counts[word])
	}
	return strings.Join(words, ", ")
}

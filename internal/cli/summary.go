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
	"github.com/quire-dev/quire/queue"
)

// summary tells what the run did.
func (w *watch) summary(sum quire.Summary) error {
	if w.json {
		return w.printJSON(sum)
	}
	for _, row := range []struct {
		name  string
		n     int
		about string
	}{
		{"done", sum.Done, w.doneLine(sum)},
		{"skipped", sum.Skipped, ranked(w.run.Reasons(queue.Skipped))},
		{"error", sum.Error, ranked(w.run.Reasons(queue.Error))},
		{"left", sum.Remaining, w.leftLine(sum)},
		{"total", sum.Done + sum.Skipped + sum.Error + sum.Remaining, fmt.Sprintf("in %s, %d requests",
			time.Duration(sum.ElapsedSeconds*float64(time.Second)).Round(10*time.Millisecond), sum.Requests)},
	} {
		w.printf("%s\n", strings.TrimRight(fmt.Sprintf("%-8s %6d   %s", row.name, row.n, row.about), " "))
	}
	if sum.Error > 0 && !w.passing {
		w.printf("\nwhat went wrong  %[1]s queue list --state error\none work         %[1]s explain ID\ntry again        %[1]s queue retry-failed\n",
			printable(w.self()))
	}
	w.out.Flush()
	return nil
}

func (w *watch) doneLine(sum quire.Summary) string {
	switch {
	case sum.Done == 0:
		return ""
	case w.passing:
		return size(sum.Bytes)
	}
	return fmt.Sprintf("%s in %s", size(sum.Bytes), printable(filepath.Join(w.data, "works")))
}

func (w *watch) leftLine(sum quire.Summary) string {
	switch {
	case sum.Remaining == 0:
		return ""
	case sum.QueuePaused:
		return fmt.Sprintf("the queue is paused: %s queue resume", printable(w.self()))
	case sum.Paused > 0:
		return fmt.Sprintf("%d wait at paused keys: %s queue resume KEY", sum.Paused, printable(w.self()))
	}
	if sum.BoundSeconds == nil || seconds(*sum.BoundSeconds) <= longBound {
		return "run again to go on"
	}
	key := ""
	if sum.BoundKey != nil {
		key = *sum.BoundKey
	}
	return "run again to go on; " + printable(boundText(key, seconds(*sum.BoundSeconds)))
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

package queue_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/queue"
)

func TestState_Terminal(t *testing.T) {
	var terminal, open []queue.State
	for _, s := range queue.States() {
		if s.Terminal() {
			terminal = append(terminal, s)
		} else {
			open = append(open, s)
		}
	}
	if diff := cmp.Diff([]queue.State{"queued", "in_progress"}, open); diff != "" {
		t.Errorf("open states (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]queue.State{"done", "skipped", "error"}, terminal); diff != "" {
		t.Errorf("terminal states (-want +got):\n%s", diff)
	}
	if queue.State("finished").Terminal() {
		t.Error("a word that is no state is terminal")
	}
}

func TestStates_isACopy(t *testing.T) {
	queue.States()[0] = "changed"
	if got := queue.States()[0]; got != queue.Queued {
		t.Errorf("States()[0] = %q after a caller wrote to its slice, want %q", got, queue.Queued)
	}
}

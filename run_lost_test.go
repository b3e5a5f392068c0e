package quire

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// Only the loss of the right makes a run end with an error: being told to stop
// does not, whichever came first.
func TestLost(t *testing.T) {
	errTaken := errors.New("another process runs this queue now")
	tests := map[string]struct {
		end  func(stop, lose context.CancelCauseFunc)
		want bool
	}{
		"goes on":           {func(_, _ context.CancelCauseFunc) {}, false},
		"told to stop":      {func(stop, _ context.CancelCauseFunc) { stop(nil) }, false},
		"lost":              {func(_, lose context.CancelCauseFunc) { lose(errTaken) }, true},
		"lost, then told":   {func(stop, lose context.CancelCauseFunc) { lose(errTaken); stop(nil) }, true},
		"told, then lost":   {func(stop, lose context.CancelCauseFunc) { stop(nil); lose(errTaken) }, false},
		"told with a cause": {func(stop, _ context.CancelCauseFunc) { stop(errTaken) }, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			ctx, stop := context.WithCancelCause(t.Context())
			defer stop(nil)
			running, lose := context.WithCancelCause(ctx)
			defer lose(nil)
			tt.end(stop, lose)
			err := lost(ctx, running)
			if got := errors.Is(err, errTaken) && strings.Contains(err.Error(), "lost the right"); got != tt.want {
				t.Errorf("lost = %v, want an error: %v", err, tt.want)
			}
		})
	}
}

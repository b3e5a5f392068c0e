package sqlite_test

import (
	"testing"

	"github.com/quire-dev/quire/internal/storetest"
)

func TestModel(t *testing.T) {
	t.Parallel()
	storetest.Model(t, inBubble)
}

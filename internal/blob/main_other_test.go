//go:build !linux

package blob_test

import (
	"os"
	"testing"
)

func TestMain(m *testing.M) { os.Exit(runAll(m)) }

// Package need lets tests go without what a machine may lack, unless it is
// required: a test that is left out must be left out on purpose.
package need

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// Required reports whether QUIRE_TEST_REQUIRE, words with commas, names a thing:
// postgres, s3, strace, mount, namespace, bash, make or sh.
func Required(thing string) bool {
	return slices.Contains(strings.Split(os.Getenv("QUIRE_TEST_REQUIRE"), ","), thing)
}

// Or skips the test if err says why a thing is missing, or fails it if the thing is
// required. Without an error it does nothing.
func Or(t testing.TB, thing string, err error) {
	t.Helper()
	switch {
	case err == nil:
	case Required(thing):
		t.Fatalf("%s is required: %v", thing, err)
	default:
		t.Skipf("left out, as there is no %s: %v", thing, err)
	}
}

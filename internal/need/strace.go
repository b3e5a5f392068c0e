package need

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// Strace wants system calls that can be traced and tampered with.
func Strace(t testing.TB) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "strace", "-f", "-qq", "-o", os.DevNull, "true").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	Or(t, "strace", err)
}

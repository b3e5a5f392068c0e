package blob_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/quire-dev/quire/internal/s3test"
)

// s3 is the S3 server of this package's tests.
var s3 s3test.Shared

func runAll(m *testing.M) int {
	if err := s3test.SetKeys(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	return max(code, s3.Stop())
}

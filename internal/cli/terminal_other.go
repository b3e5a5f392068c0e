//go:build !unix

package cli

import (
	"errors"
	"os"
)

func inForeground(any) bool { return true }

func openTerminal() (*os.File, error) { return nil, errors.ErrUnsupported }

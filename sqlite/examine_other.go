//go:build !linux

package sqlite

import "os"

func lockedBy(os.FileInfo) string { return "" }

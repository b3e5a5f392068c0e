//go:build unix

package s3test

import (
	"os/exec"
	"syscall"
)

// aside keeps a signal for our group, such as an interrupt, from cmd.
func aside(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

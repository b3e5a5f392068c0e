//go:build !unix

package pgtest

import "os/exec"

// account is whom a program runs as: always who we are.
type account struct{ uid, gid int }

func (*account) runs(*exec.Cmd) {}

func aside(*exec.Cmd) {}

func unprivileged() (*account, error) { return nil, nil } //nolint:nilnil // nobody else

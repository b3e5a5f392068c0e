package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/redis/go-redis/v9"
)

// startRedis starts an empty Redis server with an append-only file, on a Unix
// socket only. stop ends it and removes its data.
func startRedis(ctx context.Context, dir string, full bool) (socket string, stop func() error, err error) {
	bin, err := exec.LookPath("redis-server")
	if err != nil {
		return "", nil, fmt.Errorf("find redis-server: %w", err)
	}
	data, err := os.MkdirTemp(dir, "peers-redis-")
	if err != nil {
		return "", nil, fmt.Errorf("make directory for Redis: %w", err)
	}
	short, err := os.MkdirTemp("", "rd") // a socket's path must be short
	if err != nil {
		return "", nil, errors.Join(fmt.Errorf("make directory for Redis: %w", err), os.RemoveAll(data))
	}
	socket = filepath.Join(short, "s")
	fsync := "everysec"
	if full {
		fsync = "always"
	}
	p, err := startProcess("Redis", exec.Command(bin, "--port", "0", "--unixsocket", socket, "--dir", data, //nolint:noctx // stop ends it
		"--save", "", "--appendonly", "yes", "--appendfsync", fsync))
	remove := func() error { return errors.Join(os.RemoveAll(data), os.RemoveAll(short)) }
	if err != nil {
		return "", nil, errors.Join(err, remove())
	}
	stop = func() error { return errors.Join(p.stop(), remove()) }
	client := redis.NewClient(&redis.Options{Network: "unix", Addr: socket})
	defer client.Close()
	if err := p.ready(ctx, func(ctx context.Context) error { return client.Ping(ctx).Err() }); err != nil {
		return "", nil, errors.Join(err, stop())
	}
	return socket, stop, nil
}

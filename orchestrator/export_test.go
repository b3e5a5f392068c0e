package orchestrator

import "time"

// WithWall returns c with another wall clock.
func (c Config) WithWall(now func() time.Time) Config {
	c.wall = now
	return c
}

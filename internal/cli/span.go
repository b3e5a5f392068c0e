package cli

import (
	"time"

	"github.com/quire-dev/quire/internal/report"
)

func span(d time.Duration) string { return report.Span(d) }

func seconds(s float64) time.Duration { return report.Seconds(s) }

func size(n int64) string { return report.Size(n) }

package cli

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/lmittmann/tint"

	"github.com/quire-dev/quire/internal/report"
)

// logger makes the log on stderr. Whatever is logged, nothing in it steers a terminal.
func (a *app) logger() *slog.Logger {
	var level slog.Level
	if level.UnmarshalText([]byte(a.logLevel)) != nil {
		level = slog.LevelInfo
	}
	if a.logWork != "" {
		level = slog.LevelDebug
	}
	var h slog.Handler
	if a.logFormat == "json" {
		h = slog.NewJSONHandler(escaping{a.env.Stderr}, &slog.HandlerOptions{Level: level})
	} else {
		h = printing{tint.NewTextHandler(a.env.Stderr, &tint.Options{Level: level, TimeFormat: time.TimeOnly, NoColor: !a.coloured()})}
	}
	if a.logWork != "" {
		h = ofWork{h, a.logWork}
	}
	return slog.New(h)
}

// escaping escapes what JSON need not in the documents that are written to it.
type escaping struct{ w io.Writer }

func (e escaping) Write(doc []byte) (int, error) {
	if _, err := e.w.Write(report.EscapeJSON(doc)); err != nil {
		return 0, err
	}
	return len(doc), nil
}

// printing makes messages and texts printable before they are logged.
type printing struct{ slog.Handler }

// Handle logs r.
func (p printing) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, logText(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		if a.Value.Any() != nil { // null is for machines
			clean.AddAttrs(printableAttr(a))
		}
		return true
	})
	return p.Handler.Handle(ctx, clean)
}

// WithAttrs returns a handler that has attrs in each line.
func (p printing) WithAttrs(attrs []slog.Attr) slog.Handler {
	clean := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		clean[i] = printableAttr(a)
	}
	return printing{p.Handler.WithAttrs(clean)}
}

func printableAttr(a slog.Attr) slog.Attr {
	a.Value = a.Value.Resolve()
	if err, ok := a.Value.Any().(error); ok {
		a.Value = slog.StringValue(err.Error())
	}
	if a.Value.Kind() == slog.KindString {
		a.Value = slog.StringValue(logText(a.Value.String()))
	}
	return a
}

// logText makes a text printable. tint turns the four characters \x1b back into the
// one that begins a command to the terminal, so they are written in another way.
func logText(text string) string { return strings.ReplaceAll(printable(text), `\x1b`, `\u001b`) }

// ofWork leaves out what is logged for debugging unless it is about one work.
type ofWork struct {
	slog.Handler
	id string
}

// Handle logs r.
func (o ofWork) Handle(ctx context.Context, r slog.Record) error {
	about := r.Level > slog.LevelDebug
	r.Attrs(func(a slog.Attr) bool {
		about = about || a.Key == "artifact_id" && a.Value.String() == o.id
		return !about
	})
	if !about {
		return nil
	}
	return o.Handler.Handle(ctx, r)
}

// WithAttrs returns a handler that has attrs in each line.
func (o ofWork) WithAttrs(attrs []slog.Attr) slog.Handler {
	return ofWork{o.Handler.WithAttrs(attrs), o.id}
}

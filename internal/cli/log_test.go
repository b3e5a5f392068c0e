package cli

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"unicode"

	"github.com/lmittmann/tint"
)

// Whatever is logged, with colours or without, no character of it is a command to
// the terminal but those that colour.
func TestPrinting(t *testing.T) {
	const hostile = "red \x1b[31m bell \a line\nfeed \u202edrow \u009b1m literal \\x1b[31m"
	for _, noColor := range []bool{true, false} {
		var out bytes.Buffer
		log := slog.New(printing{tint.NewTextHandler(&out, &tint.Options{NoColor: noColor})})
		log.With("with", hostile).Info(hostile, "text", hostile, "error", errors.New(hostile))
		got := out.String()
		if strings.Contains(got, "\x1b[31m") {
			t.Errorf("a colour of the text's own, NoColor %t: %q", noColor, got)
		}
		for _, r := range strings.TrimSuffix(got, "\n") {
			if r != '\x1b' && !unicode.IsPrint(r) || r == '\x1b' && noColor {
				t.Errorf("%q, NoColor %t: %q", r, noColor, got)
			}
		}
	}
}

func TestEscaping(t *testing.T) {
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(escaping{&out}, nil)).Info("a\u202eb\u009b\x7f\x1b")
	if got := out.String(); !strings.Contains(got, `"msg":"a\u202eb\u009b\u007f\u001b"`) {
		t.Error(got)
	}
}

package queue

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Check returns nil if a store may take j, and otherwise [ErrInvalid] that names
// the field and the limit. The texts of a job must be UTF-8 without NUL.
func (j NewJob) Check() error {
	if err := CheckText("artifact id", j.ArtifactID, 1, MaxArtifactID); err != nil {
		return err
	}
	if err := CheckText("key", j.Key, 1, MaxKey); err != nil {
		return err
	}
	if err := CheckText("run", j.Run, 0, MaxKey); err != nil {
		return err
	}
	if len(j.Payload) > MaxPayload {
		return fmt.Errorf("%w payload: %d bytes, at most %d are allowed", ErrInvalid, len(j.Payload), MaxPayload)
	}
	return nil
}

// Check returns nil if a store may take s, and otherwise [ErrInvalid] that says
// why. Whether the lease still holds is another matter.
func (s Settlement) Check() error {
	switch s.Verb {
	case Finish:
		if !s.State.Terminal() {
			return fmt.Errorf("%w state: %q does not end a job", ErrInvalid, s.State)
		}
	case Retry, Advance, Release:
	default:
		return fmt.Errorf("%w verb: %q", ErrInvalid, s.Verb)
	}
	return CheckText("key", s.Key, 0, MaxKey)
}

// Check returns nil if a store may save n, and otherwise [ErrInvalid] that names the
// field and the limit. The Key must be UTF-8 without NUL.
func (n KeyNote) Check() error {
	if err := CheckText("key", n.Key, 1, MaxKey); err != nil {
		return err
	}
	switch {
	case len(n.Doc) > MaxKeyNote:
		return fmt.Errorf("%w doc: %d bytes, at most %d are allowed", ErrInvalid, len(n.Doc), MaxKeyNote)
	case len(n.Doc) > 0 && !json.Valid(n.Doc):
		return fmt.Errorf("%w doc: %.80q is not JSON", ErrInvalid, n.Doc)
	}
	return nil
}

// Check returns nil if f can be answered, and otherwise [ErrInvalid].
func (f Filter) Check() error {
	if len(f.ArtifactIDs) > MaxFilterIDs {
		return fmt.Errorf("%w filter: %d artifact ids, at most %d are allowed", ErrInvalid, len(f.ArtifactIDs), MaxFilterIDs)
	}
	if err := CheckText("prefix", f.Prefix, 0, MaxArtifactID); err != nil {
		return err
	}
	for _, state := range f.States {
		if !state.Terminal() && state != Queued && state != InProgress {
			return fmt.Errorf("%w state: %q", ErrInvalid, state)
		}
	}
	return nil
}

// CheckText returns [ErrInvalid] unless text is of least to most bytes of UTF-8
// without NUL, which PostgreSQL does not take. field names it in the error.
func CheckText(field, text string, least, most int) error {
	switch {
	case len(text) < least:
		return fmt.Errorf("%w %s: it is empty", ErrInvalid, field)
	case len(text) > most:
		return fmt.Errorf("%w %s: %d bytes, at most %d are allowed", ErrInvalid, field, len(text), most)
	case !utf8.ValidString(text):
		return fmt.Errorf("%w %s: %.80q is not UTF-8", ErrInvalid, field, text)
	case strings.IndexByte(text, 0) >= 0:
		return fmt.Errorf("%w %s: %.80q contains NUL", ErrInvalid, field, text)
	}
	return nil
}

// CleanText returns text as every store can keep it: what is not UTF-8, and NUL,
// becomes U+FFFD. Stores pass the Reason, Class and Error of a settlement through
// it, which may quote anything that a server sent.
func CleanText(text string) string {
	if utf8.ValidString(text) && strings.IndexByte(text, 0) < 0 {
		return text
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

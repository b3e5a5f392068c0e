package resolver

import (
	"errors"
	"strings"

	"github.com/quire-dev/quire/paper"
)

var errBadURL = errors.New("not a web address")

// cleanURL is [paper.NormalizeURL] for what a service or a page wrote: spaces are
// forgiven, bytes that were no UTF-8 make the URL unusable.
func cleanURL(raw string) (string, error) {
	if strings.ContainsRune(raw, '\ufffd') {
		return "", errBadURL
	}
	return paper.NormalizeURL(strings.ReplaceAll(strings.TrimSpace(raw), " ", "%20"))
}

package cli

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// contact is an e-mail address, or empty.
type contact string

func (c *contact) UnmarshalText(text []byte) error {
	*c = contact(text)
	return checkEmail(string(text))
}

// checkContact returns nil if address may be given to the sources as the one to
// write to. Reading the configuration asks less: an address that nobody has, and
// none at all, are at fault only when the network is about to be used. The error
// tells where it is from.
func checkContact(address string, from origin) error {
	err := checkEmail(address)
	switch {
	case address == "":
		err = errors.New("an e-mail address is needed before the network is used; give --contact, QUIRE_CONTACT or contact in the configuration file")
	case err == nil && isPlaceholder(address):
		err = fmt.Errorf("%q is a placeholder; give an address that somebody reads", address)
	}
	if err != nil {
		return &configError{problems: []error{problem(from, "contact", err)}}
	}
	return nil
}

// checkEmail accepts what browsers accept in an e-mail field
// (https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address) if
// its domain has a dot. Nothing that it accepts can break out of a header.
func checkEmail(address string) error {
	const label = `[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?`
	valid := regexp.MustCompile("^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@" + label + `(?:\.` + label + `)+$`)
	if len(address) > 254 || !valid.MatchString(address) {
		return fmt.Errorf("%q is not an e-mail address", address)
	}
	return nil
}

// isPlaceholder knows the names that are set aside for examples (RFC 2606) and
// example.edu, and whatever else is called example.
func isPlaceholder(address string) bool {
	_, domain, _ := strings.Cut(strings.ToLower(address), "@")
	labels := strings.Split(domain, ".")
	switch labels[len(labels)-1] {
	case "example", "test", "invalid", "localhost":
		return true
	}
	return len(labels) >= 2 && labels[len(labels)-2] == "example" || labels[0] == "example"
}

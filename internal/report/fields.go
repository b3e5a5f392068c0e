package report

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Field is one field of a flat JSON document, for showing to people.
type Field struct{ Name, Value string }

// Fields returns the fields of a flat JSON document that are not null, in its order.
func Fields(doc []byte) ([]Field, error) {
	dec := json.NewDecoder(bytes.NewReader(doc))
	dec.UseNumber()
	if _, err := dec.Token(); err != nil {
		return nil, err
	}
	var fields []Field
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, err
		}
		var value any
		if err := dec.Decode(&value); err != nil {
			return nil, err
		}
		if value != nil && value != "" {
			fields = append(fields, Field{fmt.Sprint(name), fmt.Sprint(value)})
		}
	}
	return fields, nil
}

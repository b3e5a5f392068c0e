package quire

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/quire-dev/quire/internal/dump"
	"github.com/quire-dev/quire/internal/resolver"
)

// DumpReport says what came of the import of a dump.
type DumpReport = dump.Report

// ImportUnpaywall reads a dump of Unpaywall, one record a line, plain or gzip, and
// makes an index of it at path, which [Source].Dump can name. It keeps what the
// source reads of a record. Lines that are no record, or over 1 MiB long, are left
// out and counted. told, which may be nil, is called now and then.
//
// An index that is at path is replaced once the new one is whole: after an error,
// or if ctx ends, it is as it was, and the next import starts from the beginning.
// A System that is open reads on in the old one. A file at path that is no index
// is an error and is left alone.
func ImportUnpaywall(ctx context.Context, from io.Reader, path string, told func(DumpReport)) (DumpReport, error) {
	return dump.Import(ctx, from, path, resolver.ReduceUnpaywall, told)
}

// dumps are the open indexes, by the name of their source.
type dumps map[string]*dump.Index

func (c Config) openDumps(ctx context.Context) (dumps, error) {
	open := make(dumps)
	for _, s := range c.Sources {
		if s.Dump == "" {
			continue
		}
		if s.Name != "unpaywall" || s.Custom != nil {
			return open, fmt.Errorf("%w: %s: only unpaywall can answer from a dump", ErrConfig, s.Name)
		}
		index, err := dump.Open(ctx, s.Dump)
		if errors.Is(err, dump.ErrNotIndex) {
			err = fmt.Errorf("%w: import it first", err)
		}
		if err != nil {
			return open, fmt.Errorf("%w: %s: %w", ErrConfig, s.Name, err)
		}
		open[s.Name] = index
	}
	return open, nil
}

func (d dumps) close() error {
	var err error
	for _, index := range d {
		err = errors.Join(err, index.Close())
	}
	return err
}

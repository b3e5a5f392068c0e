package verify

import (
	"bufio"
	"cmp"
	"container/heap"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// chunkEntries is how many entries are sorted in memory: with those of verify, of
// some 400 bytes, 13 MB. A store of fewer works needs no temporary file.
const chunkEntries = 1 << 15

// sortedBuffer is what reading one sorted chunk takes: 5 million entries are 153
// chunks and 2.5 MB.
const sortedBuffer = 16 << 10

// entry is a value under the key that it is sorted by.
type entry[T any] struct {
	Key   string `json:"k"`
	Value T      `json:"v"`
}

// sorter takes entries in any order and gives them back in the order of the bytes
// of their keys. Beyond chunkEntries of them, sorted chunks go to a temporary file
// that has no name, and are merged when they are read. It is for one goroutine.
type sorter[T any] struct {
	chunk  []entry[T]
	file   *os.File // nil: all are in chunk
	named  bool     // close has to remove file
	size   int64
	starts []int64  // of the chunks in file
	merge  merge[T] // nil: not read yet
}

// add takes an entry. It must not be called after the first peek.
func (s *sorter[T]) add(key string, value T) error {
	s.chunk = append(s.chunk, entry[T]{key, value})
	if len(s.chunk) < chunkEntries {
		return nil
	}
	return s.spill()
}

// spill writes the chunk, sorted, to the file.
func (s *sorter[T]) spill() (err error) {
	if s.file == nil {
		if s.file, err = os.CreateTemp("", "quire-verify-*"); err != nil {
			return fmt.Errorf("sort: %w", err)
		}
		s.named = os.Remove(s.file.Name()) != nil // a file that is open can't be removed everywhere
	}
	s.sort()
	counted := &counter{w: s.file}
	w := bufio.NewWriterSize(counted, 1<<20)
	enc := json.NewEncoder(w)
	for i := range s.chunk {
		if err := enc.Encode(&s.chunk[i]); err != nil {
			return fmt.Errorf("sort: %w", err)
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("sort: %w", err)
	}
	s.starts = append(s.starts, s.size)
	s.size += counted.n
	s.chunk = s.chunk[:0]
	return nil
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

func (s *sorter[T]) sort() {
	slices.SortStableFunc(s.chunk, func(a, b entry[T]) int { return cmp.Compare(a.Key, b.Key) })
}

// peek returns the next entry, or nil after the last one. The entry is valid until
// next is called.
func (s *sorter[T]) peek() (*entry[T], error) {
	if s.merge == nil {
		if err := s.begin(); err != nil {
			return nil, fmt.Errorf("read sorted: %w", err)
		}
	}
	if len(s.merge) == 0 {
		return nil, nil //nolint:nilnil // that is how the end is told
	}
	return &s.merge[0].head, nil
}

// next goes on to the entry after the one that peek returns.
func (s *sorter[T]) next() error {
	more, err := s.merge[0].advance()
	switch {
	case err != nil:
		return fmt.Errorf("read sorted: %w", err)
	case more:
		heap.Fix(&s.merge, 0)
	default:
		heap.Pop(&s.merge)
	}
	return nil
}

// begin opens the chunks. The last one never went to the file.
func (s *sorter[T]) begin() error {
	s.sort()
	s.merge = merge[T]{}
	runs := []*run[T]{{rest: s.chunk}}
	for i, start := range s.starts {
		end := s.size
		if i+1 < len(s.starts) {
			end = s.starts[i+1]
		}
		in := bufio.NewReaderSize(io.NewSectionReader(s.file, start, end-start), sortedBuffer)
		runs = append(runs, &run[T]{dec: json.NewDecoder(in)})
	}
	for _, r := range runs {
		more, err := r.advance()
		if err != nil {
			return err
		}
		if more {
			s.merge = append(s.merge, r)
		}
	}
	heap.Init(&s.merge)
	return nil
}

// close drops the temporary file.
func (s *sorter[T]) close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	if s.named {
		err = errors.Join(err, os.Remove(s.file.Name()))
	}
	return err
}

// run is one sorted chunk being read, from the file or from memory.
type run[T any] struct {
	dec  *json.Decoder
	rest []entry[T]
	head entry[T]
}

func (r *run[T]) advance() (more bool, err error) {
	if r.dec == nil {
		if len(r.rest) == 0 {
			return false, nil
		}
		r.head, r.rest = r.rest[0], r.rest[1:]
		return true, nil
	}
	r.head = entry[T]{}
	err = r.dec.Decode(&r.head)
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	return err == nil, err
}

// merge is a heap of chunks by their next keys.
type merge[T any] []*run[T]

func (m merge[T]) Len() int           { return len(m) }
func (m merge[T]) Less(i, j int) bool { return m[i].head.Key < m[j].head.Key }
func (m merge[T]) Swap(i, j int)      { m[i], m[j] = m[j], m[i] }
func (m *merge[T]) Push(r any)        { *m = append(*m, r.(*run[T])) } //nolint:forcetypeassert // heap's own shape
func (m *merge[T]) Pop() any {
	last := (*m)[len(*m)-1]
	*m = (*m)[:len(*m)-1]
	return last
}

package harvest

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"
)

const (
	// manyOwners is how many other works a file must have been given for to be
	// suspected. A work that is registered twice, or a paper with its erratum, gives
	// two; one file for four works is a notice, or a volume that nobody calls one.
	manyOwners = 3

	maxMarks  = 8      // of a work
	maxOnce   = 50_000 // files of one work that are remembered, the latest: some 10 MB
	maxShared = 10_000 // files of more works: some 6 MB

	maxOwnerLine = 16 << 10
)

// Owners remembers for which works each file was given, by the host it came from, so
// that one file for many works stands out. Of the files of one work it knows the
// latest of this process; those of more are also kept in a file, if it has one: one
// line of JSON per owner. The zero Owners has none. It is safe for concurrent use.
type Owners struct {
	mu     sync.Mutex
	path   string // empty: in memory alone
	file   *os.File
	once   map[ownedKey][]string
	latest []ownedKey // of once, a ring
	at     int
	shared map[ownedKey][][]string
}

// ownedKey is a file as it came from a host.
type ownedKey struct {
	sum  [16]byte // the first half of its SHA-256: it tells apart what is not made to collide
	host string
}

// ownerLine is a line of the file.
type ownerLine struct {
	SHA256 string   `json:"sha256"`
	Host   string   `json:"host"`
	Marks  []string `json:"marks"`
}

// OpenOwners reads what earlier runs have kept at path, if they have. The file is
// made when there is something to keep. What in it is no line of ours is passed over.
func OpenOwners(path string) (*Owners, error) {
	o := &Owners{path: path}
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return o, nil
	case err != nil:
		return nil, fmt.Errorf("read which works share a file: %w", err)
	}
	defer f.Close()
	lines := bufio.NewReaderSize(f, maxOwnerLine)
	for {
		text, err := lines.ReadSlice('\n')
		var line ownerLine
		if err == nil && json.Unmarshal(text, &line) == nil {
			o.load(line)
		}
		switch {
		case errors.Is(err, io.EOF):
			return o, nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return nil, fmt.Errorf("read which works share a file: %w", err)
		}
	}
}

func (o *Owners) load(line ownerLine) {
	key, ok := keyOf(line.SHA256, line.Host)
	owners, known := o.shared[key]
	if !ok || len(line.Marks) == 0 || len(line.Marks) > maxMarks || len(owners) >= manyOwners || !known && len(o.shared) >= maxShared {
		return
	}
	o.share(key, append(owners, line.Marks))
}

func (o *Owners) share(key ownedKey, owners [][]string) {
	if o.shared == nil {
		o.shared = make(map[ownedKey][][]string)
	}
	o.shared[key] = owners
}

func keyOf(sha256, host string) (key ownedKey, ok bool) {
	key.host = host
	n, err := hex.Decode(key.sum[:], []byte(sha256[:min(len(sha256), 2*len(key.sum))]))
	return key, err == nil && n == len(key.sum)
}

// Claim notes that host gave a file for the work that is known by marks, and returns
// a mark of each of the other works it gave it for before, manyOwners at most. A work
// that shares a mark is the same. Of a file that has so many owners none is added. An
// error says that it is known in this process alone.
func (o *Owners) Claim(sha256, host string, marks []string) (others []string, err error) {
	key, ok := keyOf(sha256, host)
	if !ok || len(marks) == 0 {
		return nil, nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	owners := o.shared[key]
	first := o.once[key]
	if first != nil && owners == nil {
		owners = [][]string{first}
	}
	for _, owner := range owners {
		if !slices.ContainsFunc(owner, func(m string) bool { return slices.Contains(marks, m) }) {
			others = append(others, owner[0])
		}
	}
	switch {
	case len(others) < len(owners) || len(owners) >= manyOwners: // one of them, or too late
		return others, nil
	case len(owners) == 0:
		o.remember(key, marks)
		return nil, nil
	case o.shared[key] == nil && len(o.shared) >= maxShared:
		return others, nil
	}
	o.share(key, append(owners, marks))
	delete(o.once, key)
	if first != nil {
		err = o.write(ownerLine{sha256, host, first})
	}
	return others, errors.Join(err, o.write(ownerLine{sha256, host, marks}))
}

// remember keeps the first owner of a file, and forgets that of the oldest one.
func (o *Owners) remember(key ownedKey, marks []string) {
	if o.once == nil {
		o.once = make(map[ownedKey][]string)
	}
	if len(o.latest) < maxOnce {
		o.latest = append(o.latest, key)
	} else {
		delete(o.once, o.latest[o.at])
		o.latest[o.at] = key
		o.at = (o.at + 1) % maxOnce
	}
	o.once[key] = marks
}

// write appends a line. It is not synced: what a crash takes is learnt again.
func (o *Owners) write(line ownerLine) error {
	if o.path == "" {
		return nil
	}
	if o.file == nil {
		f, err := os.OpenFile(o.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o640)
		if err != nil {
			return fmt.Errorf("keep which works share a file: %w", err)
		}
		o.file = f
		if _, err := f.WriteString("\n"); err != nil { // behind a line that a crash has cut
			return fmt.Errorf("keep which works share a file: %w", err)
		}
	}
	if _, err := o.file.Write(append(encode(line), '\n')); err != nil {
		return fmt.Errorf("keep which works share a file: %w", err)
	}
	return nil
}

// Close closes the file.
func (o *Owners) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.file == nil {
		return nil
	}
	err := o.file.Close()
	o.file = nil
	return err
}

// marks are what a work is known by: its identifiers, and the volume it is a part of,
// as all chapters of a book may come as the whole book. What was asked for by its URL
// alone is what is there, whatever it is: it has none.
func marks(st *story) []string {
	ids := st.Artifact.IDs
	var all []string
	for _, m := range [...]struct{ kind, id string }{
		{"doi", ids.DOI},
		{"arxiv", ids.ArXiv},
		{"pmcid", ids.PMCID},
		{"pmid", ids.PMID},
		{"openalex", ids.OpenAlex},
		{"volume", st.Volume},
	} {
		if m.id != "" {
			all = append(all, m.kind+":"+clip(m.id, maxTitle))
		}
	}
	return all
}

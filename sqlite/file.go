package sqlite

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/quire-dev/quire/queue"
)

// applicationID marks our files: "Quir", as migration 0001 sets it.
const applicationID = 0x51756972

// The header of a database file, https://www.sqlite.org/fileformat.html#the_database_header.
const (
	headerSize      = 100
	headerMagic     = "SQLite format 3\x00"
	offPageSize     = 16
	offChanges      = 24
	offPages        = 28
	offUserVersion  = 60
	offAppID        = 68
	offPagesAreFrom = 92 // the value of offChanges for which offPages holds
)

// checkFile reports whether path may be given to SQLite, without changing
// anything: SQLite itself would create, recover or convert what it opens. fresh
// says that there is no database yet and one may be made; an empty file counts
// as none, because a program killed while creating a database leaves one.
func checkFile(path string, opt Options) (fresh bool, err error) {
	// A log without its database holds work that opening would throw away.
	wal := walSize(path)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && wal > 0, err == nil && info.Size() == 0 && wal > 0:
		return false, fmt.Errorf("%w: %s-wal holds data, but the database is missing", queue.ErrDamaged, path)
	case errors.Is(err, fs.ErrNotExist) && opt.Create:
		return true, nil
	case err != nil:
		return false, err
	case !info.Mode().IsRegular():
		return false, fmt.Errorf("%w: it is not a regular file (%s)", queue.ErrDamaged, info.Mode())
	case info.Size() == 0 && !opt.Create:
		return false, fmt.Errorf("%w: the file is empty", queue.ErrDamaged)
	}
	mode := os.O_RDWR
	if opt.ReadOnly {
		mode = os.O_RDONLY
	}
	f, err := os.OpenFile(path, mode, 0)
	if err != nil {
		return false, err
	}
	defer f.Close()
	if info.Size() == 0 {
		return true, nil
	}
	header := make([]byte, headerSize)
	if _, err := io.ReadFull(f, header); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return false, err
	}
	return false, checkHeader(header, info.Size(), wal > 0, opt)
}

// walSize is the size of the write-ahead log beside path, 0 if there is none.
func walSize(path string) int64 {
	info, err := os.Stat(path + "-wal")
	if err != nil {
		return 0
	}
	return info.Size()
}

// checkHeader judges the header of a file of size bytes. With a log beside it
// the header may be out of date in everything but the magic and page size. A file
// of one page has no tables: it is another process's that is being created.
func checkHeader(header []byte, size int64, log bool, opt Options) error {
	number := func(off int) uint32 { return binary.BigEndian.Uint32(header[off:]) }
	if !bytes.HasPrefix(header, []byte(headerMagic)) {
		return fmt.Errorf("%w: it is no SQLite file", queue.ErrDamaged)
	}
	pageSize := int64(binary.BigEndian.Uint16(header[offPageSize:]))
	if pageSize == 1 {
		pageSize = 65536
	}
	if pageSize < 512 || pageSize&(pageSize-1) != 0 {
		return fmt.Errorf("%w: page size %d", queue.ErrDamaged, pageSize)
	}
	if log || size == pageSize && opt.Create {
		return nil
	}
	whole := pageSize
	if number(offChanges) == number(offPagesAreFrom) {
		whole *= int64(number(offPages))
	}
	if size < whole {
		return fmt.Errorf("%w: the file is cut short: %d bytes of %d", queue.ErrDamaged, size, whole)
	}
	return checkVersion(int64(number(offAppID)), int64(int32(number(offUserVersion))))
}

// checkVersion judges the marks of a database that is not new.
func checkVersion(appID, version int64) error {
	switch {
	case appID != applicationID || version < 1:
		return fmt.Errorf("%w: it is some other program's SQLite file", queue.ErrDamaged)
	case version > schemaVersion:
		return fmt.Errorf("%w: schema version %d, this program knows %d", queue.ErrNewer, version, schemaVersion)
	}
	return nil
}

package blob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// asideDir is where SetAside moves files: beside the directories of blobs and
// temporary files, or within that of blobs if the temporary ones are there too.
const asideDir = "quarantine"

// maxAside is how many files of one name can be set aside.
const maxAside = 1000

// SetAside moves a file to the directory "quarantine". See [Quarantine].
func (l *Local) SetAside(ctx context.Context, key string) (place string, err error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if l.base == nil {
		return "", fmt.Errorf("set blob aside: %w", errLooking)
	}
	if !fs.ValidPath(key) || !strings.HasPrefix(key, top+"/") {
		return "", fmt.Errorf("set aside %q: %w", key, fs.ErrInvalid)
	}
	if place, err = l.setAside(key); err != nil {
		return "", fmt.Errorf("set blob aside: %w", err)
	}
	return place, nil
}

func (l *Local) setAside(key string) (place string, err error) {
	if err := checkParents(l.files, key); err != nil {
		return "", err
	}
	if _, err := l.files.Lstat(filepath.FromSlash(key)); err != nil {
		return "", err
	}
	if err := makeDir(l.base, asideDir); err != nil {
		return "", err
	}
	if place, err = l.freePlace(asideDir + "/" + path.Base(key)); err != nil {
		return "", err
	}
	from := filepath.Join(l.filesIn, filepath.FromSlash(key))
	if err := l.base.Rename(from, filepath.FromSlash(place)); err != nil {
		return "", err
	}
	return place, errors.Join(syncDir(l.base, asideDir), syncDir(l.base, filepath.Dir(from)))
}

// freePlace returns name, or what it becomes with a number behind it if there is
// such a file already: what was set aside before is not written over. It is for
// one caller at a time, who has the right to run.
func (l *Local) freePlace(name string) (string, error) {
	free := name
	for n := 2; n <= maxAside; n++ {
		_, err := l.base.Lstat(filepath.FromSlash(free))
		if errors.Is(err, fs.ErrNotExist) {
			return free, nil
		}
		if err != nil {
			return "", err
		}
		free = name + "~" + strconv.Itoa(n)
	}
	return "", fmt.Errorf("%s: %d of its name are there already: %w", name, maxAside, fs.ErrExist)
}

package quire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/quire-dev/quire/internal/report"
	"github.com/quire-dev/quire/internal/verify"
)

const manifestFile = "manifest.jsonl"

// verifyManifest holds the manifest against the store and, to repair it, writes it
// anew if anything is wrong. What finished after since may be missing, but not in a
// repair: no run is there to bring it.
func (s *System) verifyManifest(ctx context.Context, repair bool, since time.Time, found func(Finding) error) error {
	did, faults := "", 0
	if repair {
		did, since = "written anew", time.Time{}
	}
	path := filepath.Join(s.cfg.Data, manifestFile)
	err := report.CheckManifest(ctx, path, s.store, since, func(f report.ManifestFault) error {
		faults++
		return found(Finding{Kind: verify.Manifest, Path: manifestFile, ArtifactID: f.ArtifactID, Note: f.Note, Repair: did})
	})
	if err != nil || faults == 0 || !repair {
		return err
	}
	return report.RebuildManifest(ctx, path, Version, s.store, s.keepManifest)
}

// keepManifest copies the manifest to the quarantine: what is wrong with it may be
// all that is left of an outcome.
func (s *System) keepManifest() (err error) {
	root, err := os.OpenRoot(s.cfg.Data)
	if err != nil {
		return err
	}
	defer root.Close()
	in, err := root.Open(manifestFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer in.Close()
	if err := root.Mkdir("quarantine", 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	for n := 1; ; n++ {
		out, err := root.OpenFile("quarantine/"+manifestFile+"~"+strconv.Itoa(n), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("keep the old manifest: %w", err)
		}
		_, err = io.Copy(out, in)
		return errors.Join(err, out.Sync(), out.Close())
	}
}

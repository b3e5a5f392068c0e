package doctor

import (
	"fmt"
	"syscall"
)

// statDisk asks the system about the file system of a directory.
func statDisk(dir string) (d disk, known bool, err error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return d, true, fmt.Errorf("free space of %s: %w", dir, err)
	}
	var kind []byte
	for _, c := range fs.Fstypename {
		if c == 0 {
			break
		}
		kind = append(kind, byte(c))
	}
	const local = 0x1000 // MNT_LOCAL of sys/mount.h
	return disk{
		id:   uint64(uint32(fs.Fsid.Val[0]))<<32 | uint64(uint32(fs.Fsid.Val[1])),
		kind: string(kind), remote: fs.Flags&local == 0,
		free: fs.Bavail * uint64(fs.Bsize), bytes: fs.Blocks * uint64(fs.Bsize), nodes: fs.Ffree, files: fs.Files,
	}, true, nil
}

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
	var about syscall.Stat_t
	if err := syscall.Stat(dir, &about); err != nil {
		return d, true, fmt.Errorf("file system of %s: %w", dir, err)
	}
	d = disk{
		id:   uint64(about.Dev),                                                 //nolint:unconvert // its type depends on the machine
		free: fs.Bavail * uint64(fs.Bsize), bytes: fs.Blocks * uint64(fs.Bsize), //nolint:gosec // a size is positive
		nodes: fs.Ffree, files: fs.Files,
	}
	d.name(uint32(fs.Type)) //nolint:gosec // magic numbers have 32 bits; on some machines the field has a sign
	return d, true, nil
}

// name tells the kind by the numbers of linux/magic.h and of the modules' own
// headers, as statfs(2) and stat(1) of coreutils list them.
func (d *disk) name(magic uint32) {
	switch magic {
	case 0xef53:
		d.kind = "ext4" // or ext2, ext3
	case 0x58465342:
		d.kind = "XFS"
	case 0x9123683e:
		d.kind = "Btrfs"
	case 0x2fc12fc1:
		d.kind = "ZFS"
	case 0xf2f52010:
		d.kind = "F2FS"
	case 0x794c7630:
		d.kind = "overlay" // of a container
	case 0x01021994:
		d.kind, d.passing = "tmpfs", true
	case 0x858458f6:
		d.kind, d.passing = "ramfs", true
	case 0x65735546:
		d.kind = "FUSE" // local or not, which it does not say
	case 0x6969:
		d.kind, d.remote = "NFS", true
	case 0x517b, 0xfe534d42, 0xff534d42:
		d.kind, d.remote = "SMB", true
	case 0x01021997:
		d.kind, d.remote = "9P", true // a directory of the host of a virtual machine
	case 0x786f4256:
		d.kind, d.remote = "vboxsf", true
	case 0x5346414f, 0x6b414653:
		d.kind, d.remote = "AFS", true
	case 0x00c36400:
		d.kind, d.remote = "Ceph", true
	case 0x0bd00bd0:
		d.kind, d.remote = "Lustre", true
	case 0x47504653:
		d.kind, d.remote = "GPFS", true
	case 0x19830326:
		d.kind, d.remote = "BeeGFS", true
	}
}

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
	d.kind, d.remote, d.passing = kindOf(uint32(fs.Type)) //nolint:gosec // magic numbers have 32 bits; on some machines the field has a sign
	return d, true, nil
}

// kindOf tells the kind by the numbers of linux/magic.h and of the modules' own
// headers, as statfs(2) and stat(1) of coreutils list them.
func kindOf(magic uint32) (kind string, remote, passing bool) {
	switch magic {
	case 0xef53:
		return "ext4", false, false // or ext2, ext3
	case 0x58465342:
		return "XFS", false, false
	case 0x9123683e:
		return "Btrfs", false, false
	case 0x2fc12fc1:
		return "ZFS", false, false
	case 0xf2f52010:
		return "F2FS", false, false
	case 0x794c7630:
		return "overlay", false, false // of a container
	case 0x01021994:
		return "tmpfs", false, true
	case 0x858458f6:
		return "ramfs", false, true
	case 0x65735546:
		return "FUSE", false, false // local or not, which it does not say
	case 0x6969:
		return "NFS", true, false
	case 0x517b, 0xfe534d42, 0xff534d42:
		return "SMB", true, false
	case 0x01021997:
		return "9P", true, false // a directory of the host of a virtual machine
	case 0x786f4256:
		return "vboxsf", true, false
	case 0x5346414f, 0x6b414653:
		return "AFS", true, false
	case 0x00c36400:
		return "Ceph", true, false
	case 0x0bd00bd0:
		return "Lustre", true, false
	case 0x47504653:
		return "GPFS", true, false
	case 0x19830326:
		return "BeeGFS", true, false
	}
	return "", false, false
}

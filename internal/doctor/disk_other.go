//go:build !linux && !darwin

package doctor

func statDisk(string) (d disk, known bool, err error) { return disk{}, false, nil }

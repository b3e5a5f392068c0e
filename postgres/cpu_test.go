package postgres_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func cpuTicks(sock string) (ticks float64) {
	pid, _ := os.ReadFile(filepath.Join(filepath.Dir(sock), "data", "postmaster.pid"))
	main := strings.Split(string(pid), "\n")[0]
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		s := string(b)
		id := s[:strings.Index(s, " ")]
		fs := strings.Fields(s[strings.LastIndex(s, ")")+2:])
		n := func(i int) float64 { v, _ := strconv.ParseFloat(fs[i], 64); return v }
		if id == main {
			ticks += n(11) + n(12) + n(13) + n(14)
		} else if fs[1] == main {
			ticks += n(11) + n(12)
		}
	}
	return ticks
}

func cpu(b *testing.B) (report func(jobs float64)) {
	sock := durable.Server(b).Socket()
	var r0, r1 syscall.Rusage
	syscall.Getrusage(0, &r0)
	t0 := cpuTicks(sock)
	return func(jobs float64) {
		syscall.Getrusage(0, &r1)
		us := func(t syscall.Timeval) float64 { return float64(t.Sec)*1e6 + float64(t.Usec) }
		b.ReportMetric((us(r1.Utime)+us(r1.Stime)-us(r0.Utime)-us(r0.Stime))/jobs, "client-µs/job")
		b.ReportMetric((cpuTicks(sock)-t0)*10000/jobs, "server-µs/job")
	}
}

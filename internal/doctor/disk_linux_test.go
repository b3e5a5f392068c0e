package doctor

import "testing"

func TestKindOf(t *testing.T) {
	t.Parallel()
	for magic, want := range map[uint32]disk{
		0xef53:     {kind: "ext4"},
		0x6969:     {kind: "NFS", remote: true},
		0xff534d42: {kind: "SMB", remote: true},
		0x01021994: {kind: "tmpfs", passing: true},
		0x12345678: {},
	} {
		var got disk
		if got.kind, got.remote, got.passing = kindOf(magic); got != want {
			t.Errorf("%#x: got %+v, want %+v", magic, got, want)
		}
	}
}

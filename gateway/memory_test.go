//go:build !race

package gateway

import (
	"runtime"
	"testing"
)

// heap is how many bytes are in use after all garbage is collected; the first collection moves what
// pools keep to where the second finds it.
func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse)
}

// What an unfinished message costs is what has come of it, not what its header promises.
func TestAPI_unfinishedMessagesAreBounded(t *testing.T) {
	const clients = 100
	promise := append([]byte{textFrame, 0x80 | 126, 0x80, 0x00}, maskKey[:]...) // 32 KiB
	almost := frame(textPart, string(make([]byte, MaxFrame)))
	for range 2 {
		almost = append(almost, frame(contPart, string(make([]byte, MaxFrame)))...)
	}
	almost = append(almost, frame(contEnd, string(make([]byte, MaxFrame)))...)
	for name, test := range map[string]struct {
		send []byte
		most int // bytes a connection
	}{
		"promised": {append(promise, 'x'), readSize + 1<<10},     // a buffer to read to, without a poller
		"received": {almost[:len(almost)-1], MaxMessage * 5 / 4}, // as append grows
	} {
		t.Run(name, func(t *testing.T) {
			r := run(t, Config{})
			all := make([]*client, clients)
			for i := range all {
				all[i] = r.dial(t)
			}
			before := heap()
			for _, c := range all {
				c.raw(test.send)
			}
			eventually(t, "all has come", func() bool { return r.Stats().BytesIn == uint64(clients*len(test.send)) })
			if each := (heap() - before) / clients; each > test.most {
				t.Errorf("%d bytes for a message under way, want at most %d", each, test.most)
			}
			runtime.KeepAlive(all)
		})
	}
}

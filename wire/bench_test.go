package wire_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/confab-chat/confab/wire"
)

// usual is a sendMessage of 200 bytes.
var usual = []byte(`{"action":"sendMessage","id":"m1234567","room":"tea","message":"` +
	strings.Repeat("It is tea time. ", 8) + `12345"}`)

func message() *wire.Message {
	return &wire.Message{
		Room: "tea", Seq: 7, Epoch: "k3x9", ID: "m1", From: "alice",
		Text: strings.Repeat("It is \"tea\" time.\n", 10), At: time.UnixMilli(1_795_000_000_123),
	}
}

// The room, the id and the text are copied: that is all.
func TestDecode_Allocs(t *testing.T) {
	allocs := testing.AllocsPerRun(1000, func() {
		if _, err := wire.Decode(usual); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 3 {
		t.Errorf("%v allocations for a sendMessage, want at most 3", allocs)
	}
}

func TestAppend_Allocs(t *testing.T) {
	buffer := make([]byte, 0, 4096)
	m := message()
	h := &wire.History{ID: "q1", Room: "tea", Messages: []wire.Message{*m, *m}, Epoch: "k3x9"}
	allocs := testing.AllocsPerRun(1000, func() {
		buffer = wire.Append(buffer[:0], m)
		buffer = wire.Append(buffer[:0], h)
	})
	if allocs != 0 {
		t.Errorf("%v allocations for a Message and a History, want none", allocs)
	}
}

// hard is frames of about size bytes that a careless decoder needs more than linear time for.
func hard(size int) map[string][]byte {
	fill := func(before string, piece func(i int) string, after string) []byte {
		var frame strings.Builder
		frame.WriteString(before)
		for i := 0; frame.Len() < size; i++ {
			frame.WriteString(piece(i))
		}
		return []byte(frame.String() + after)
	}
	same := func(piece string) func(int) string { return func(int) string { return piece } }
	numbered := func(format string) func(int) string {
		return func(i int) string { return fmt.Sprintf(format, i) }
	}
	const ping = `{"action":"ping"`
	tower := "," + strings.Repeat("[", 30) + strings.Repeat("]", 30)
	return map[string][]byte{
		"long text":     fill(ping+`,"x":"`, same("It is tea time. "), `"}`),
		"escapes":       fill(ping+`,"x":"`, same(`\u0041\n`), `"}`),
		"surrogates":    fill(ping+`,"x":"`, same(`\ud83d\ude00`), `"}`),
		"long key":      fill(ping+`,"`, same(`\u0041`), `":1}`),
		"many members":  fill(ping, numbered(`,"k%d":1`), `}`),
		"many keys":     fill(ping+`,"x":{"a":1`, numbered(`,"k%d":1`), `}}`),
		"escaped keys":  fill(ping+`,"x":{"a":1`, numbered(`,"\u006b%d":1`), `}}`),
		"many objects":  fill(ping+`,"x":[0`, same(`,{"a":{},"b":[]}`), `]}`),
		"white space":   fill(ping, same("    "), `}`),
		"long number":   fill(ping+`,"x":1`, same("0000"), `}`),
		"nested":        fill(ping+`,"x":[0`, same(tower), `]}`),
		"open brackets": fill(ping+`,"x":`, same(`[[[[`), ``),
		"other actions": fill(`{"action":"`, same("hellohello"), `"}`),
	}
}

// What Decode allocates, in pieces and in bytes, grows with the frame and not faster.
func TestDecode_Linear(t *testing.T) {
	const small, large, factor = 8 << 10, 128 << 10, 16
	big := hard(large)
	for name, frame := range hard(small) {
		pieces, bytes := cost(frame)
		morePieces, moreBytes := cost(big[name])
		if morePieces > 2*factor*(pieces+4) || moreBytes > 2*factor*(bytes+512) {
			t.Errorf("%s: %d allocations of %d bytes at 8 KiB, %d of %d at 128 KiB",
				name, pieces, bytes, morePieces, moreBytes)
		}
		if moreBytes > 16*large {
			t.Errorf("%s: 128 KiB cost %d bytes", name, moreBytes)
		}
	}
}

// cost counts the allocations of decoding a frame: the least of some runs, as others may allocate
// meanwhile.
func cost(frame []byte) (pieces, bytes uint64) {
	pieces, bytes = ^uint64(0), ^uint64(0)
	for range 5 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _ = wire.Decode(frame)
		runtime.ReadMemStats(&after)
		pieces = min(pieces, after.Mallocs-before.Mallocs)
		bytes = min(bytes, after.TotalAlloc-before.TotalAlloc)
	}
	return pieces, bytes
}

// The time per byte (MB/s) is to be the same at every size.
func BenchmarkDecode_Hard(b *testing.B) {
	for _, size := range []int{2 << 10, 16 << 10, 128 << 10} {
		for name, frame := range hard(size) {
			b.Run(fmt.Sprintf("%s/%d", strings.ReplaceAll(name, " ", "_"), size), func(b *testing.B) {
				b.SetBytes(int64(len(frame)))
				for b.Loop() {
					_, _ = wire.Decode(frame)
				}
			})
		}
	}
}

func BenchmarkDecode_SendMessage(b *testing.B) {
	b.SetBytes(int64(len(usual)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := wire.Decode(usual); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppend_Message(b *testing.B) {
	m := message()
	buffer := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buffer = wire.Append(buffer[:0], m)
	}
}

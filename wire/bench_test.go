package wire_test

import (
	"strings"
	"testing"
	"time"

	"github.com/confab-chat/confab/wire"
)

var usual = []byte(`{"action":"sendMessage","id":"m1234567","room":"tea","message":"` +
	strings.Repeat("It is tea time. ", 8) + `"}`)

func BenchmarkDecode(b *testing.B) {
	b.SetBytes(int64(len(usual)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := wire.Decode(usual); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendMessage(b *testing.B) {
	m := &wire.Message{Room: "tea", Seq: 7, Epoch: "k3x9", ID: "m1", From: "alice",
		Text: strings.Repeat("It is tea time. ", 12), At: time.Now()}
	buffer := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buffer = wire.Append(buffer[:0], m)
	}
}

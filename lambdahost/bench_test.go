package lambdahost

import (
	"testing"
)

// BenchmarkInvoke_warm is an event through a process that waits for it: a Go bootstrap, whose handler
// does next to nothing.
func BenchmarkInvoke_warm(b *testing.B) {
	h := newHost(b, Config{})
	deploy(b, h)
	in := Input{Function: "f", Payload: encode(event{})}
	if _, err := h.Invoke(b.Context(), in); err != nil { // the cold start
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if out, err := h.Invoke(b.Context(), in); err != nil || out.FunctionError != "" {
			b.Fatalf("%v %s", err, out.Payload)
		}
	}
}

// BenchmarkInvoke_cold starts a process for each event.
func BenchmarkInvoke_cold(b *testing.B) {
	h := newHost(b, Config{})
	for b.Loop() {
		deploy(b, h)
		if out, err := h.Invoke(b.Context(), Input{Function: "f"}); err != nil || out.FunctionError != "" {
			b.Fatalf("%v %s", err, out.Payload)
		}
	}
}

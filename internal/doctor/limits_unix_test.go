//go:build unix

package doctor

import "testing"

func TestFinding_judgeFiles(t *testing.T) {
	for most, want := range map[uint64]Verdict{1024: Warn, 20_000: OK, 1<<64 - 1: OK} {
		if f := (Finding{Verdict: OK}).judgeFiles(most); f.Verdict != want {
			t.Errorf("%d files: got %v, want %s", most, f, want)
		}
	}
}

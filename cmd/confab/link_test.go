package main

import (
	"testing"
	"time"
)

func TestSpan(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"7d": 7 * 24 * time.Hour, "90d": 90 * 24 * time.Hour, "0d": 0, "12h": 12 * time.Hour,
		"1h30m": 90 * time.Minute, "48h": 2 * 24 * time.Hour,
	} {
		var s, again span
		if err := s.Set(text); err != nil || time.Duration(s) != want {
			t.Errorf("%s is %v, %v; want %v", text, time.Duration(s), err, want)
		}
		if err := again.Set(s.String()); err != nil || again != s {
			t.Errorf("%s is shown as %s, which is %v, %v", text, &s, time.Duration(again), err)
		}
	}
	for _, text := range []string{"", "d", "-1d", "1.5d", "7 d", "70000d", "99999999999999999999d", "7", "week"} {
		if err := new(span).Set(text); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}

package qrcode

import (
	"strings"
	"testing"
)

// modules reads what was drawn: true is dark.
func modules(t *testing.T, drawn string) [][]bool {
	t.Helper()
	var rows [][]bool
	for line := range strings.Lines(drawn) {
		line, ok := strings.CutPrefix(line, colours)
		line, ok2 := strings.CutSuffix(line, reset+"\n")
		if !ok || !ok2 {
			t.Fatalf("a line does not name its colours: %q", line)
		}
		var upper, lower []bool
		for _, r := range line {
			upper = append(upper, r == '█' || r == '▀')
			lower = append(lower, r == '█' || r == '▄')
		}
		rows = append(rows, upper, lower)
	}
	return rows
}

// TestDraw looks for what every code has (ISO/IEC 18004 section 6.3): its size, a margin of four white
// modules, finder patterns in three corners and the timing patterns between them.
func TestDraw(t *testing.T) {
	for _, text := range []string{"x", "https://chat.example/join#" + strings.Repeat("a", 26), strings.Repeat("long", 100)} {
		drawn, err := Draw(text)
		if err != nil {
			t.Fatal(err)
		}
		rows := modules(t, drawn)
		width := len(rows[0])
		size := width - 8
		if (size-17)%4 != 0 || size < 21 || len(rows) < width {
			t.Fatalf("%d modules wide and %d high", width, len(rows))
		}
		dark := func(x, y int) bool { return rows[y+4][x+4] }
		for y, row := range rows {
			for x, d := range row {
				if margin := x < 4 || y < 4 || x >= size+4 || y >= size+4; margin && d {
					t.Fatalf("the margin is dark at %d, %d", x, y)
				}
			}
		}
		for _, corner := range [][2]int{{0, 0}, {size - 7, 0}, {0, size - 7}} {
			for y := range 7 {
				for x := range 7 {
					ring := max(abs(x-3), abs(y-3)) // 3 and below 2 are dark, 2 is light
					if dark(corner[0]+x, corner[1]+y) != (ring != 2) {
						t.Fatalf("no finder pattern at %v", corner)
					}
				}
			}
		}
		for i := 8; i < size-8; i++ {
			if dark(i, 6) != (i%2 == 0) || dark(6, i) != (i%2 == 0) {
				t.Fatalf("no timing pattern at %d", i)
			}
		}
	}
}

func abs(n int) int { return max(n, -n) }

func TestDraw_differs(t *testing.T) {
	a, _ := Draw("https://chat.example/join#a")
	b, _ := Draw("https://chat.example/join#b")
	if a == b {
		t.Error("two links have one code")
	}
}

func TestDraw_tooLong(t *testing.T) {
	if _, err := Draw(strings.Repeat("x", 3000)); err == nil { // version 40 holds 2,331 bytes at level M
		t.Error("3000 bytes fit")
	}
}

// TestRows compares the rows with what terminals show, margin apart.
func TestRows(t *testing.T) {
	const text = "https://chat.example/join#abcdefghijklmnopqrstuvwxyz"
	drawn, err := Draw(text)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := Rows(text)
	if err != nil {
		t.Fatal(err)
	}
	want := modules(t, drawn)
	if len(rows) != len(want[0])-2*quiet {
		t.Fatalf("%d rows, %d modules wide with the margin", len(rows), len(want[0]))
	}
	for y, row := range rows {
		for x := range row {
			if dark := row[x] == '1'; dark != want[y+quiet][x+quiet] {
				t.Fatalf("the module at %d, %d differs", x, y)
			}
		}
	}
	if _, err := Rows(strings.Repeat("long", 10_000)); err == nil {
		t.Error("a text that fits no code has rows")
	}
}

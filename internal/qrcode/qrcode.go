// Package qrcode draws QR codes on terminals and for pages, for links that a phone is to open.
package qrcode

import (
	"strings"

	"rsc.io/qr"
)

// quiet is the white margin that a reader needs, in modules (ISO/IEC 18004 section 6.3.8).
const quiet = 4

// Each character shows two modules, one above the other. Both colours are named, so that the code
// is dark on white whatever the terminal's own are.
const (
	colours = "\x1b[38;5;16;48;5;231m"
	reset   = "\x1b[0m"
)

// Draw gives a text as lines to print.
func Draw(text string) (string, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for y := -quiet; y < code.Size+quiet; y += 2 {
		b.WriteString(colours)
		for x := -quiet; x < code.Size+quiet; x++ {
			b.WriteRune(halves(code.Black(x, y), code.Black(x, y+1)))
		}
		b.WriteString(reset + "\n")
	}
	return b.String(), nil
}

// Rows gives a text as the rows of its modules, 1 for dark and 0 for light, without the margin.
func Rows(text string) ([]string, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return nil, err
	}
	rows := make([]string, code.Size)
	for y := range rows {
		row := make([]byte, code.Size)
		for x := range row {
			row[x] = '0'
			if code.Black(x, y) {
				row[x] = '1'
			}
		}
		rows[y] = string(row)
	}
	return rows, nil
}

func halves(upper, lower bool) rune {
	switch {
	case upper && lower:
		return '█'
	case upper:
		return '▀'
	case lower:
		return '▄'
	}
	return ' '
}

package main

import (
	"fmt"
	"math"
	"strings"
)

// The plot's measures, in pixels.
const (
	width, height            = 640, 360
	left, right, top, bottom = 60, 20, 40, 50
)

var colours = []string{"#1b6ca8", "#2a9d5c", "#c8553d", "#bbb", "#777"}

// draw makes the plot: connections to the right on a logarithmic scale, microseconds upwards.
func draw(all []*series) string {
	most := 1.0
	for _, s := range all {
		for _, cost := range s.costs {
			most = math.Max(most, math.Ceil(cost))
		}
	}
	x := func(size int) float64 {
		first, last := math.Log(float64(sizes[0])), math.Log(float64(sizes[len(sizes)-1]))
		return left + (width-left-right)*(math.Log(float64(size))-first)/(last-first)
	}
	y := func(cost float64) float64 { return height - bottom - (height-top-bottom)*cost/most }
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" `+
		`font-size="12"><rect width="100%%" height="100%%" fill="white"/>`+"\n", width, height)
	for step := 0.0; step <= most; step += math.Ceil(most / 6) {
		fmt.Fprintf(&b, `<path d="M%d %.1fH%d" stroke="#ddd"/>`+"\n", left, y(step), width-right)
		write(&b, left-8, y(step)+4, "end", "black", fmt.Sprint(step))
	}
	for _, size := range sizes {
		write(&b, x(size), height-bottom+18, "middle", "black", fmt.Sprint(size))
	}
	write(&b, width/2, height-12, "middle", "black", "connections")
	write(&b, left, 20, "start", "black", "µs of processor time for a delivery")
	for i, s := range all {
		line, command := "", "M"
		for j, size := range sizes {
			if s.costs[j] > 0 {
				line += fmt.Sprintf("%s%.1f %.1f", command, x(size), y(s.costs[j]))
				command = "L"
			}
		}
		colour := colours[i%len(colours)]
		fmt.Fprintf(&b, `<path d="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", line, colour)
		write(&b, width-right, float64(top+14*i-4), "end", colour, s.name)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// write adds a text to the plot.
func write(b *strings.Builder, x, y float64, anchor, colour, text string) {
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="%s" fill="%s">%s</text>`+"\n",
		x, y, anchor, colour, text)
}

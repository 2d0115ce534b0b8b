// Package terminal is how commands meet people: text from others made harmless, colours and widths,
// a line that is edited while messages come in, and a reader of a pipe that has gone.
package terminal

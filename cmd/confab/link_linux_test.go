package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// openTerminal gives both ends of a pseudo-terminal (pty(7)).
func openTerminal(t *testing.T) (screen, program *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { screen.Close() })
	number, err := unix.IoctlGetInt(int(screen.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(screen.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { program.Close() })
	return screen, program
}

// TestShowLink prints a link on a terminal, with its QR code, and into a pipe, without.
func TestShowLink(t *testing.T) {
	const link = "https://chat.example/join#abcdefghijklmnopqrstuvwxyz"
	screen, program := openTerminal(t)
	done := make(chan string)
	go func() {
		text, _ := io.ReadAll(screen) // ends with an error when the other end is closed
		done <- string(text)
	}()
	showLink(program, link)
	program.Close()
	if shown := <-done; !strings.Contains(shown, link) || strings.Count(shown, "▀▀▀▀▀") < 3 {
		t.Errorf("a terminal shows %q", shown)
	}
	var piped strings.Builder
	showLink(&piped, link)
	if want := "\n  " + link + "\n\n"; piped.String() != want {
		t.Errorf("a pipe gets %q, want %q", piped.String(), want)
	}
}

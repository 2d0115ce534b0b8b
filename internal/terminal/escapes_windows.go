package terminal

import (
	"os"

	"golang.org/x/sys/windows"
)

// understandsEscapes asks a console to understand escape sequences; those before Windows 10 cannot.
func understandsEscapes(out *os.File) bool {
	console := windows.Handle(out.Fd())
	var mode uint32
	if err := windows.GetConsoleMode(console, &mode); err != nil {
		return false
	}
	return windows.SetConsoleMode(console, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}

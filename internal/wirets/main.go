// Command wirets writes web/src/wire.ts: the frames of the protocol as types of TypeScript, and the
// shapes by which the page checks what it is sent, both from the Go types of package wire.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/confab-chat/confab/internal/tools"
)

//go:generate go run .

func main() {
	file := filepath.Join(tools.Root(), "web", "src", "wire.ts")
	if err := os.WriteFile(file, []byte(generate()), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, "wirets:", err)
		os.Exit(1)
	}
}

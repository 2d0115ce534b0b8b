// Command fidelity writes docs/fidelity.md: what gateway, lambdahost and stack do as AWS
// does it, how that is known, and the test that has just shown it. It runs the tests, and fails when a check of
// checks.txt has no test or one that does not pass.
//
// A test is found by its name: one that has GW and a number in it, as TestGW48_FailuresAreFrames or
// its subtest GW49_no_status, shows the check of that number.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/confab-chat/confab/internal/tools"
)

//go:generate go run .

func main() {
	if err := generate(tools.Root()); err != nil {
		fmt.Fprintln(os.Stderr, "fidelity:", err)
		os.Exit(1)
	}
}

// generate writes the page of the repository in root.
func generate(root string) error {
	checks, err := parseChecks(checksText)
	if err != nil {
		return err
	}
	tests, err := runTests(root, "./gateway", "./connections", "./lambdahost", "./stack")
	if err != nil {
		return err
	}
	if err := match(checks, tests); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, "docs", "fidelity.md"), []byte(page(checks)), 0o644)
}

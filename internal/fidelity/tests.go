package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os/exec"
	"path"
	"slices"
	"strings"
)

// runTests runs the tests with a number in their names, and gives what became of each, "pass",
// "fail" or "skip", by a name like gateway.TestGW01_NoConnectRouteAdmits.
func runTests(root string, packages ...string) (map[string]string, error) {
	cmd := exec.Command("go", append([]string{"test", "-json", "-run", "GW[0-9]"}, packages...)...)
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, failed := cmd.Output() // what has failed is in the output
	tests, err := parseEvents(out)
	if err != nil {
		return nil, err
	}
	if failed != nil && !slices.Contains(slices.Collect(maps.Values(tests)), "fail") {
		return nil, fmt.Errorf("go test: %w\n%s%s", failed, stderr.Bytes(), printed(out))
	}
	return tests, nil
}

// event is a line of go test -json, as far as it matters here.
type event struct{ Action, Package, Test, Output string }

// parseEvents reads the output of go test -json.
func parseEvents(out []byte) (map[string]string, error) {
	tests := map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, fmt.Errorf("go test -json: %w: %s", err, lines.Bytes())
		}
		if e.Test == "" {
			continue // of the package
		}
		name := path.Base(e.Package) + "." + e.Test
		switch e.Action {
		case "run":
			tests[name] = "did not end"
		case "pass", "fail", "skip":
			tests[name] = e.Action
		}
	}
	return tests, lines.Err()
}

// printed gives what the packages themselves have printed, as why they do not compile.
func printed(out []byte) string {
	var text strings.Builder
	for line := range bytes.Lines(out) {
		var e event
		if json.Unmarshal(line, &e) == nil && e.Test == "" {
			text.WriteString(e.Output)
		}
	}
	return text.String()
}

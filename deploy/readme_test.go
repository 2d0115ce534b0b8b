package deploy

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// readme gives README.md and the commands of its blocks.
func readme(t *testing.T) (page string, commands []string) {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	page = string(text)
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(page, -1) {
		whole := strings.ReplaceAll(block[1], "\\\n", "")
		commands = append(commands, strings.Split(strings.TrimSpace(whole), "\n")...)
	}
	return page, commands
}

// The table of the parameters has each of them, with its default.
func TestReadme_Parameters(t *testing.T) {
	page, _ := readme(t)
	_, table, _ := strings.Cut(page, "| parameter | default | means |\n|---|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	found := map[string]string{}
	for row := range strings.Lines(table) {
		cells := strings.Split(row, "|")
		for name := range strings.SplitSeq(cells[1], ",") {
			found[strings.Trim(name, " `")] = strings.Trim(cells[2], " `")
		}
	}
	for name, p := range read(t).Parameters {
		want := fmt.Sprint(p.Default)
		if want == "" {
			want = "none"
		}
		if found[name] != want {
			t.Errorf("README.md gives %s the default %q, want %q", name, found[name], want)
		}
		delete(found, name)
	}
	if len(found) > 0 {
		t.Errorf("the template has no parameters %v", found)
	}
}

// Commands of the SAM CLI that do other than they seem to are not among those that are to be typed.
// What --parameter-overrides gives is gone with the next deployment, which takes samconfig.toml's: the
// issuer too. The logs of a whole stack fail at WebSocket APIs (aws/aws-sam-cli, issue 3446).
func TestReadme_Commands(t *testing.T) {
	_, commands := readme(t)
	if len(commands) < 10 {
		t.Fatalf("only %d commands", len(commands))
	}
	for _, c := range commands {
		if strings.Contains(c, "--parameter-overrides") ||
			strings.HasPrefix(c, "sam logs") && !strings.Contains(c, "--name ") {
			t.Errorf("README.md: %s", c)
		}
	}
}

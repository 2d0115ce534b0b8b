package deploy

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/confab-chat/confab/internal/tools"
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

// Who follows README.md, and presses Enter at each question, gets as far as the first call that needs
// an account, and with a region of the AWS CLI's: credentials are all that is missing.
func TestReadme_Deploy(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"template.yaml", "samconfig.toml"} {
		text, err := os.ReadFile(name)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	code := filepath.Join(dir, "build", "confab-lambda.zip") // what is in it is looked at by AWS alone
	if err := os.MkdirAll(filepath.Dir(code), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(code, []byte("PK"), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(arguments ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), tools.Path(t, "sam/bin/sam"), arguments...)
		cmd.Dir, cmd.Stdin = dir, strings.NewReader(strings.Repeat("\n", 100))
		cmd.Env = []string{
			"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "SAM_CLI_TELEMETRY=0",
			"AWS_DEFAULT_REGION=eu-west-1", "AWS_EC2_METADATA_DISABLED=true",
		}
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := run("build"); err != nil {
		t.Fatalf("sam build: %v\n%s", err, out)
	}
	built, err := os.ReadFile(filepath.Join(dir, ".aws-sam", "build", "template.yaml"))
	if err != nil || !strings.Contains(string(built), "CodeUri: ../../build/confab-lambda.zip") {
		t.Errorf("sam build leaves the archive out: %v\n%s", err, built)
	}
	out, err := run("deploy", "--guided")
	if err == nil || !strings.Contains(out, "Unable to locate credentials") {
		t.Errorf("sam deploy --guided: %v, want that credentials are missing\n%s", err, out)
	}
	for _, asked := range []string{"Stack Name [confab]", "AWS Region [eu-west-1]"} {
		if !strings.Contains(out, asked) {
			t.Errorf("%s is not asked\n%s", asked, out)
		}
	}
	for name, p := range read(t).Parameters {
		if asked := fmt.Sprintf("Parameter %s [%v]", name, p.Default); !strings.Contains(out, asked) {
			t.Errorf("%s is not asked\n%s", asked, out)
		}
	}
}

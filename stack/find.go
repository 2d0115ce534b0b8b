package stack

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// ErrNoTemplate says that there is no template where one is looked for.
var ErrNoTemplate = errors.New("stack: there is no template: neither" +
	" .aws-sam/build/template.yaml nor" +
	" template.yaml, template.yml, template.json, cdk.out/*.template.json or .serverless/*.json")

// locate finds the template, and says when it is older than what it was built from.
func locate(o *Options) (string, []Diagnostic, error) {
	if o.Template != "" {
		info, err := os.Stat(o.Template)
		switch {
		case err != nil:
			return "", nil, fmt.Errorf("stack: %w", err)
		case info.IsDir():
			return "", nil, fmt.Errorf("stack: %s is a folder", o.Template)
		}
		return o.Template, nil, nil
	}
	built := filepath.Join(o.Dir, ".aws-sam", "build", "template.yaml")
	if isFile(built) {
		return built, age(o.Dir, built, "sam build"), nil
	}
	for _, name := range []string{"template.yaml", "template.yml", "template.json"} {
		if file := filepath.Join(o.Dir, name); isFile(file) {
			return file, nil, nil
		}
	}
	for _, tool := range []struct{ pattern, build string }{
		{"cdk.out/*.template.json", "npx cdk synth"},
		{".serverless/cloudformation-template-update-stack.json", "npx serverless package"},
		{".serverless/*.json", "npx serverless package"},
	} {
		file, err := synthesized(filepath.Join(o.Dir, filepath.FromSlash(tool.pattern)))
		if err != nil || file != "" {
			return file, age(o.Dir, file, tool.build), err
		}
	}
	return "", nil, fmt.Errorf("%w (in %s)", ErrNoTemplate, o.Dir)
}

// projectOf gives the folder of the project that a template belongs to, which a tool may have
// written into a folder of its own.
func projectOf(template string) string {
	dir := filepath.Dir(template) // "." for ""
	switch filepath.Base(dir) {
	case "cdk.out", ".serverless":
		return filepath.Dir(dir)
	case "build":
		if parent := filepath.Dir(dir); filepath.Base(parent) == ".aws-sam" {
			return filepath.Dir(parent)
		}
	}
	return dir
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// synthesized finds the one template that has a WebSocket API among those that a tool has written.
func synthesized(pattern string) (string, error) {
	files, err := filepath.Glob(pattern)
	if err != nil {
		return "", err
	}
	var found []string
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		if bytes.Contains(data, []byte(`"`+typeAPI+`"`)) || bytes.Contains(data, []byte(`"`+typeSocketAPI+`"`)) {
			found = append(found, file)
		}
	}
	switch len(found) {
	case 0:
		return "", nil
	case 1:
		return found[0], nil
	}
	return "", fmt.Errorf("stack: name one of the templates with -t: %s", strings.Join(found, ", "))
}

// Bounds of the search for changed sources.
const maxFiles = 10_000

// sources are the endings and names of what builds are made of.
var sources = []string{
	".cjs", ".go", ".js", ".mjs", ".py", ".ts",
	"cdk.json", "go.mod", "package.json", "requirements.txt", "serverless.yml", "template.json",
	"template.yaml", "template.yml",
}

// notSources are folders that tools write.
var notSources = []string{
	"node_modules", "__pycache__", "dist", "build", "venv", "env", "test",
	"tests",
}

// age says when something in the project has changed after the template was built.
func age(dir, file, build string) []Diagnostic {
	info, err := os.Stat(file)
	if err != nil {
		return nil
	}
	newest, seen := "", 0
	latest := info.ModTime().Add(time.Second) // tools that write sources write the build in one go
	walk := func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil //nolint:nilerr // what cannot be read is not a source
		case d.IsDir():
			hidden := strings.HasPrefix(d.Name(), ".") || d.Name() == "cdk.out"
			if path != dir && (hidden || slices.Contains(notSources, d.Name())) {
				return fs.SkipDir
			}
			return nil
		case !slices.Contains(sources, filepath.Ext(path)) && !slices.Contains(sources, d.Name()):
			return nil
		}
		if seen++; seen > maxFiles {
			return fs.SkipAll
		}
		if i, err := d.Info(); err == nil && i.ModTime().After(latest) {
			newest, latest = path, i.ModTime()
		}
		return nil
	}
	if err := filepath.WalkDir(dir, walk); err != nil || newest == "" {
		return nil
	}
	return []Diagnostic{{
		File: file, Severity: Warning,
		Text: fmt.Sprintf("this build is older than %s: run `%s`", newest, build),
	}}
}

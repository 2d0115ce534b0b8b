package repotest

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

// lineNumber is a reference to a line of a file.
var lineNumber = regexp.MustCompile(`[\w/-]+\.(go|ts|tsx|sh|js|py|java|md|ya?ml):[0-9]+|#L[0-9]+|\blines? [0-9]+\b`)

// lineNumbers looks for references to lines in documents.
func lineNumbers(tr *tree) []string {
	return tr.grep(tr.paths(".md"), lineNumber)
}

// machinePath is a path that only some machine has. The classes of one character keep the pattern
// from matching itself.
var machinePath = regexp.MustCompile(`(^|[^\w.])/(root|work|Users/\w+|home/\w+)/|/tmp/prob[e]|/[.]librar[y]\b`)

// corpora is a path beside the project that internal/tools alone knows.
var corpora = regexp.MustCompile(`shared/corpor[a]`)

// machinePaths looks for paths of the machine where something was written.
func machinePaths(tr *tree) []string {
	var elsewhere []string
	for _, name := range tr.paths("") {
		if !strings.HasPrefix(name, "internal/tools/") {
			elsewhere = append(elsewhere, name)
		}
	}
	return append(tr.grep(tr.paths(""), machinePath), tr.grep(elsewhere, corpora)...)
}

// registry is the host of a package registry.
var registry = regexp.MustCompile(`registry[.](npmjs|yarnpkg)|\b(test[.])?pypi[.](org|python)|files[.]pythonhosted|` +
	`\brepo1?[.]maven|maven[.]org|(proxy|sum)[.]golang[.]org|deb[.]debian[.]org|/(artifactory|nexus)/`)

// registries looks for hosts of package registries in all files.
func registries(tr *tree) []string {
	return tr.grep(tr.paths(""), registry)
}

// grep lists the files that match, each with its first match.
func (tr *tree) grep(files []string, pattern *regexp.Regexp) []string {
	var problems []string
	for _, name := range files {
		if found := pattern.FindString(tr.text[name]); found != "" {
			problems = append(problems, fmt.Sprintf("%s: %s", name, strings.TrimSpace(found)))
		}
	}
	return problems
}

// link is a Markdown link or image.
var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// links checks that relative links lead to a file, and their anchors to a heading.
func links(tr *tree) []string {
	var problems []string
	for _, name := range tr.paths(".md") {
		for _, m := range link.FindAllStringSubmatch(prose(tr.text[name]), -1) {
			if strings.Contains(m[1], ":") {
				continue
			}
			target, anchor, _ := strings.Cut(m[1], "#")
			file := name
			if target != "" {
				file = path.Join(path.Dir(name), target)
			}
			if !tr.exists(file) {
				problems = append(problems, fmt.Sprintf("%s links to %s, which is not there", name, target))
			} else if anchor != "" && !anchors(tr.text[file])[anchor] {
				problems = append(problems, fmt.Sprintf("%s links to %s, which has no heading for it", name, m[1]))
			}
		}
	}
	return problems
}

// prose gives a document without its fenced blocks.
func prose(text string) string {
	var out strings.Builder
	fenced := false
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
		} else if !fenced {
			out.WriteString(line)
		}
	}
	return out.String()
}

// dropped is what an anchor leaves out of its heading.
var dropped = regexp.MustCompile(`[^\p{L}\p{N} _-]`)

// anchors gives the anchors of a document's headings, as GitHub makes them.
func anchors(text string) map[string]bool {
	set := map[string]bool{}
	for line := range strings.Lines(prose(text)) {
		if heading := strings.TrimLeft(line, "#"); heading != line {
			slug := dropped.ReplaceAllString(strings.ToLower(strings.TrimSpace(heading)), "")
			set[strings.ReplaceAll(slug, " ", "-")] = true
		}
	}
	return set
}

// makeCommand is a target that a text says to make.
var makeCommand = regexp.MustCompile("(?m)(?:`|^|exec |&& )make ([a-z][a-z-]*)")

// makeTargets checks that documents name targets that the Makefile has.
func makeTargets(tr *tree) []string {
	var problems []string
	for _, name := range append(tr.paths(".md"), tr.paths(".ci/run")...) {
		for _, m := range makeCommand.FindAllStringSubmatch(tr.text[name], -1) {
			if !regexp.MustCompile(`(?m)^` + m[1] + `:`).MatchString(tr.text["Makefile"]) {
				problems = append(problems, fmt.Sprintf("%s: make %s", name, m[1]))
			}
		}
	}
	return problems
}

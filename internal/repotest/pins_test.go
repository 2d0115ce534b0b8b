package repotest

import (
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

var (
	exactVersion = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+$`)
	pinnedGo     = regexp.MustCompile(`(?m)^readonly (\w+)=v[0-9]+\.[0-9]+\.[0-9]+$`)
	pomVersion   = regexp.MustCompile(`>DynamoDBLocal</artifactId>\s*<version>([0-9]+\.[0-9]+\.[0-9]+)<`)
	requirement  = regexp.MustCompile(`(?m)^[a-z0-9-]+(.*)$`)
	pinnedPython = regexp.MustCompile(`^==[0-9][0-9a-z.]* \\$`)
)

// pins checks that internal/tools names one version of everything and what its bytes are.
func pins(tr *tree) []string {
	const dir, engine = "internal/tools/", "internal/localdb/"
	problems := append(nodePins(tr, dir+"node"), nodePins(tr, "web")...)
	for _, want := range []string{"golangci_lint", "gofumpt"} {
		if !slices.ContainsFunc(pinnedGo.FindAllStringSubmatch(tr.text[dir+"install.sh"], -1),
			func(m []string) bool { return m[1] == want }) {
			problems = append(problems, dir+"install.sh does not pin "+want)
		}
	}
	version := pomVersion.FindStringSubmatch(tr.text[engine+"pom.xml"])
	if version == nil {
		problems = append(problems, engine+"pom.xml does not pin DynamoDBLocal")
	} else if !strings.Contains(tr.text[engine+"lib.sha256"], "  DynamoDBLocal-"+version[1]+".jar\n") {
		problems = append(problems, engine+"lib.sha256 is not of DynamoDBLocal "+version[1])
	}
	for _, name := range []string{"python", "cfnlint", "lambdaric", "sam"} {
		problems = append(problems, pythonPins(dir+name+"/requirements.txt", tr.text)...)
	}
	return problems
}

// pythonPins checks a requirements.txt.
func pythonPins(name string, texts map[string]string) []string {
	var problems []string
	all := requirement.FindAllStringSubmatch(texts[name], -1)
	for _, m := range all {
		if !pinnedPython.MatchString(m[1]) {
			problems = append(problems, name+" does not pin "+m[0])
		}
	}
	if len(all) == 0 || strings.Count(texts[name], "--hash=sha256:") < len(all) {
		problems = append(problems, name+" has no hash for each package")
	}
	return problems
}

// nodePins checks the package.json of a folder and its lock.
func nodePins(tr *tree, dir string) []string {
	manifest, lock := dir+"/package.json", dir+"/package-lock.json"
	var problems []string
	var pkg struct{ Dependencies, DevDependencies map[string]string }
	if err := json.Unmarshal([]byte(tr.text[manifest]), &pkg); err != nil {
		problems = append(problems, manifest+": "+err.Error())
	}
	var locked struct {
		Packages map[string]struct{ Version, Integrity, Resolved string }
	}
	if err := json.Unmarshal([]byte(tr.text[lock]), &locked); err != nil {
		problems = append(problems, lock+": "+err.Error())
	}
	for _, wanted := range []map[string]string{pkg.Dependencies, pkg.DevDependencies} {
		for name, version := range wanted {
			if !exactVersion.MatchString(version) || locked.Packages["node_modules/"+name].Version != version {
				problems = append(problems, fmt.Sprintf("%s does not pin %s: %s", dir, name, version))
			}
		}
	}
	for name, p := range locked.Packages {
		if name != "" && (p.Integrity == "" || p.Resolved != "") {
			problems = append(problems, lock+" wants an integrity and no host: "+name)
		}
	}
	return problems
}

// requireLine is a required module in go.mod.
var requireLine = regexp.MustCompile(`(?m)^(?:require )?\s*([a-z][\w.-]*\.[\w.-]+(?:/[\w.~-]+)+) v\S+( // indirect)?$`)

// tableRow is a row of a Markdown table that begins with a module's path.
var tableRow = regexp.MustCompile("(?m)^\\| `([^`]+)` \\|.*\\| *(.*?) *\\|$")

// dependencies checks the table of reasons against go.mod and the imports.
func dependencies(tr *tree) []string {
	const doc = "docs/adr/0008-dependencies.md"
	var problems []string
	reasons := map[string]bool{}
	for _, m := range tableRow.FindAllStringSubmatch(tr.text[doc], -1) {
		reasons[m[1]] = true
		if m[2] == "" {
			problems = append(problems, doc+": no reason for "+m[1])
		}
	}
	var required []string
	for _, m := range requireLine.FindAllStringSubmatch(tr.text["go.mod"], -1) {
		required = append(required, m[1])
	}
	used := tr.usedModules(required)
	for _, m := range requireLine.FindAllStringSubmatch(tr.text["go.mod"], -1) {
		switch direct := m[2] == ""; {
		case direct && !used[m[1]]:
			problems = append(problems, "go.mod: no package imports "+m[1]+": mark it // indirect, or drop it")
		case !direct && used[m[1]]:
			problems = append(problems, "go.mod: a package imports "+m[1]+": it is not indirect")
		case direct && !reasons[m[1]]:
			problems = append(problems, doc+" has no row for "+m[1])
		}
	}
	for name := range reasons {
		if !used[name] {
			problems = append(problems, doc+": no package imports "+name)
		}
	}
	return problems
}

// usedModules tells which of the modules some package imports.
func (tr *tree) usedModules(modules []string) map[string]bool {
	used := map[string]bool{}
	for _, p := range tr.pkgs {
		for _, f := range p.all() {
			for _, name := range f.imports() {
				if _, ok := tr.local(name); !ok {
					used[longestPrefix(modules, name)] = true
				}
			}
		}
	}
	return used
}

// longestPrefix gives the module that a package belongs to, "" for the standard library.
func longestPrefix(modules []string, name string) string {
	longest := ""
	for _, m := range modules {
		if (name == m || strings.HasPrefix(name, m+"/")) && len(m) > len(longest) {
			longest = m
		}
	}
	return longest
}

var (
	decisionFile = regexp.MustCompile(`^docs/adr/([0-9]{4})-[a-z0-9-]+\.md$`)
	headings     = []string{"## Context", "## Decision", "## Consequences", "## Alternatives"}
)

// decisions checks the form of docs/adr. Numbers may be left out: one is taken before its page is
// written.
func decisions(tr *tree) []string {
	var problems []string
	before := ""
	for _, name := range tr.paths(".md") {
		m := decisionFile.FindStringSubmatch(name)
		if m == nil {
			continue
		}
		text := tr.text[name]
		if m[1] == before {
			problems = append(problems, fmt.Sprintf("%s: another decision is number %s", name, before))
		}
		before = m[1]
		if !strings.Contains(tr.text["docs/adr/README.md"], "]("+path.Base(name)+")") {
			problems = append(problems, "docs/adr/README.md does not list "+name)
		}
		if n := lines(text); n > 70 {
			problems = append(problems, fmt.Sprintf("%s has %d lines, a page has at most 70", name, n))
		}
		for _, heading := range headings {
			if !strings.Contains(text, "\n"+heading+"\n") {
				problems = append(problems, fmt.Sprintf("%s has no heading %q", name, heading))
			}
		}
	}
	return problems
}

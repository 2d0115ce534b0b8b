package repotest

import (
	"fmt"
	"go/ast"
	"go/token"
	"regexp"
	"strconv"
	"strings"
)

// protocol checks that docs/protocol.md names every action, event and code of wire.
func protocol(tr *tree) []string {
	text := tr.text["docs/protocol.md"]
	var problems []string
	for kind, names := range tr.wireNames() {
		for _, name := range names {
			if !regexp.MustCompile("[`\"]" + regexp.QuoteMeta(name) + "[`\"]").MatchString(text) {
				problems = append(problems, fmt.Sprintf("docs/protocol.md does not have the %s `%s`", kind, name))
			}
		}
	}
	return problems
}

// wireNames lists the actions, events and codes that the package wire declares: exported string
// constants of action.go, what EventName returns, and constants of type Code.
func (tr *tree) wireNames() map[string][]string {
	names := map[string][]string{}
	add := func(kind string, e ast.Expr) {
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			name, _ := strconv.Unquote(lit.Value)
			names[kind] = append(names[kind], name)
		}
	}
	for _, p := range tr.pkgs {
		if p.dir != "wire" {
			continue
		}
		for _, f := range p.files {
			ast.Inspect(f.syntax, func(n ast.Node) bool {
				switch d := n.(type) {
				case *ast.FuncDecl:
					if d.Name.Name == "EventName" {
						for _, stmt := range d.Body.List {
							if r, ok := stmt.(*ast.ReturnStmt); ok {
								add("event", r.Results[0])
							}
						}
					}
					return false
				case *ast.ValueSpec:
					typ, _ := d.Type.(*ast.Ident)
					for i, value := range d.Values {
						switch {
						case typ != nil && typ.Name == "Code":
							add("code", value)
						case typ == nil && f.path == "wire/action.go" && d.Names[i].IsExported():
							add("action", value)
						}
					}
				}
				return true
			})
		}
	}
	return names
}

// folderName is a folder or file of the module as documents write it, between back quotes.
var folderName = regexp.MustCompile("`([a-z0-9_-]+(?:/[a-z0-9_.-]+)*/?)`")

// layoutLine is a folder at the beginning of a line of a fenced block.
var layoutLine = regexp.MustCompile(`^\s*([a-z0-9_-]+(?:/[a-z0-9_-]+)*)/(\s|$)`)

// architecture checks ARCHITECTURE.md against the folders.
func architecture(tr *tree) []string {
	text, ok := tr.text["ARCHITECTURE.md"]
	if !ok {
		return nil // README.md links to it: the rule about links misses it
	}
	var problems []string
	if n := lines(text); n > 200 {
		problems = append(problems, fmt.Sprintf("ARCHITECTURE.md has %d lines, at most 200", n))
	}
	for _, p := range tr.pkgs {
		if !named(text, p.dir) {
			problems = append(problems, "ARCHITECTURE.md does not name "+p.dir)
		}
	}
	for _, name := range claimed(text) {
		top, _, _ := strings.Cut(name, "/")
		if name = strings.TrimSuffix(name, "/"); tr.dirs[top] && !tr.exists(name) {
			problems = append(problems, "ARCHITECTURE.md names "+name+", which is not there")
		}
	}
	return problems
}

// named tells whether a text has each part of a package's folder as a word.
func named(text, dir string) bool {
	for part := range strings.SplitSeq(dir, "/") {
		if !regexp.MustCompile(`(^|[^\w-])` + regexp.QuoteMeta(part) + `($|[^\w-])`).MatchString(text) {
			return false
		}
	}
	return true
}

// claimed lists the paths that a document says are there: those of a layout and those between back
// quotes that have a slash.
func claimed(text string) []string {
	var list []string
	fenced := false
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
			continue
		}
		if m := layoutLine.FindStringSubmatch(line); fenced && m != nil {
			list = append(list, m[1]+"/")
		}
		for _, m := range folderName.FindAllStringSubmatch(line, -1) {
			if strings.Contains(m[1], "/") {
				list = append(list, m[1])
			}
		}
	}
	return list
}

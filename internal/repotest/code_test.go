package repotest

import (
	"fmt"
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
)

// openEnd is a mark of unfinished work.
var openEnd = regexp.MustCompile(`\b(TODO|FIXME|XXX|HACK)\b`)

// openEnds looks for marks of unfinished work in comments, and in everything that is no document.
func openEnds(tr *tree) []string {
	var problems []string
	for _, p := range tr.pkgs {
		for _, f := range p.all() {
			for _, group := range f.syntax.Comments {
				if mark := openEnd.FindString(group.Text()); mark != "" {
					problems = append(problems, fmt.Sprintf("%s: %s", tr.at(group), mark))
				}
			}
		}
	}
	for _, name := range tr.paths(".ts", ".tsx", ".css", ".sh", ".yml", ".yaml", "Makefile", "run") {
		if mark := openEnd.FindString(tr.text[name]); mark != "" && !strings.HasPrefix(name, "web/dist/") {
			problems = append(problems, fmt.Sprintf("%s: %s", name, mark))
		}
	}
	return problems
}

// noInit looks for functions that run by themselves.
func noInit(tr *tree) []string {
	var problems []string
	for _, p := range tr.pkgs {
		for _, f := range p.all() {
			for _, decl := range f.syntax.Decls {
				if d, ok := decl.(*ast.FuncDecl); ok && d.Recv == nil && d.Name.Name == "init" {
					problems = append(problems, f.path+": func init")
				}
			}
		}
	}
	return problems
}

// blankImports looks for imports that are there for their side effects.
func blankImports(tr *tree) []string {
	var problems []string
	for _, p := range tr.pkgs {
		for _, f := range p.all() {
			for _, spec := range f.syntax.Imports {
				driver := p.dir == "store/sqlitestore" && spec.Path.Value == `"modernc.org/sqlite"`
				if spec.Name != nil && spec.Name.Name == "_" && !driver && spec.Path.Value != `"embed"` {
					problems = append(problems, fmt.Sprintf("%s: import _ %s", f.path, spec.Path.Value))
				}
			}
		}
	}
	return problems
}

// forbiddenCall is a name of the DynamoDB client that dynamostore does without.
var forbiddenCall = regexp.MustCompile(`^(New)?(Scan|TransactWrite|TransactGet|ExecuteTransaction)`)

// dynamoCalls looks for what costs too much or collapses under load.
func dynamoCalls(tr *tree) []string {
	var problems []string
	for _, p := range tr.pkgs {
		if p.dir != "store/dynamostore" {
			continue
		}
		for _, f := range p.files {
			ast.Inspect(f.syntax, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok && forbiddenCall.MatchString(s.Sel.Name) {
					problems = append(problems, fmt.Sprintf("%s: %s", f.path, s.Sel.Name))
				}
				return true
			})
		}
	}
	return problems
}

var faultName = regexp.MustCompile(`^TestF[0-9]+_[A-Za-z]`)

// faults looks for tests in files fault_*_test.go whose name does not tell the fault.
func faults(tr *tree) []string {
	var problems []string
	for _, p := range tr.pkgs {
		for _, f := range p.tests {
			if !strings.HasPrefix(path.Base(f.path), "fault_") {
				continue
			}
			for _, decl := range f.syntax.Decls {
				d, ok := decl.(*ast.FuncDecl)
				if ok && strings.HasPrefix(d.Name.Name, "Test") && !faultName.MatchString(d.Name.Name) {
					problems = append(problems, fmt.Sprintf("%s: %s", f.path, d.Name.Name))
				}
			}
		}
	}
	return problems
}

// skips looks for tests that skip on their own.
func skips(tr *tree) []string {
	var problems []string
	for _, p := range tr.pkgs {
		if p.dir == "internal/tools" {
			continue
		}
		for _, f := range p.all() {
			ast.Inspect(f.syntax, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				s, ok := call.Fun.(*ast.SelectorExpr)
				if ok && slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, s.Sel.Name) && testingValue(s.X) {
					problems = append(problems, fmt.Sprintf("%s: %s", f.path, s.Sel.Name))
				}
				return true
			})
		}
	}
	return problems
}

// testingValue tells whether an expression is called as a *testing.T, B, F or TB is.
func testingValue(e ast.Expr) bool {
	ident, ok := e.(*ast.Ident)
	return ok && slices.Contains([]string{"t", "b", "f", "tb"}, ident.Name)
}

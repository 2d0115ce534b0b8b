package repotest

import (
	"fmt"
	"go/ast"
	"regexp"
	"strconv"
	"strings"
)

// faultCount is how many faults docs/faults.md answers.
const faultCount = 35

var (
	faultRow  = regexp.MustCompile(`(?m)^\| ([0-9]+) \| [^|]+ \| [^|]+ \| ([^|]*) \|$`)
	namedTest = regexp.MustCompile("`(Test\\w+)`")
)

// faultTable checks that docs/faults.md has a row for each fault, and that its tests and those of
// docs/guarantees.md are there.
func faultTable(tr *tree) []string {
	text, tests := tr.text["docs/faults.md"], tr.testNames()
	var problems []string
	for i, row := range faultRow.FindAllStringSubmatch(text, -1) {
		if row[1] != strconv.Itoa(i+1) {
			problems = append(problems, fmt.Sprintf("docs/faults.md: row %s where %d should be", row[1], i+1))
		}
		if !namedTest.MatchString(row[2]) {
			problems = append(problems, "docs/faults.md: row "+row[1]+" names no test")
		}
	}
	if n := len(faultRow.FindAllString(text, -1)); n != faultCount {
		problems = append(problems, fmt.Sprintf("docs/faults.md has %d rows, want %d", n, faultCount))
	}
	for _, name := range []string{"docs/faults.md", "docs/guarantees.md"} {
		for _, m := range namedTest.FindAllStringSubmatch(tr.text[name], -1) {
			if !tests[m[1]] {
				problems = append(problems, name+" names "+m[1]+", which is not there")
			}
		}
	}
	return problems
}

// testNames lists the tests of the module.
func (tr *tree) testNames() map[string]bool {
	names := map[string]bool{}
	for _, p := range tr.pkgs {
		for _, f := range p.tests {
			for _, decl := range f.syntax.Decls {
				d, ok := decl.(*ast.FuncDecl)
				if ok && d.Recv == nil && strings.HasPrefix(d.Name.Name, "Test") {
					names[d.Name.Name] = true
				}
			}
		}
	}
	return names
}

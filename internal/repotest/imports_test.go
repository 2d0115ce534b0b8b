package repotest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// anything in the table stands for all packages of the module.
const anything = "*"

// table says who may import which packages of the module: the one in ARCHITECTURE.md. A key that
// ends in /* stands for the folders below that have no row of their own.
var table = map[string][]string{
	"wire":            {},
	"chat":            {},
	"connections":     {},
	"lambdahost":      {},
	"gateway":         {"connections", "internal/warm"},
	"stack":           {"gateway", "lambdahost"},
	"auth":            {"chat"},
	"store/*":         {"chat", "auth"},
	"store/storetest": {"chat", "auth", "store/memstore"},
	"chatapi":         {"chat", "wire", "auth", "connections", "internal/warm"},
	"internal/warm":   {},
	"client":          {"wire"},
	"internal/tui":    {"client", "wire"},
	"internal/bench":  {"client", "wire"},
	"cmd/confab-lambda": {
		"chat", "chatapi", "wire", "auth", "connections", "store/dynamostore", "internal/version",
	},
	"cmd/confab":           {anything},
	"internal/testenv":     {anything},
	"internal/serve":       {anything},
	"internal/fidelity":    {"gateway", "internal/tools"},
	"internal/probe":       {"connections", "gateway"},
	"internal/sim":         {anything},
	"internal/sim/checker": {},
	"deploy":               {anything},
	"web":                  {},
	"internal/tools":       {},
	"internal/examples":    {"gateway", "lambdahost", "stack"},
	"internal/dynamolocal": {"chat", "internal/localdb", "internal/tools", "store/dynamostore"},
	"internal/localdb":     {},
	"internal/cost":        {},
	"internal/meter":       {},
	"internal/doctor":      {},
	"internal/export":      {"auth", "chat", "store/sqlitestore"},
	"internal/signin":      {"auth", "chat", "internal/qrcode"},
	"internal/login":       {"auth", "chat", "client", "internal/serve", "internal/signin"},
	"internal/qrcode":      {},
	"internal/control":     {"chat", "internal/signin"},
	"internal/egress":      {},
	"internal/release":     {},
	"internal/rehearsal":   {"gateway", "lambdahost", "stack", "internal/control", "internal/egress", "internal/localdb"},
	"internal/repotest":    {},
	"internal/testcert":    {},
	"internal/version":     {},
	"internal/testissuer":  {},
	"internal/terminal":    {},
	"internal/shell":       {"client", "chat", "internal/login", "internal/serve", "internal/terminal"},
	"internal/wsline":      {"internal/terminal"},
	"internal/wirets":      {"internal/tools", "wire"},
	"internal/writeups":    {"internal/tools"},
}

// testImports are what the tests of every package may import besides.
var testImports = []string{"internal/*", "store/storetest", "store/memstore"}

// imports checks the direct imports of every package against the table.
func imports(tr *tree) []string {
	var problems []string
	for _, p := range tr.pkgs {
		row, ok := table[p.dir]
		if !ok {
			row, ok = table[p.dir[:strings.LastIndex(p.dir, "/")+1]+anything]
		}
		if !ok {
			problems = append(problems, p.dir+" has no row in the import table")
			continue
		}
		problems = append(problems, tr.disallowed(p.dir, p.files, row)...)
		problems = append(problems, tr.disallowed(p.dir, p.tests, slices.Concat(row, testImports, []string{p.dir}))...)
	}
	return problems
}

// disallowed lists imports of files beyond what is allowed.
func (tr *tree) disallowed(dir string, files []*file, allowed []string) []string {
	var problems []string
	for _, f := range files {
		for _, name := range f.imports() {
			target, ok := tr.local(name)
			if ok && !slices.ContainsFunc(allowed, func(pattern string) bool { return matches(pattern, target) }) {
				problems = append(problems, fmt.Sprintf("%s: %s must not import %s", f.path, dir, target))
			}
		}
	}
	return problems
}

// matches tells whether a folder is meant by a pattern of the table.
func matches(pattern, dir string) bool {
	if prefix, ok := strings.CutSuffix(pattern, anything); ok {
		return strings.HasPrefix(dir, prefix)
	}
	return pattern == dir
}

// unreachable are packages that must not be linked, however long the chain of imports.
var unreachable = map[string][]string{
	"cmd/confab-lambda": {"gateway", "store/sqlitestore", "web", "github.com/aws/aws-sdk-go-v2/config"},
	"gateway":           {"chat", "store/*"},
	"lambdahost":        {"chat"},
	"stack":             {"chat"},
	"connections":       {"chat"},
	"client":            {"chat", "chatapi", "gateway", "store/*"},
}

// reach checks the transitive imports.
func reach(tr *tree) []string {
	var problems []string
	for _, p := range tr.pkgs {
		reached := map[string]bool{}
		tr.closure(p.dir, reached)
		for _, pattern := range unreachable[p.dir] {
			for target := range reached {
				if matches(pattern, target) {
					problems = append(problems, p.dir+" must not reach "+target)
				}
			}
		}
	}
	return problems
}

// closure adds everything that a package of the module imports, directly or not.
func (tr *tree) closure(dir string, reached map[string]bool) {
	for _, p := range tr.pkgs {
		if p.dir != dir {
			continue
		}
		for _, f := range p.files {
			for _, name := range f.imports() {
				target, ok := tr.local(name)
				if !ok {
					target = name
				}
				if !reached[target] {
					reached[target] = true
					tr.closure(target, reached)
				}
			}
		}
	}
}

// outside are imports that speak to the world or put values into bytes.
var outside = []string{
	"net", "net/*", "os", "os/*", "syscall", "database/*", "encoding/json", "encoding/xml", "encoding/gob",
	"github.com/aws/*", "github.com/gobwas/*", "github.com/coder/*", "modernc.org/*",
}

// purity checks that the domain knows neither network, system nor codecs.
func purity(tr *tree) []string {
	var problems []string
	for _, p := range tr.pkgs {
		if p.dir != "chat" {
			continue
		}
		for _, f := range p.files {
			for _, name := range f.imports() {
				if slices.ContainsFunc(outside, func(pattern string) bool { return matches(pattern, name) }) {
					problems = append(problems, f.path+": chat must not import "+name)
				}
			}
		}
	}
	return problems
}

// statement is an assertion of the compiler that a type is a chat.Log, alone or in a group.
var statement = regexp.MustCompile(`(?m)^(var|\t) ?_ +chat\.Log += `)

// contracts checks that every store states the contracts it meets and runs the suite.
func contracts(tr *tree) []string {
	var problems []string
	for _, p := range tr.pkgs {
		if !strings.HasPrefix(p.dir, "store/") || p.dir == "store/storetest" {
			continue
		}
		if !slices.ContainsFunc(p.files, func(f *file) bool { return statement.MatchString(f.src) }) {
			problems = append(problems, p.dir+" does not state `var _ chat.Log = (*Store)(nil)`")
		}
		suite := tr.module + "/store/storetest"
		if !slices.ContainsFunc(p.tests, func(f *file) bool { return slices.Contains(f.imports(), suite) }) {
			problems = append(problems, p.dir+" does not run store/storetest")
		}
	}
	return problems
}

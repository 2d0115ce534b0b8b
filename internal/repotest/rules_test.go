package repotest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/confab-chat/confab/internal/tools"
)

// rules are all rules, each with what to do about its problems.
var rules = []struct {
	name  string
	check func(*tree) []string
	why   string
}{
	{
		"imports", imports,
		"the import table in ARCHITECTURE.md decides who may import whom; move the code or change both tables",
	},
	{
		"reach", reach,
		"what a program or package links decides its size and what it can leak; cut the chain of imports",
	},
	{
		"purity", purity,
		"use cases must run in a plain test: hand values in, or put the code where the outside is spoken to",
	},
	{
		"contracts", contracts,
		"an implementation states its contract and is tested by the suite, so that backends stay interchangeable",
	},
	{
		"package-doc", packageDoc,
		"a package is explained once, in one place, beginning with `Package NAME`",
	},
	{
		"exported-doc", exportedDoc,
		"an exported identifier is a promise; say meaning, unit, limits and errors",
	},
	{
		"package-names", packageNames,
		"a package is named for what it holds or speaks to",
	},
	{
		"file-length", fileLength,
		"a file is read in one sitting: split it by subject",
	},
	{
		"budgets", budgets,
		"the whole stays readable only if most parts are short",
	},
	{
		"open-ends", openEnds,
		"what is left to do stands in an issue, not in the code",
	},
	{
		"init", noInit,
		"wiring is explicit, in main or a constructor",
	},
	{
		"blank-imports", blankImports,
		"wiring by import hides what a program does; only a database driver and embed have no other way",
	},
	{
		"dynamo-calls", dynamoCalls,
		"a Scan costs the whole table, a transaction collapses under concurrent writers",
	},
	{
		"skips", skips,
		"a test that is skipped proves nothing: internal/tools alone may skip, and fails with CI=true",
	},
	{
		"faults", faults,
		"a fault test is found by its row in docs/guarantees.md: name it TestF and the row's number, and _",
	},
	{
		"fault-table", faultTable,
		"docs/faults.md answers each fault with what is done instead and the tests that show it",
	},
	{
		"protocol", protocol,
		"docs/protocol.md is the public contract: every action, event and code of wire is in it",
	},
	{
		"limits", limits,
		"a limit that a client can meet stands in docs/protocol.md with the value that chat/limits.go has",
	},
	{
		"architecture", architecture,
		"ARCHITECTURE.md is the map: at most 200 lines, every package on it, nothing that is not there",
	},
	{
		"line-numbers", lineNumbers,
		"line numbers in documents rot: name the thing",
	},
	{
		"machine-paths", machinePaths,
		"the repository must work on any machine",
	},
	{
		"registries", registries,
		"where packages come from is the machine's affair; the repository pins what, not where",
	},
	{
		"links", links,
		"a dead link sends people away",
	},
	{
		"make-targets", makeTargets,
		"a command that a document gives must work",
	},
	{
		"pins", pins,
		"what tests run beside Go is pinned, so that they mean the same tomorrow",
	},
	{
		"dependencies", dependencies,
		"every direct dependency has its reason in docs/adr/0008-dependencies.md",
	},
	{
		"decisions", decisions,
		"decisions are numbered, indexed, one page each, with the same four headings",
	},
}

// TestRules tries every rule on this repository.
func TestRules(t *testing.T) {
	tr := load(t, os.DirFS(tools.Root()))
	for _, rule := range rules {
		t.Run(rule.name, func(t *testing.T) {
			if problems := rule.check(tr); len(problems) > 0 {
				t.Errorf("%s:\n  %s", rule.why, strings.Join(problems, "\n  "))
			}
		})
	}
}

// TestRules_Planted tries every rule on a repository that breaks it. The archive's comment has the
// problems that the rule must find, one a line.
func TestRules_Planted(t *testing.T) {
	for _, rule := range rules {
		t.Run(rule.name, func(t *testing.T) {
			archive, err := txtar.ParseFile(filepath.Join("testdata", rule.name+".txtar"))
			if err != nil {
				t.Fatal(err)
			}
			fsys := fstest.MapFS{}
			for _, f := range archive.Files {
				fsys[f.Name] = &fstest.MapFile{Data: f.Data}
			}
			want := strings.Split(strings.TrimSpace(string(archive.Comment)), "\n")
			got := rule.check(load(t, fsys))
			slices.Sort(want)
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("problems found (-want +got):\n%s", diff)
			}
		})
	}
}

package repotest

import (
	"cmp"
	"fmt"
	"go/ast"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// The budgets of a file and of the whole, in lines. They are those of well-kept Go projects.
const (
	maxFile       = 460 // no file is longer
	maxTestFile   = 700 // no test is longer
	medianFile    = 150 // half of the files
	medianFunc    = 11  // half of the functions
	mostFunc      = 45  // 90 % of the functions
	longFunc      = 60  // 95 % of the functions
	maxColumns    = 100 // 99 % of the lines
	enoughToJudge = 20  // files or functions from which on a median means something
)

// fileLength checks the longest files.
func fileLength(tr *tree) []string {
	var problems []string
	for _, p := range tr.pkgs {
		for _, f := range p.files {
			if n := lines(f.src); n > maxFile {
				problems = append(problems, fmt.Sprintf("%s has %d lines, at most %d", f.path, n, maxFile))
			}
		}
		for _, f := range p.tests {
			if n := lines(f.src); n > maxTestFile {
				problems = append(problems, fmt.Sprintf("%s has %d lines, at most %d", f.path, n, maxTestFile))
			}
		}
	}
	return problems
}

// budgets checks the medians of everything but tests.
func budgets(tr *tree) []string {
	var files, funcs []int
	var all, wide int
	worst := map[string]int{}
	for _, p := range tr.pkgs {
		for _, f := range p.files {
			files = append(files, lines(f.src))
			for line := range strings.Lines(f.src) {
				all++
				if columns(strings.TrimRight(line, "\n")) > maxColumns {
					wide++
					worst[f.path]++
				}
			}
			for _, decl := range f.syntax.Decls {
				if d, ok := decl.(*ast.FuncDecl); ok {
					funcs = append(funcs, tr.fset.Position(d.End()).Line-tr.fset.Position(d.Pos()).Line+1)
				}
			}
		}
	}
	var problems []string
	problems = append(problems, over("files", files, 0.5, medianFile)...)
	problems = append(problems, over("functions", funcs, 0.5, medianFunc)...)
	problems = append(problems, over("functions", funcs, 0.9, mostFunc)...)
	problems = append(problems, over("functions", funcs, 0.95, longFunc)...)
	if wide*100 > all {
		problems = append(problems,
			fmt.Sprintf("%d of %d lines are wider than %d columns, at most 1 %%, most of them in %s",
				wide, all, maxColumns, most(worst, 5)))
	}
	return problems
}

// most names the n files with the highest counts.
func most(counts map[string]int, n int) string {
	files := slices.Sorted(maps.Keys(counts))
	slices.SortStableFunc(files, func(a, b string) int { return cmp.Compare(counts[b], counts[a]) })
	for i, name := range files {
		files[i] = fmt.Sprintf("%s (%d)", name, counts[name])
	}
	return strings.Join(files[:min(n, len(files))], ", ")
}

// over tells when a share of the sizes is not within the limit.
func over(what string, sizes []int, share float64, limit int) []string {
	if len(sizes) < enoughToJudge {
		return nil
	}
	slices.Sort(sizes)
	if at := sizes[int(share*float64(len(sizes)))]; at > limit {
		return []string{fmt.Sprintf("%.0f %% of the %s should have at most %d lines, they have up to %d",
			100*share, what, limit, at)}
	}
	return nil
}

// lines counts the lines of a text.
func lines(s string) int { return strings.Count(s, "\n") }

// columns is the width of a line with tabs of 4.
func columns(line string) int { return utf8.RuneCountInString(line) + 3*strings.Count(line, "\t") }

// vagueNames are no names for packages: they say nothing about what is inside.
var vagueNames = []string{"util", "utils", "common", "models", "pkg", "helpers", "misc", "shared"}

// packageNames checks the folders and names of packages.
func packageNames(tr *tree) []string {
	var problems []string
	for _, p := range tr.pkgs {
		for _, part := range append(strings.Split(p.dir, "/"), p.name) {
			if slices.Contains(vagueNames, part) {
				problems = append(problems, fmt.Sprintf("%s: %q says nothing", p.dir, part))
				break
			}
		}
		if p.name != "" && p.name != "main" && p.name != path.Base(p.dir) {
			problems = append(problems, fmt.Sprintf("%s: the package is called %s", p.dir, p.name))
		}
	}
	return problems
}

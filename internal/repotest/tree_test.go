package repotest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// tree is a repository as the rules see it.
type tree struct {
	module string            // the module's path
	text   map[string]string // every text file by its path
	dirs   map[string]bool   // every folder by its path
	pkgs   []*pkg            // ascending by folder
	fset   *token.FileSet
}

// pkg is one folder with Go files.
type pkg struct {
	dir   string // as "store/memstore"
	name  string
	files []*file // without tests
	tests []*file
}

// file is one Go file.
type file struct {
	path   string
	src    string
	syntax *ast.File
}

// foreign are what belongs to git (a file, in a linked work tree), to tools, or to a server that was
// started here.
var foreign = map[string]bool{
	".git": true, ".tools": true, "node_modules": true, "confab-data": true, ".idea": true, ".vscode": true,
}

// load reads a repository. Go files of nested modules count as text only.
func load(tb testing.TB, fsys fs.FS) *tree {
	tb.Helper()
	tr := &tree{text: map[string]string{}, dirs: map[string]bool{}, fset: token.NewFileSet()}
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if foreign[entry.Name()] || name == "internal/repotest/testdata" {
				return fs.SkipDir
			}
			tr.dirs[name] = true
			return nil
		}
		if !entry.Type().IsRegular() || foreign[entry.Name()] {
			return nil
		}
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		if head := data[:min(len(data), 8000)]; !slices.Contains(head, 0) {
			tr.text[name] = string(data)
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	first, _, _ := strings.Cut(tr.text["go.mod"], "\n")
	tr.module = strings.TrimPrefix(first, "module ")
	tr.parse(tb)
	return tr
}

// parse fills the packages.
func (tr *tree) parse(tb testing.TB) {
	tb.Helper()
	byDir := map[string]*pkg{}
	for _, name := range tr.paths(".go") {
		dir := path.Dir(name)
		if strings.Contains(name, "testdata/") || tr.nested(dir) {
			continue
		}
		syntax, err := parser.ParseFile(tr.fset, name, tr.text[name], parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			tb.Fatal(err)
		}
		if byDir[dir] == nil {
			byDir[dir] = &pkg{dir: dir}
		}
		p, f := byDir[dir], &file{path: name, src: tr.text[name], syntax: syntax}
		if strings.HasSuffix(name, "_test.go") {
			p.tests = append(p.tests, f)
		} else {
			p.files, p.name = append(p.files, f), syntax.Name.Name
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(byDir)) {
		tr.pkgs = append(tr.pkgs, byDir[dir])
	}
}

// nested tells whether a folder belongs to another module.
func (tr *tree) nested(dir string) bool {
	for ; dir != "."; dir = path.Dir(dir) {
		if _, ok := tr.text[dir+"/go.mod"]; ok {
			return true
		}
	}
	return false
}

// paths lists the text files with one of the suffixes, ascending.
func (tr *tree) paths(suffixes ...string) []string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(tr.text)) {
		if slices.ContainsFunc(suffixes, func(s string) bool { return strings.HasSuffix(name, s) }) {
			list = append(list, name)
		}
	}
	return list
}

// exists tells whether there is such a file or folder.
func (tr *tree) exists(name string) bool {
	_, ok := tr.text[name]
	return ok || tr.dirs[name]
}

// local gives the folder of an import of the module itself.
func (tr *tree) local(importPath string) (dir string, ok bool) {
	return strings.CutPrefix(importPath, tr.module+"/")
}

// at gives the position of a node as path and line.
func (tr *tree) at(n ast.Node) string {
	p := tr.fset.Position(n.Pos())
	return p.Filename + ":" + strconv.Itoa(p.Line)
}

// imports lists what a file imports.
func (f *file) imports() []string {
	var list []string
	for _, spec := range f.syntax.Imports {
		name, _ := strconv.Unquote(spec.Path.Value)
		list = append(list, name)
	}
	return list
}

// all lists the files and the tests of a package.
func (p *pkg) all() []*file { return slices.Concat(p.files, p.tests) }

// public tells whether others may import the package.
func (p *pkg) public() bool {
	return p.name != "main" && !strings.HasPrefix(p.dir, "internal/") && !strings.Contains(p.dir, "/internal/")
}

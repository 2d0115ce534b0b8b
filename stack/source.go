package stack

import (
	"encoding/json"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// What is found in handlers. Lines that are comments are left out.
var (
	textStatus  = regexp.MustCompile(`statusCode['"]?\s*[:=]\s*['"]\d{3}['"]`)
	returned    = regexp.MustCompile(`['"]?\bbody['"]?\s*:`)
	moduleLine  = regexp.MustCompile(`^\s*(import\s+[\w{*'"]|export\s+(const|default|async|function|let|\{))`)
	commonLine  = regexp.MustCompile(`^\s*((const|let|var)\s.*=\s*require\(|(module\.)?exports\.?\w*\s*=)`)
	importsNode = regexp.MustCompile(`(?:from\s*|require\(\s*|import\(\s*|^\s*import\s*)['"]([^'"./][^'"]*)['"]`)
	importsPy   = regexp.MustCompile(`^(?:import|from)\s+([A-Za-z_]\w*)`)
)

// maxSource is how much of a handler is looked at, and maxImporting the size of a file that is looked
// at for imports: larger ones are bundles, which ask for what they can do without.
const (
	maxSource    = 1 << 20
	maxImporting = 64 << 10
)

// checkSources looks at the handler of a function with its code in a folder.
func (b *builder) checkSources(r *resource, f *Function) {
	dir := f.Lambda.Code
	folder, base := path.Split(f.Lambda.Handler)
	module, _, _ := strings.Cut(base, ".") // Node.js: the rest is the way to the function
	name := filepath.FromSlash(folder + module)
	endings := []string{".js", ".mjs", ".cjs"}
	if strings.HasPrefix(f.Lambda.Runtime, "python") {
		endings = []string{".py"}
		module = strings.TrimSuffix(f.Lambda.Handler, path.Ext(base))
		name = filepath.FromSlash(strings.ReplaceAll(module, ".", "/"))
	}
	for _, ending := range endings {
		file := filepath.Join(dir, name+ending)
		data, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		b.checkText(r, f, file, 0, string(data[:min(len(data), maxSource)]), filepath.Base(file))
		b.checkPackages(r, f)
		return
	}
	if isDir(filepath.Join(dir, name)) {
		return // a package
	}
	where := strings.Join(endings, " or ")
	if isFile(filepath.Join(dir, name+".ts")) {
		b.errorf(r.id, r.entry, "the handler %s is TypeScript: build it first, as by sam build",
			f.Lambda.Handler)
		return
	}
	b.errorf(r.id, r.entry, "the handler %s is not there: %s has no %s%s", f.Lambda.Handler, dir,
		filepath.ToSlash(name), where)
}

func isDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// checkText looks for mistakes in a handler; above is how many lines are above its first.
func (b *builder) checkText(r *resource, f *Function, file string, above int, source, name string) {
	node := strings.HasPrefix(f.Lambda.Runtime, "nodejs")
	modules := filepath.Ext(name) == ".mjs" || filepath.Ext(name) == ".js" && isModule(f.Lambda.Code, file)
	said := map[string]bool{}
	say := func(line int, severity Severity, what string) {
		if !said[what] {
			said[what] = true
			b.problems.list = append(b.problems.list, Diagnostic{
				File: file, Line: above + line, Column: 1, Severity: severity, Resource: r.id,
				Text: what,
			})
		}
	}
	for i, line := range strings.Split(source, "\n") {
		if trimmed := strings.TrimSpace(line); strings.HasPrefix(trimmed, "//") || strings.HasPrefix(trimmed, "#") {
			continue
		}
		f.returnsBody = f.returnsBody || returned.MatchString(line)
		switch {
		case textStatus.MatchString(line):
			say(i+1, Warning, "a statusCode that is a text: API Gateway tolerates it, Go's types"+
				" do not")
		case node && !modules && moduleLine.MatchString(line):
			say(i+1, Warning, "an ES module in "+name+": AWS takes it for CommonJS and the"+
				" function fails; name it .mjs, or write \"type\": \"module\" into package.json")
		case node && modules && commonLine.MatchString(line):
			say(i+1, Warning, "CommonJS in the ES module "+name+": there is neither require nor"+
				" module.exports, and the function fails")
		}
	}
}

// isModule tells whether .js files are ES modules: by the package.json beside or above, in the
// code.
func isModule(code, file string) bool {
	for dir := filepath.Dir(file); len(dir) >= len(code); dir = filepath.Dir(dir) {
		if p, err := readPackage(dir); err == nil {
			return p.Type == "module"
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	return false
}

// packageJSON is what is read of a package.json.
type packageJSON struct {
	Type         string
	Dependencies map[string]string
}

func readPackage(dir string) (p packageJSON, err error) {
	data, err := os.ReadFile(filepath.Join(dir, "package.json"))
	if err != nil {
		return p, err
	}
	err = json.Unmarshal(data, &p)
	return p, err
}

// imported gives the names of packages that the sources in a folder import, without those of
// packages that are installed in it.
func imported(dir string, endings []string, pattern *regexp.Regexp) []string {
	var names []string
	files := 0
	installed, err := filepath.Glob(filepath.Join(dir, "*-info")) // by pip
	flat := err == nil && len(installed) > 0
	walk := func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil //nolint:nilerr // what cannot be read is not looked at
		case d.IsDir() && file != dir && (flat || ofOthers(file, d.Name())):
			return fs.SkipDir
		case d.IsDir() || !slices.Contains(endings, filepath.Ext(file)):
			return nil
		}
		if files++; files > maxFiles {
			return fs.SkipAll
		}
		data, err := os.ReadFile(file)
		if err != nil || len(data) > maxImporting {
			return nil //nolint:nilerr // the same
		}
		for line := range strings.Lines(string(data)) {
			if m := pattern.FindStringSubmatch(line); len(m) == 2 && !slices.Contains(names, m[1]) {
				names = append(names, m[1])
			}
		}
		return nil
	}
	if err := filepath.WalkDir(dir, walk); err != nil {
		return nil
	}
	return names
}

// ofOthers tells whether a folder in a project's sources is not written by its people.
func ofOthers(dir, name string) bool {
	return strings.HasPrefix(name, ".") || slices.Contains(notSources, name) ||
		isFile(filepath.Join(dir, "package.json"))
}

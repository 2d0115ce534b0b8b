package stack

import (
	"archive/zip"
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// checkPackages sees to it that what a function imports is there.
func (b *builder) checkPackages(r *resource, f *Function) {
	program := cmp.Or(b.lambda.Node, "node")
	python := strings.HasPrefix(f.Lambda.Runtime, "python")
	if python {
		program = cmp.Or(b.lambda.Python, "python3")
	}
	if _, err := exec.LookPath(program); err != nil {
		b.errorf(r.id, r.entry, "the runtime %s needs %s, which is not on this machine",
			f.Lambda.Runtime, program)
		return
	}
	if python {
		b.checkPython(r, f, program)
	} else {
		b.checkNode(r, f)
	}
}

// home is where what a function lacks is to be installed: where its code is, for code in the
// template the project.
func (b *builder) home(f *Function) string {
	if f.Source == "" {
		return b.stack.Dir
	}
	return f.Lambda.Code
}

// builtIn are Node.js's own modules (its manual, module.builtinModules), without those that are
// only to be had as node:NAME.
var builtIn = strings.Fields(`assert async_hooks buffer child_process cluster console constants crypto
	dgram diagnostics_channel dns domain events fs http http2 https inspector module net os path perf_hooks
	process punycode querystring readline repl stream string_decoder sys timers tls trace_events tty url util
	v8 vm wasi worker_threads zlib`)

// checkNode looks for the packages of a Node.js function.
func (b *builder) checkNode(r *resource, f *Function) {
	declared, err := readPackage(f.Lambda.Code)
	if err != nil && !os.IsNotExist(err) {
		b.errorf(r.id, r.entry, "%s: %s", filepath.Join(f.Lambda.Code, "package.json"), err)
		return
	}
	var missing []string
	for name := range declared.Dependencies {
		if !ofRuntime(name) && !b.hasNode(f, name) {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		b.errorf(r.id, r.entry, "the packages %s are missing: run `npm install` in %s, or `sam build`",
			strings.Join(missing, ", "), b.home(f))
	}
	var sdk []string
	for _, name := range imported(f.Lambda.Code, []string{".js", ".mjs", ".cjs"}, importsNode) {
		name = packageOf(name)
		_, isDeclared := declared.Dependencies[name]
		switch {
		case strings.HasPrefix(name, "node:"), slices.Contains(builtIn, name), b.hasNode(f, name):
		case ofRuntime(name):
			if !slices.Contains(sdk, name) {
				sdk = append(sdk, name)
			}
		case !isDeclared:
			b.warnf(r.id, r.entry, "the package %s is imported, and is neither in %s nor in its"+
				" package.json", name, b.home(f))
		}
	}
	if len(sdk) > 0 {
		slices.Sort(sdk)
		b.errorf(r.id, r.entry, "AWS's runtime has the AWS SDK, and this machine has not: run"+
			" `npm install --no-save %s` in %s", strings.Join(sdk, " "), b.home(f))
	}
}

// ofRuntime tells whether AWS's runtimes of Node.js have a package (Developer Guide, "Building
// Lambda functions with Node.js").
func ofRuntime(name string) bool {
	return strings.HasPrefix(name, "@aws-sdk/") || strings.HasPrefix(name, "@smithy/")
}

// packageOf gives the package of a module: its first part, of scoped ones the first two.
func packageOf(module string) string {
	parts := strings.SplitN(module, "/", 3)
	if strings.HasPrefix(module, "@") && len(parts) > 1 {
		return parts[0] + "/" + parts[1]
	}
	return parts[0]
}

// hasNode tells whether a function finds a package: beside its code or above, in a layer, or among
// those that the host provides.
func (b *builder) hasNode(f *Function, name string) bool {
	dir, err := filepath.Abs(f.Lambda.Code)
	if err != nil {
		return false
	}
	for {
		if isDir(filepath.Join(dir, "node_modules", name)) {
			return true
		}
		if dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	for _, provided := range b.lambda.NodePath {
		if isDir(filepath.Join(provided, name)) {
			return true
		}
	}
	return slices.ContainsFunc(f.Lambda.Layers, func(layer string) bool {
		major := strings.TrimSuffix(strings.TrimPrefix(f.Lambda.Runtime, "nodejs"), ".x")
		return inLayer(layer, "nodejs/node_modules/"+name) || inLayer(layer,
			"nodejs/node"+major+"/node_modules/"+name)
	})
}

// inLayer tells whether a layer, a folder or an archive, has a folder.
func inLayer(layer, name string) bool {
	if isDir(layer) {
		return isDir(filepath.Join(layer, filepath.FromSlash(name)))
	}
	archive, err := zip.OpenReader(layer)
	if err != nil {
		return false
	}
	defer archive.Close() //nolint:errcheck // it was only read
	return slices.ContainsFunc(archive.File,
		func(f *zip.File) bool { return strings.HasPrefix(f.Name, name+"/") })
}

// findModules prints those of its arguments that cannot be found: what begins with = is a
// distribution, as requirements.txt names them, the others are modules.
const findModules = `
import sys, importlib.metadata, importlib.util
def found(name):
    if name.startswith("="):
        name = name[1:]
        try:
            importlib.metadata.distribution(name)
            return True
        except importlib.metadata.PackageNotFoundError:
            name = name.replace("-", "_")
    try:
        return any(importlib.util.find_spec(n) for n in {name, name.lower()})
    except (ImportError, ValueError):
        return False
print("\n".join(name for name in sys.argv[1:] if not found(name)))
`

// requirement is a line of requirements.txt that names a distribution.
var requirement = regexp.MustCompile(`(?m)^\s*([A-Za-z0-9][A-Za-z0-9._-]*)`)

// checkPython looks for the modules of a Python function.
func (b *builder) checkPython(r *resource, f *Function, python string) {
	var names []string
	if data, err := os.ReadFile(filepath.Join(f.Lambda.Code, "requirements.txt")); err == nil {
		for _, m := range requirement.FindAllStringSubmatch(string(data), -1) {
			names = append(names, "="+m[1])
		}
	}
	names = append(names, imported(f.Lambda.Code, []string{".py"}, importsPy)...)
	missing, err := b.missingModules(f, python, names)
	if err != nil {
		b.errorf(r.id, r.entry, "%s: %s", python, err)
		return
	}
	for _, name := range missing {
		distribution, required := strings.CutPrefix(name, "=")
		switch {
		case distribution == "boto3" || distribution == "botocore":
			b.errorf(r.id, r.entry, "%s is in AWS's runtime, and not on this machine: run `pip"+
				" install %s`", distribution, distribution)
		case required:
			b.errorf(r.id, r.entry, "the package %s is missing: run `sam build`, or `pip install"+
				" -r requirements.txt -t .` in %s", distribution, b.home(f))
		case !slices.Contains(names, "="+name):
			b.warnf(r.id, r.entry, "the module %s is imported, and is neither in %s nor in its"+
				" requirements.txt", name, b.home(f))
		}
	}
}

// missingModules asks Python which of the names it does not find, from where the function runs.
func (b *builder) missingModules(f *Function, python string, names []string) ([]string, error) {
	if len(names) == 0 {
		return nil, nil
	}
	code, err := filepath.Abs(f.Lambda.Code)
	if err != nil {
		return nil, err
	}
	paths := []string{code}
	for _, layer := range f.Lambda.Layers {
		paths = append(paths, filepath.Join(layer, "python"), filepath.Join(layer, "python", "lib",
			f.Lambda.Runtime, "site-packages"))
	}
	paths = append(paths, b.lambda.PythonPath...)
	cmd := exec.Command(python, append([]string{"-B", "-s", "-c", findModules}, names...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "PYTHONPATH=" + strings.Join(paths,
		string(filepath.ListSeparator))}
	cmd.Dir = b.build // not where the user is, whose modules would be found
	out, err := cmd.Output()
	return strings.Fields(string(out)), err
}

package stack

import (
	"archive/zip"
	"bytes"
	"debug/elf"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// program sees to it that a function with a bootstrap of its own can run on this machine: what is
// for another one, or not built yet, is built if it is a Go module.
func (b *builder) program(r *resource, f *Function) {
	isScript, why := runsHere(f.Lambda.Code)
	if why != nil {
		source, dir := b.module(r, f), filepath.Join(b.build, r.id)
		if source == "" {
			b.errorf(r.id, r.entry, "%s: %s; build it for %s/%s", f.Lambda.Code, why,
				runtime.GOOS, runtime.GOARCH)
			return
		}
		if err := buildGo(source, dir, r); err != nil {
			b.errorf(r.id, r.entry, "build %s: %s", source, err)
			return
		}
		f.Lambda.Code, f.Source = dir, source
		return
	}
	b.checkProcessor(r, isScript)
}

// checkProcessor warns of a bootstrap, made elsewhere, that runs on this machine and would not on AWS.
func (b *builder) checkProcessor(r *resource, isScript bool) {
	wanted := "x86_64" // Lambda's default
	if listed := b.prop(r, "Architectures").texts(); len(listed) > 0 {
		wanted = listed[0]
	}
	has := map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]
	if !isScript && has != wanted {
		b.warnf(r.id, r.entry, "the bootstrap is for %s, and Architectures says %s: on AWS it cannot"+
			" start", has, wanted)
	}
}

// runsHere tells whether the bootstrap in a folder or archive is a script, and why there is none that
// this machine can run.
func runsHere(code string) (isScript bool, why error) {
	open := func() (io.ReadCloser, error) { return os.Open(filepath.Join(code, "bootstrap")) }
	if info, err := os.Stat(code); err == nil && !info.IsDir() {
		archive, err := zip.OpenReader(code)
		if err != nil {
			return false, err
		}
		defer archive.Close() //nolint:errcheck // it was only read
		open = func() (io.ReadCloser, error) { return archive.Open("bootstrap") }
	}
	file, err := open()
	if err != nil {
		return false, errors.New("there is no bootstrap")
	}
	defer file.Close()
	data, err := io.ReadAll(file)
	if err != nil {
		return false, err
	}
	if bytes.HasPrefix(data, []byte("#!")) {
		return true, nil
	}
	program, err := elf.NewFile(bytes.NewReader(data))
	machine := map[string]elf.Machine{
		"amd64": elf.EM_X86_64,
		"arm64": elf.EM_AARCH64,
	}[runtime.GOARCH]
	if err != nil || runtime.GOOS != "linux" || program.Machine != machine {
		return false, errors.New("the bootstrap is for another system")
	}
	return false, nil
}

// module finds the Go module or package that a function is built from: its code, or the code of the
// template that sam build has made this one from; "": there is none.
func (b *builder) module(r *resource, f *Function) string {
	for _, dir := range []string{f.Lambda.Code, b.unbuilt(r)} {
		if dir == "" {
			continue
		}
		if files, err := filepath.Glob(filepath.Join(dir, "*.go")); err == nil && len(files) > 0 {
			return dir
		}
		if isFile(filepath.Join(dir, "go.mod")) {
			return dir
		}
	}
	return ""
}

// unbuilt gives the folder that sam build has built a function from; "": it has not.
func (b *builder) unbuilt(r *resource) string {
	if !strings.HasSuffix(filepath.ToSlash(b.dir), ".aws-sam/build") {
		return ""
	}
	project := filepath.Dir(filepath.Dir(b.dir))
	for _, name := range []string{"template.yaml", "template.yml", "template.json"} {
		data, err := os.ReadFile(filepath.Join(project, name))
		if err != nil {
			continue
		}
		root, err := parse(data)
		if err != nil {
			return ""
		}
		code := merge(root.get("Globals", "Function"), root.get("Resources", r.id,
			"Properties")).get("CodeUri")
		if code.kind != text {
			return ""
		}
		return filepath.Join(project, filepath.FromSlash(code.text))
	}
	return ""
}

// buildGo builds the program in dir as SAM would, but for this machine: by go build, or by the
// Makefile where there is no package main but the build method makefile.
func buildGo(source, dir string, r *resource) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	out, err := filepath.Abs(filepath.Join(dir, "bootstrap"))
	if err != nil {
		return err
	}
	cmd := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", out, ".")
	files, err := filepath.Glob(filepath.Join(source, "*.go"))
	if err != nil {
		return err
	}
	if len(files) == 0 && r.entry.get("Metadata", "BuildMethod").text == "makefile" {
		cmd = exec.Command("make", "build-"+r.id)
	}
	cmd.Dir = source
	cmd.Env = append(os.Environ(), "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH, "CGO_ENABLED=0",
		"ARTIFACTS_DIR="+filepath.Dir(out))
	if output, err := cmd.CombinedOutput(); err != nil {
		return errors.New(firstLines(string(output), err))
	}
	if runtime.GOOS != "linux" {
		return nil // it has been built for this system, and is no ELF file
	}
	_, err = runsHere(dir)
	return err
}

// maxOutput is how many lines of a build that has failed are told.
const maxOutput = 5

// firstLines gives the first lines of a program's output, or its error where it has said nothing.
func firstLines(output string, err error) string {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	if lines[0] == "" {
		return err.Error()
	}
	return strings.Join(lines[:min(len(lines), maxOutput)], "; ")
}

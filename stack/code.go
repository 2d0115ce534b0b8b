package stack

import (
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// addSource notes a place that a change of the stack would be in.
func (s *Stack) addSource(path string) {
	if !slices.Contains(s.Sources, path) {
		s.Sources = append(s.Sources, path)
	}
}

// code finds a function's code and sees to it that it can run here.
func (b *builder) code(r *resource, f *Function) {
	code := b.prop(r, "Code")
	if r.typ == typeSAMFunction {
		code = b.prop(r, "CodeUri")
		if inline := b.prop(r, "InlineCode"); inline.kind == text {
			f.Lambda.Code = b.inline(r, f, inline)
			return
		}
	}
	if inline := code.get("ZipFile"); inline.kind == text {
		f.Lambda.Code = b.inline(r, f, inline)
		return
	}
	f.Lambda.Code = b.uploaded(r, code, "Code")
	if f.Lambda.Code == "" {
		return
	}
	f.Source = f.Lambda.Code
	if strings.HasPrefix(f.Lambda.Runtime, "provided") {
		b.program(r, f)
	} else if info, err := os.Stat(f.Lambda.Code); err == nil && info.IsDir() {
		b.checkSources(r, f)
	}
	b.stack.addSource(f.Source)
}

// maxInline is how much code a template can hold (page aws-properties-lambda-function-code).
const maxInline = 4 << 20

// inline writes code that stands in the template to a folder of its own: to the file index, as
// CloudFormation does.
func (b *builder) inline(r *resource, f *Function, code *value) string {
	name := "index.js"
	switch {
	case len(code.text) > maxInline:
		b.errorf(r.id, code, "code in a template has at most 4 MB")
		return ""
	case strings.HasPrefix(f.Lambda.Runtime, "python"):
		name = "index.py"
	case !strings.HasPrefix(f.Lambda.Runtime, "nodejs"):
		b.errorf(r.id, code, "only Node.js and Python can have their code in a template")
		return ""
	}
	if !strings.HasPrefix(f.Lambda.Handler, "index.") {
		b.errorf(r.id, r.entry, "code in a template is in the file index: the handler %s is not"+
			" there", f.Lambda.Handler)
	}
	dir := filepath.Join(b.build, r.id)
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name), []byte(code.text), 0o600)
	}
	if err != nil {
		b.errorf(r.id, code, "%s", err)
	}
	f.Lambda.Code = dir
	b.checkText(r, f, b.problems.file, code.line, code.text, name)
	b.checkPackages(r, f)
	return dir
}

// uploaded finds the folder or archive of what a template says is uploaded: a path beside it, or a
// place in S3 that a tool has put it to, which has kept a copy.
func (b *builder) uploaded(r *resource, at *value, property string) string {
	var found string
	switch s := at.text; {
	case at.kind == text && strings.HasPrefix(s, "s3://"):
		found = b.asset(r, path.Base(s), property)
	case at.kind == text && filepath.IsAbs(s):
		found = s
	case at.kind == text && s != "":
		found = filepath.Join(b.dir, filepath.FromSlash(s))
	case at.kind == object:
		key := at.get("S3Key")
		if key.kind == null {
			key = at.get("Key") // of SAM
		}
		found = b.asset(r, path.Base(key.text), property)
	default:
		b.errorf(r.id, r.entry, "the code is missing")
		return ""
	}
	if _, err := os.Stat(found); found == "" || err != nil {
		where := found
		if where == "" {
			where = at.text + at.get("S3Key").text + at.get("Key").text + " in S3"
		}
		b.errorf(r.id, at, "the code is not there: %s", where)
		return ""
	}
	return found
}

// asset finds what the CDK or the Serverless Framework has uploaded as name: by the resource's
// metadata, by the CDK's list of files, or as an archive beside the template.
func (b *builder) asset(r *resource, name, property string) string {
	metadata := r.entry.get("Metadata")
	if kept := metadata.get("aws:asset:path").text; kept != "" {
		of := metadata.get("aws:asset:property").text
		if of == "" || strings.HasPrefix(of, property) {
			return filepath.Join(b.dir, kept)
		}
	}
	if found := b.manifest(name); found != "" {
		return found
	}
	if found := filepath.Join(b.dir, name); name != "" && name != "." && isFile(found) {
		return found
	}
	return ""
}

// manifest looks for an object's key in the lists of files that the CDK writes beside templates.
func (b *builder) manifest(key string) string {
	lists, err := filepath.Glob(filepath.Join(b.dir, "*.assets.json"))
	if err != nil {
		return ""
	}
	for _, name := range lists {
		var manifest struct {
			Files map[string]struct {
				Source       struct{ Path string }
				Destinations map[string]struct{ ObjectKey string }
			}
		}
		data, err := os.ReadFile(name)
		if err != nil || json.Unmarshal(data, &manifest) != nil {
			continue
		}
		for _, file := range manifest.Files {
			for _, to := range file.Destinations {
				if path.Base(to.ObjectKey) == key {
					return filepath.Join(b.dir, file.Source.Path)
				}
			}
		}
	}
	return ""
}

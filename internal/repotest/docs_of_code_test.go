package repotest

import (
	"fmt"
	"go/ast"
	"regexp"
	"strings"
)

// packageDoc checks that every package is explained by exactly one file.
func packageDoc(tr *tree) []string {
	var problems []string
	for _, p := range tr.pkgs {
		var docs []string
		for _, f := range p.files {
			if f.syntax.Doc == nil {
				continue
			}
			docs = append(docs, f.path)
			begin := "Package " + p.name
			if text := f.syntax.Doc.Text(); p.name != "main" && !strings.HasPrefix(text, begin+" ") {
				problems = append(problems, fmt.Sprintf("%s: the package doc does not begin with %q", f.path, begin))
			}
		}
		if len(p.files) > 0 && len(docs) != 1 {
			problems = append(problems, fmt.Sprintf("%s has %d package docs, want 1 %v", p.dir, len(docs), docs))
		}
	}
	return problems
}

// exportedDoc checks that exported identifiers of public packages have a doc comment. A method may
// leave it to the interface of the module, or of the standard library, that it implements.
func exportedDoc(tr *tree) []string {
	var problems []string
	contract := tr.contractMethods()
	for _, p := range tr.pkgs {
		if !p.public() {
			continue
		}
		for _, f := range p.files {
			for _, decl := range f.syntax.Decls {
				for _, name := range undocumented(decl, contract) {
					problems = append(problems, fmt.Sprintf("%s: %s has no doc comment", tr.at(decl), name))
				}
			}
		}
	}
	return problems
}

// contractMethods lists the methods that an interface of the module or of the standard library
// documents. A doc comment that names several methods of its interface counts for them all.
func (tr *tree) contractMethods() map[string]bool {
	names := map[string]bool{
		"Error": true, "Unwrap": true, "String": true, "Read": true, "Write": true, "Close": true,
		"ServeHTTP": true, "MarshalJSON": true, "UnmarshalJSON": true, "Len": true, "Less": true, "Swap": true,
	}
	for _, p := range tr.pkgs {
		for _, f := range p.files {
			ast.Inspect(f.syntax, func(n ast.Node) bool {
				if i, ok := n.(*ast.InterfaceType); ok {
					for name, ok := range interfaceDocs(i) {
						names[name] = names[name] || ok
					}
				}
				return true
			})
		}
	}
	return names
}

// interfaceDocs tells which methods of an interface are documented. Of a single method the comment
// of the type says it all.
func interfaceDocs(i *ast.InterfaceType) map[string]bool {
	var text strings.Builder
	documented := map[string]bool{}
	for _, m := range i.Methods.List {
		text.WriteString(m.Doc.Text() + m.Comment.Text())
		for _, name := range m.Names {
			documented[name.Name] = m.Doc != nil || m.Comment != nil || len(i.Methods.List) == 1
		}
	}
	for name, ok := range documented {
		documented[name] = ok || regexp.MustCompile(`\b`+name+`\b`).MatchString(text.String())
	}
	return documented
}

// undocumented lists the exported names of a declaration that no comment explains.
func undocumented(decl ast.Decl, contract map[string]bool) []string {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Doc != nil || !d.Name.IsExported() || !exportedReceiver(d) || d.Recv != nil && contract[d.Name.Name] {
			return nil
		}
		return []string{d.Name.Name}
	case *ast.GenDecl:
		var names []string
		for _, spec := range d.Specs {
			names = append(names, undocumentedSpec(spec, d.Doc != nil)...)
		}
		return names
	}
	return nil
}

// undocumentedSpec is undocumented for one line of a declaration; group tells whether the
// declaration has a comment, which explains all its constants or variables, or its only type.
func undocumentedSpec(spec ast.Spec, group bool) []string {
	var names []string
	switch s := spec.(type) {
	case *ast.TypeSpec:
		if s.Name.IsExported() && !group && s.Doc == nil && s.Comment == nil {
			names = append(names, s.Name.Name)
		}
		if i, ok := s.Type.(*ast.InterfaceType); ok && s.Name.IsExported() {
			documented := interfaceDocs(i)
			for _, m := range i.Methods.List {
				for _, name := range m.Names {
					if !documented[name.Name] {
						names = append(names, s.Name.Name+"."+name.Name)
					}
				}
			}
		}
	case *ast.ValueSpec:
		for _, name := range s.Names {
			if name.IsExported() && !group && s.Doc == nil && s.Comment == nil {
				names = append(names, name.Name)
			}
		}
	}
	return names
}

// exportedReceiver tells whether a function has no receiver or that of an exported type.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	t := d.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return false
		}
	}
}

package stack

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// FuzzTemplate resolves all of what may be a template. It must end, without a panic, and give
// every resource ids that are not empty.
func FuzzTemplate(f *testing.F) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range archives {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range archive.Files {
			f.Add(file.Data)
		}
	}
	right, err := os.ReadFile("testdata/right.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(right)
	f.Add([]byte("Resources: {A: {Type: AWS::Lambda::Alias, Properties: {FunctionName: !Ref A}}}"))
	f.Add([]byte("Resources: {A: {Type: AWS::Serverless::Function, Properties: {AutoPublishAlias: !Ref AAliasx}}}"))
	f.Add([]byte("Resources: {A: {Type: AWS::Serverless::WebSocketApi, Properties: {StageName: !Ref AStage}}}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		root, err := parse(data)
		if err != nil {
			return
		}
		p := &problems{file: "template", broken: map[string]bool{}}
		o := &Options{StackName: "s", Region: "us-east-1", Account: "000000000000"}
		tm, err := newTemplate("template", root, o, p)
		if err != nil {
			return
		}
		for _, r := range tm.resources {
			if _, err := tm.resolve(r.props); err != nil {
				continue
			}
			id, err := tm.physical(r)
			arn, attributeErr := tm.attribute(r.entry, r.id, "Arn")
			if r.typ == typeStage || r.id == "" { // a stage without name has been reported
				continue
			}
			if err == nil && id == "" || attributeErr == nil && arn.text == "" {
				t.Errorf("%s has the id %q", r.id, id)
			}
		}
		if outputs, err := tm.resolve(root.get("Outputs")); err == nil {
			outputs.dictionary()
		}
	})
}

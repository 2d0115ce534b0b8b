package lambdahost_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/confab-chat/confab/lambdahost"
)

// hello is a Lambda function in Go.
const hello = `package main

import (
	"fmt"

	"github.com/aws/aws-lambda-go/lambda"
)

type event struct{ Name string }

func handle(e event) (string, error) {
	if e.Name == "" {
		return "", fmt.Errorf("whom?")
	}
	fmt.Println("greeting")
	return "hello " + e.Name, nil
}

func main() { lambda.Start(handle) }
`

// run builds the function, deploys it and invokes it twice.
func run() error {
	code, err := os.MkdirTemp("", "hello-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(code)
	source := filepath.Join(code, "main.go")
	if err := os.WriteFile(source, []byte(hello), 0o600); err != nil {
		return err
	}
	build := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", filepath.Join(code, "bootstrap"), source)
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}

	h, err := lambdahost.New(lambdahost.Config{Log: func(r lambdahost.Record) {
		if r.Kind == lambdahost.KindOutput && r.Text == "greeting" {
			fmt.Printf("%s says: %s\n", r.Function, r.Text)
		}
	}})
	if err != nil {
		return err
	}
	defer h.Close()
	err = h.Deploy(lambdahost.Function{
		Name: "hello", Runtime: "provided.al2023", Handler: "bootstrap", Code: code,
	})
	if err != nil {
		return err
	}
	for _, event := range []string{`{"name":"alice"}`, `{}`} {
		out, err := h.Invoke(context.Background(), lambdahost.Input{
			Function: "hello", Payload: []byte(event),
		})
		if err != nil {
			return err
		}
		fmt.Printf("%s, error: %v\n", out.Payload, out.Err())
	}
	return nil
}

func Example() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
	// Output:
	// hello says: greeting
	// "hello alice", error: <nil>
	// {"errorMessage":"whom?","errorType":"errorString"}, error: whom?
}

// Command confab-lambda is the bootstrap of the deployed functions, for the runtime
// provided.al2023. It is one program for both: the chat, which answers the routes, its own tasks, the
// schedule and direct invocations, and the authorizer. An event's shape says what is to be done.
//
// All settings come from the environment, as deploy/template.yaml sets them: see settings.
package main

import (
	"fmt"
	"log"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	log.SetFlags(0) // the runtime client logs errors as JSON: a date before it would spoil that
	f, err := newFunction(os.Getenv, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "confab-lambda:", err)
		os.Exit(1)
	}
	lambda.Start(f)
}

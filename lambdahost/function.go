package lambdahost

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Function is what is deployed under a name.
type Function struct {
	Name    string // letters, digits, - and _
	Runtime string // provided.al2023, provided.al2, nodejs18.x to 24.x, python3.9 to 3.14
	Handler string // module.function; the executable of provided runtimes is "bootstrap"
	// Code is a folder, which is used where it is, or a zip archive.
	Code string
	// Layers are folders or zip archives, merged in this order, later ones over earlier ones.
	Layers []string

	Version string   // default "$LATEST"
	Aliases []string // by which the function can be invoked as well as by its version

	Env      map[string]string // its own variables, at most 4 KB, none that Lambda reserves
	Timeout  time.Duration     // of an event; default 3 s, at most 15 minutes
	MemoryMB int               // told to the function, and not enforced; default 128
	// Concurrency is how many events may be under way at once, Lambda's reserved concurrency. 0: as
	// many as the host lets; negative: none, as 0 on AWS.
	Concurrency int
	// Credentials are those that the function's SDK finds; default some that are worth nothing.
	Credentials Credentials
	// Debug lifts the limits of time, for somebody who looks at the function in a debugger.
	Debug bool
	// RuntimeArgs are put before the script that runs a handler, as --inspect=9229 for Node.js.
	RuntimeArgs []string
}

// Credentials are what the AWS SDKs of a function sign with.
type Credentials struct{ AccessKeyID, SecretAccessKey, SessionToken string }

// noCredentials sign requests that no real service accepts.
var noCredentials = Credentials{"ASIALAMBDAHOST000000", "lambdahost", "lambdahost"}

var (
	functionName = regexp.MustCompile(`^[a-zA-Z0-9-_]{1,64}$`)
	variableName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]+$`)
)

// reserved are variables that a function cannot set (Developer Guide, "Defined runtime environment
// variables").
var reserved = []string{
	"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV",
	"AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
	"AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
	"AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
	"AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
}

// withDefaults checks f and fills in what is not set.
func (f Function) withDefaults() (Function, error) {
	f.Version = cmp.Or(f.Version, latest)
	f.Timeout = cmp.Or(f.Timeout, defaultTimeout)
	f.MemoryMB = cmp.Or(f.MemoryMB, minMemoryMB)
	f.Credentials = cmp.Or(f.Credentials, noCredentials)
	f.Env = maps.Clone(f.Env)
	switch {
	case !functionName.MatchString(f.Name):
		return f, fmt.Errorf("%q is no name: 1 to 64 letters, digits, - and _", f.Name)
	case f.Code == "":
		return f, errors.New("no code")
	case f.Timeout < time.Second || f.Timeout > MaxTimeout:
		return f, fmt.Errorf("timeout %v is not from 1 s to 15 minutes", f.Timeout)
	case f.MemoryMB < minMemoryMB || f.MemoryMB > maxMemoryMB:
		return f, fmt.Errorf("memory of %d MB is not from 128 to 10,240", f.MemoryMB)
	}
	size := 0
	for name, value := range f.Env {
		size += len(name) + len(value)
		if slices.Contains(reserved, name) {
			return f, fmt.Errorf("variable %s is reserved by Lambda", name)
		}
		if !variableName.MatchString(name) || strings.Contains(value, "\x00") {
			return f, fmt.Errorf("variable %q: Lambda takes no such name or value", name)
		}
	}
	if size > maxEnv {
		return f, fmt.Errorf("variables of %d bytes, at most 4 KB", size)
	}
	return f, nil
}

// latest is the version that has not been published.
const latest = "$LATEST"

// answersTo tells whether the function can be invoked with a qualifier.
func (f *Function) answersTo(qualifier string) bool {
	return qualifier == "" || qualifier == latest || qualifier == f.Version ||
		slices.Contains(f.Aliases, qualifier)
}

package rehearsal

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"strings"

	"github.com/confab-chat/confab/internal/egress"
	"github.com/confab-chat/confab/lambdahost"
	"github.com/confab-chat/confab/stack"
)

// variables are what --env-vars says: by function, and under "Parameters" for all.
type variables map[string]map[string]string

// forAll is the name under which sam local's file has variables of all functions.
const forAll = "Parameters"

// readVariables reads a file as sam local takes it. Numbers and truth values are taken as they
// are written, null as the empty text.
func readVariables(file string) (variables, error) {
	if file == "" {
		return nil, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var raw map[string]map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, fmt.Errorf("%s: want {\"FUNCTION\": {\"VARIABLE\": \"value\"}}, with "+
			"\"Parameters\" for all functions: %w", file, err)
	}
	all := variables{}
	for function, values := range raw {
		all[function] = map[string]string{}
		for name, value := range values {
			text := strings.TrimPrefix(string(value), "null")
			if strings.HasPrefix(text, `"`) {
				_ = json.Unmarshal(value, &text) // it has been read before
			}
			all[function][name] = text
		}
	}
	return all, nil
}

// of gives the variables of a function, by its logical id or its name over those of all.
func (v variables) of(f *stack.Function) map[string]string {
	own := maps.Clone(v[forAll])
	if own == nil {
		own = map[string]string{}
	}
	maps.Copy(own, v[f.Name])
	maps.Copy(own, v[f.LogicalID])
	return own
}

// Variables by which a user gives a function credentials of his own.
const (
	accessKeyID     = "AWS_ACCESS_KEY_ID"
	secretAccessKey = "AWS_SECRET_ACCESS_KEY"
	sessionToken    = "AWS_SESSION_TOKEN"
)

// credentials takes them out of the variables of a function.
func credentials(own map[string]string) lambdahost.Credentials {
	c := lambdahost.Credentials{
		AccessKeyID: own[accessKeyID], SecretAccessKey: own[secretAccessKey],
		SessionToken: own[sessionToken],
	}
	for _, name := range []string{accessKeyID, secretAccessKey, sessionToken} {
		delete(own, name)
	}
	return c
}

// Variables by which Amazon's clients find the services that are here. They win over hosts that
// they would make of the region, and lose to an endpoint in the code, which the gate leads here.
const (
	endpointConnections = "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI"
	endpointDynamoDB    = "AWS_ENDPOINT_URL_DYNAMODB"
	endpointLambda      = "AWS_ENDPOINT_URL_LAMBDA"
	ignoreEndpoints     = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"
)

// everywhere are the variables that all functions have besides Lambda's.
func (r *Runner) everywhere() map[string]string {
	env := map[string]string{endpointLambda: r.invoke, ignoreEndpoints: "false"}
	if r.engine != nil {
		env[endpointDynamoDB] = r.engine.endpoint
	}
	for name, value := range r.gate.Environment(true) {
		if name != nodeOptions { // a function may have its own
			env[name] = value
		}
	}
	return env
}

// nodeOptions is the variable with flags for Node.js.
const nodeOptions = "NODE_OPTIONS"

// environment gives the variables of one function: the template's, over them those of --env-vars
// that the template has too, over them what leads its calls here.
func (r *Runner) environment(f *stack.Function, own map[string]string) map[string]string {
	env := maps.Clone(f.Lambda.Env)
	if env == nil {
		env = map[string]string{}
	}
	for name, value := range own {
		_, declared := env[name]
		if _, all := r.variables[forAll][name]; !declared && all {
			continue // it is for others
		}
		if !declared {
			r.journal.Note(fmt.Sprintf("%s of --env-vars is not in the template's variables of "+
				"%s: it is ignored, as by sam local", name, f.LogicalID))
			continue
		}
		env[name] = value
	}
	common := r.everywhere()
	for name := range common {
		delete(env, name) // the common one is to win
	}
	if api := apiOf(r.current(), f); api != nil {
		env[endpointConnections] = r.endpoint(api)
	}
	node := strings.HasPrefix(f.Lambda.Runtime, "nodejs")
	gate := r.gate.Environment(node)
	for name := range common {
		delete(gate, name)
	}
	egress.Merge(env, gate)
	return env
}

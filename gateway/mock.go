package gateway

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// Mock is a MOCK integration: it answers without a Lambda function. The request template must give
// {"statusCode":200}, or another status, which is also what "" means. The response template is the
// body, which comes to the client where the route has a route response.
//
// Templates are static text with $context.NAME and $stageVariables.NAME, in braces or not; what has
// no value is empty. Of Velocity there is nothing else: other variables and directives are an error.
func Mock(request, response string) (Handler, error) {
	if request == "" {
		request = `{"statusCode":200}`
	}
	status, err := parseTemplate(request)
	if err != nil {
		return nil, fmt.Errorf("gateway: request template: %w", err)
	}
	body, err := parseTemplate(response)
	if err != nil {
		return nil, fmt.Errorf("gateway: response template: %w", err)
	}
	if len(status) == 1 {
		if _, err := mocked(request); err != nil {
			return nil, fmt.Errorf("gateway: request template: %w", err)
		}
	}
	return HandlerFunc(func(_ context.Context, e events.APIGatewayWebsocketProxyRequest) (
		reply events.APIGatewayProxyResponse, err error,
	) {
		text, err := status.render(&e)
		if err != nil {
			return reply, err
		}
		if reply, err = mocked(text); err != nil {
			return reply, err
		}
		reply.Body, err = body.render(&e)
		return reply, err
	}), nil
}

// mocked reads the status of a rendered request template.
func mocked(text string) (events.APIGatewayProxyResponse, error) {
	r, _, err := UnmarshalResponse([]byte(text))
	return events.APIGatewayProxyResponse{StatusCode: r.StatusCode}, err
}

// template is a mapping template: what stands at odd places is a variable.
type template []string

var (
	variable  = regexp.MustCompile(`\$!?(?:\{([^}]*)\}|([A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*|\(.*?\))*))`)
	directive = regexp.MustCompile(`\\\$|#(#|\*|\[\[|\{?(set|if|else|elseif|end|foreach|include|parse|stop|` +
		`break|evaluate|define|macro)\b)`)
)

func parseTemplate(text string) (template, error) {
	if found := directive.FindString(text); found != "" {
		return nil, fmt.Errorf("%q: directives and escapes are not supported", found)
	}
	var t template
	end := 0
	for _, at := range variable.FindAllStringSubmatchIndex(text, -1) {
		name := strings.TrimLeft(text[at[0]:at[1]], "$!")
		name = strings.Trim(name, "{}")
		scope, member, _ := strings.Cut(name, ".")
		if (scope != "context" && scope != "stageVariables") || member == "" ||
			strings.ContainsAny(member, "()") {
			return nil, fmt.Errorf("%q: only $context.NAME and $stageVariables.NAME are supported",
				text[at[0]:at[1]])
		}
		t = append(t, text[end:at[0]], name)
		end = at[1]
	}
	return append(t, text[end:]), nil
}

// render fills a template in for an event.
func (t template) render(e *events.APIGatewayWebsocketProxyRequest) (string, error) {
	if len(t) == 1 {
		return t[0], nil
	}
	o := object{}
	marshalContext(&o, &e.RequestContext)
	known, err := o.end()
	if err != nil {
		return "", err
	}
	var out []byte
	for i, part := range t {
		if i%2 == 0 {
			out = append(out, part...)
			continue
		}
		scope, member, _ := strings.Cut(part, ".")
		if scope == "stageVariables" {
			out = append(out, e.StageVariables[member]...)
			continue
		}
		var path []step
		for name := range strings.SplitSeq(member, ".") {
			path = append(path, step{name: name})
		}
		if value, ok := find(string(known), path, false); ok {
			out = appendText(out, value)
		}
	}
	return string(out), nil
}

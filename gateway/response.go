package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// UnmarshalResponse reads a Lambda function's JSON as API Gateway reads a proxy response. It takes
// null for what is absent, as Go handlers write, and a status as text ("200"), numbers and booleans
// as header values, which the warning then tells of. What is no object or has no status is
// malformed: return the error from a [Handler], and the client is answered as AWS does it.
func UnmarshalResponse(text []byte) (response events.APIGatewayProxyResponse, warning string, err error) {
	members, ok := membersOf(text)
	if !ok {
		return response, "", fmt.Errorf("%w: %.100q is no object, as {\"statusCode\": 200}", errMalformed, text)
	}
	d := responseDecoder{members: members}
	response.StatusCode = d.status()
	response.Headers = d.headers()
	response.MultiValueHeaders = d.multiValueHeaders()
	d.value("body", &response.Body)
	d.value("isBase64Encoded", &response.IsBase64Encoded)
	return response, strings.Join(d.warnings, "; "), d.err
}

// responseDecoder reads the members of a response and keeps the first error.
type responseDecoder struct {
	members  map[string]json.RawMessage
	warnings []string
	err      error
}

func (d *responseDecoder) fail(name string, raw json.RawMessage) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: %s is %.100q", errMalformed, name, raw)
	}
}

func (d *responseDecoder) warn(format string, args ...any) {
	d.warnings = append(d.warnings, fmt.Sprintf(format, args...))
}

// value reads a member that may be absent.
func (d *responseDecoder) value(name string, into any) {
	if raw := d.members[name]; !absent(raw) && json.Unmarshal(raw, into) != nil {
		d.fail(name, raw)
	}
}

// status reads statusCode, which must be there.
func (d *responseDecoder) status() int {
	raw := d.members["statusCode"]
	digits := strings.Trim(string(raw), `"`)
	status, err := strconv.Atoi(digits)
	switch {
	case err != nil:
		d.fail("statusCode", raw)
	case digits != string(raw):
		d.warn("statusCode is the text %s, not a number", raw)
	}
	return status
}

func (d *responseDecoder) headers() map[string]string {
	var values map[string]json.RawMessage
	d.value("headers", &values)
	return convert(values, func(name string, raw json.RawMessage) string { return d.text(name, raw) })
}

func (d *responseDecoder) multiValueHeaders() map[string][]string {
	var values map[string][]json.RawMessage
	d.value("multiValueHeaders", &values)
	return convert(values, func(name string, list []json.RawMessage) (texts []string) {
		for _, raw := range list {
			texts = append(texts, d.text(name, raw))
		}
		return texts
	})
}

// text reads a header's value.
func (d *responseDecoder) text(name string, raw json.RawMessage) (text string) {
	switch {
	case json.Unmarshal(raw, &text) == nil && !absent(raw):
		return text
	case raw[0] == '{' || raw[0] == '[' || absent(raw):
		d.fail("header "+name, raw)
	default:
		d.warn("header %s is %s, not a text", name, raw)
	}
	return string(raw)
}

func convert[V, W any](values map[string]V, change func(string, V) W) map[string]W {
	if values == nil {
		return nil
	}
	changed := make(map[string]W, len(values))
	for name, value := range values {
		changed[name] = change(name, value)
	}
	return changed
}

// JSONHandler makes a Handler of a function that takes and gives JSON, as a Lambda function does,
// wherever it runs: [MarshalEvent] before it, [UnmarshalResponse] after it. A *lambda.Handler's
// Invoke is such a function. warn, unless nil, is told what API Gateway merely tolerates.
func JSONHandler(invoke func(ctx context.Context, event []byte) ([]byte, error), warn func(string)) Handler {
	return HandlerFunc(func(ctx context.Context, event events.APIGatewayWebsocketProxyRequest) (
		response events.APIGatewayProxyResponse, err error,
	) {
		text, err := MarshalEvent(event)
		if err != nil {
			return response, err
		}
		answer, err := invoke(ctx, text)
		if err != nil {
			return response, err
		}
		response, warning, err := UnmarshalResponse(answer)
		if warning != "" && warn != nil {
			warn(warning)
		}
		return response, err
	})
}

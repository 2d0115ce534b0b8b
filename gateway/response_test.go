package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// lambda is a Lambda function that gives one JSON text whatever it is asked, and what warnings it
// has earned.
func lambda(answer string) (Handler, *[]string) {
	warnings := new([]string)
	invoke := func(context.Context, []byte) ([]byte, error) { return []byte(answer), nil }
	return JSONHandler(invoke, func(text string) { *warnings = append(*warnings, text) }), warnings
}

func TestGW13_NullsAreAbsent(t *testing.T) {
	// aws-lambda-go writes this for a response with a status alone.
	h, warnings := lambda(`{"statusCode":200,"headers":null,"multiValueHeaders":null,"body":""}`)
	r := run(t, Config{Routes: all(h)})
	wantHead(t, r.handshake(t, "/prod"), 101, "")

	h, _ = lambda(`{"statusCode":401,"headers":null,"multiValueHeaders":null,"body":null,"isBase64Encoded":null}`)
	wantHead(t, run(t, Config{Routes: all(h)}).handshake(t, "/prod"), 401, "")
	if len(*warnings) > 0 {
		t.Errorf("warnings %q", *warnings)
	}
}

func TestGW14_StatusMayBeText(t *testing.T) {
	h, warnings := lambda(`{"statusCode":"401","body":"no"}`)
	wantHead(t, run(t, Config{Routes: all(h)}).handshake(t, "/prod"), 401, "no")
	if len(*warnings) != 1 || !strings.Contains((*warnings)[0], `statusCode is the text "401"`) {
		t.Errorf("warnings %q", *warnings)
	}
	for _, text := range []string{`"no"`, `""`, `"4 1"`} {
		h, _ := lambda(`{"statusCode":` + text + `}`)
		if c := run(t, Config{Routes: all(h)}).handshake(t, "/prod"); c.head.StatusCode != http.StatusBadGateway {
			t.Errorf("%s: %s", text, c.head.Status)
		}
	}
}

func TestGW49_MalformedResultIsAFrame(t *testing.T) {
	for name, answer := range map[string]string{
		"text": `"hello"`, "number": `200`, "array": `[{"statusCode":200}]`, "null": `null`,
		"nothing": ``, "no JSON": `{"statusCode":200`, "no status": `{"body":"hello"}`,
		"status null": `{"statusCode":null}`, "status spelled": `{"StatusCode":200}`,
		"status of 600": `{"statusCode":600}`, "body is an object": `{"statusCode":200,"body":{"a":1}}`,
		"headers are a list": `{"statusCode":200,"headers":[]}`,
		"header is a list":   `{"statusCode":200,"headers":{"a":["b"]}}`,
	} {
		t.Run(name, func(t *testing.T) {
			h, _ := lambda(answer)
			for _, response := range []bool{false, true} {
				got := answersOnce(t, Config{}, response, h)
				if len(got) != 1 || !strings.HasPrefix(got[0], `{"message": "Internal server error", "connectionId":"`) {
					t.Errorf("frames %q", got)
				}
			}
		})
	}
}

func TestUnmarshalResponse(t *testing.T) {
	got, warning, err := UnmarshalResponse([]byte(` {"statusCode":301,"headers":{"Location":"/x","N":7},
		"multiValueHeaders":{"A":["1","2"],"B":[true]},"body":"aGk=","isBase64Encoded":true,"more":{}} `))
	if err != nil {
		t.Fatal(err)
	}
	want := reply{
		StatusCode: 301, Headers: map[string]string{"Location": "/x", "N": "7"},
		MultiValueHeaders: map[string][]string{"A": {"1", "2"}, "B": {"true"}},
		Body:              "aGk=", IsBase64Encoded: true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if warning != "header N is 7, not a text; header B is true, not a text" {
		t.Errorf("warning %q", warning)
	}
}

func TestJSONHandler(t *testing.T) {
	seen := make(chan string, 1)
	broken := errors.New("broken")
	h := JSONHandler(func(_ context.Context, text []byte) ([]byte, error) {
		seen <- string(text)
		return nil, broken
	}, nil)
	e := event{Body: "hello"}
	e.RequestContext.EventType = "MESSAGE"
	if _, err := h.Handle(context.Background(), e); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	var decoded map[string]any
	if err := json.Unmarshal([]byte(<-seen), &decoded); err != nil || decoded["body"] != "hello" {
		t.Errorf("event %v %v", decoded, err)
	}
}

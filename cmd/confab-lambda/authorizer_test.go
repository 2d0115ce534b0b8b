package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/confab-chat/confab/internal/testissuer"
)

const methodARN = "arn:aws:execute-api:eu-west-1:123456789012:abc/production/$connect"

// authorizer makes the authorizer of an issuer as a cold start does: it has no table.
func authorizer(t *testing.T, issuer string) *function { return authorizerTo(t, issuer, io.Discard) }

// authorizerTo is one that logs to out.
func authorizerTo(t *testing.T, issuer string, out io.Writer) *function {
	t.Helper()
	f, err := newFunction(from(map[string]string{
		"CONFAB_ISSUER": issuer, "CONFAB_AUDIENCE": "other, " + testissuer.ClientID,
	}), out)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func ask(t *testing.T, f *function, headers, query map[string]string) (map[string]any, error) {
	t.Helper()
	event, err := json.Marshal(map[string]any{
		"type": "REQUEST", "methodArn": methodARN, "headers": headers,
		"queryStringParameters": query, "requestContext": map[string]any{"eventType": "CONNECT"},
	})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := f.Invoke(t.Context(), event)
	if err != nil {
		return nil, err
	}
	var said map[string]any
	if err := json.Unmarshal(answer, &said); err != nil {
		t.Fatal(err)
	}
	return said, nil
}

func policy(effect string) any {
	return map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
		"Action": []any{"execute-api:Invoke"}, "Effect": effect, "Resource": []any{methodARN},
	}}}
}

func TestAuthorize_allows(t *testing.T) {
	issuer := testissuer.New(t, time.Now)
	f := authorizer(t, issuer.URL)
	token := issuer.Token(map[string]any{"sub": "alice"})
	for name, shown := range map[string]struct {
		headers, query map[string]string
		protocol       any
	}{
		"sub-protocol": {map[string]string{"Sec-WebSocket-Protocol": "confab, " + token}, nil, "confab"},
		"bearer":       {map[string]string{"Authorization": "Bearer " + token}, nil, nil},
		"query":        {nil, map[string]string{"token": token}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			said, err := ask(t, f, shown.headers, shown.query)
			if err != nil {
				t.Fatal(err)
			}
			values, _ := said["context"].(map[string]any)
			if values["user"] != "alice" || values["protocol"] != shown.protocol {
				t.Errorf("context %v, want alice and %v", values, shown.protocol)
			}
			if said["principalId"] != "alice" {
				t.Errorf("principal %v", said["principalId"])
			}
			if diff := cmp.Diff(policy("Allow"), said["policyDocument"]); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Who shows no good token is Unauthorized in the very word that API Gateway answers with 401; who
// asks for another's name is denied, which it answers with 403.
func TestAuthorize_refuses(t *testing.T) {
	issuer := testissuer.New(t, time.Now)
	f := authorizer(t, issuer.URL)
	stale := issuer.Token(map[string]any{"exp": time.Now().Add(-time.Hour).Unix()})
	for name, query := range map[string]map[string]string{
		"nothing": nil, "rubbish": {"token": "a.b.c"}, "over": {"token": stale},
		"for others": {"token": issuer.Token(map[string]any{"aud": "somebody"})},
	} {
		t.Run(name, func(t *testing.T) {
			if said, err := ask(t, f, nil, query); err == nil || err.Error() != "Unauthorized" {
				t.Errorf("%v, %v, want Unauthorized", said, err)
			}
		})
	}
	token := issuer.Token(map[string]any{"sub": "mallory"})
	said, err := ask(t, f, nil, map[string]string{"token": token, "name": "alice"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(policy("Deny"), said["policyDocument"]); diff != "" {
		t.Error(diff)
	}
	if said["context"] != nil {
		t.Errorf("a denial says who it is: %v", said["context"])
	}
}

// Nothing of a token is logged, be it good, refused for whatever reason, or none at all.
func TestAuthorize_logsNoToken(t *testing.T) {
	issuer := testissuer.New(t, time.Now)
	var out bytes.Buffer
	f := authorizerTo(t, issuer.URL, &out)
	for name, token := range map[string]string{
		"good":       issuer.Token(map[string]any{"sub": "alice"}),
		"over":       issuer.Token(map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}),
		"for others": issuer.Token(map[string]any{"aud": "somebody"}),
		"no name":    issuer.Token(map[string]any{"sub": "c4n4ry c4n4ry"}),
		"changed":    issuer.Token(nil) + "c4n4ry",
		"no token":   "c4n4ry.c4n4ry.c4n4ry",
		"no parts":   "c4n4ry",
	} {
		for _, headers := range []map[string]string{
			nil, {"Sec-WebSocket-Protocol": "confab, " + token}, {"Authorization": "Bearer " + token},
		} {
			out.Reset()
			_, err := ask(t, f, headers, map[string]string{"token": token, "name": "mallory"})
			if err == nil && name != "good" && name != "no name" {
				t.Errorf("%s: it is let in", name)
			}
			for part := range strings.SplitSeq(token, ".") {
				if said := fmt.Sprint(out.String(), err); strings.Contains(said, part) {
					t.Errorf("%s: %s", name, said)
				}
			}
			if out.Len() == 0 {
				t.Errorf("%s: a refusal is not logged", name)
			}
		}
	}
}

// An issuer that cannot be asked is not the client's fault: API Gateway answers 500.
func TestAuthorize_issuerIsDown(t *testing.T) {
	issuer := testissuer.New(t, time.Now)
	token := issuer.Token(nil)
	issuer.Down(true)
	said, err := ask(t, authorizer(t, issuer.URL), nil, map[string]string{"token": token})
	if err == nil || err.Error() == "Unauthorized" {
		t.Errorf("%v, %v, want another error than Unauthorized", said, err)
	}
}

package testenv_test

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/confab-chat/confab/chatapi"
	"github.com/confab-chat/confab/internal/testenv"
)

// invokable is a handler that may be invoked beside the gateway, as a Lambda function may.
type invokable interface {
	Invoke(ctx context.Context, requestID string, payload []byte) (chatapi.Response, error)
}

// TestDialects_Invocation does what the direct-message write-up does by `aws lambda invoke`: the payload
// is its own but for the endpoint.
func TestDialects_Invocation(t *testing.T) {
	for _, store := range []string{"memstore", "dynamostore"} {
		t.Run("cold+"+store, func(t *testing.T) {
			t.Parallel()
			var function atomic.Value
			options := onceInOrder
			options.WrapHandler = func(h testenv.Handler) testenv.Handler {
				function.Store(h)
				return h
			}
			e := testenv.Start(t, "cold", store, options)
			one, two, nina := dialAs(t, e, direct, ""), dialAs(t, e, direct, ""), e.Dial(t, "nina")
			invoke := func(id, endpoint string) chatapi.Response {
				payload := fmt.Sprintf(`{"action": "sendmessage", "message": "Hello from CLI!", "apigw_endpoint": %q}`, endpoint)
				result, err := function.Load().(invokable).Invoke(t.Context(), id, []byte(payload))
				if err != nil {
					t.Fatal(err)
				}
				return result
			}
			own := "http" + e.URLs[0][len("ws"):]
			for range 2 { // as Lambda repeats an asynchronous invocation: it is said once
				if r := invoke("r1", own); r.StatusCode != http.StatusOK || r.Body != `{"status":"Message sent"}` {
					t.Errorf("the result is %d %s", r.StatusCode, r.Body)
				}
			}
			for _, c := range []*testenv.Client{one, two} {
				gets(t, c, "Hello from CLI!")
			}
			gets(t, nina, said(chatapi.Operator, "Hello from CLI!"))
			for _, endpoint := range []string{"https://evil.example/production", own + ".evil.example", ""} {
				if r := invoke("r2", endpoint); r.StatusCode != http.StatusBadRequest {
					t.Errorf("%q: the result is %d %s", endpoint, r.StatusCode, r.Body)
				}
			}
			silent(t, one, two, nina)
		})
	}
}

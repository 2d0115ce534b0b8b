package auth

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/confab-chat/confab/chat"
)

// What an authorizer says crosses API Gateway as JSON of plain values.
func TestAuthorized_Identify(t *testing.T) {
	for name, want := range map[string]Identity{
		"a token": {
			User: "alice", Session: TokenSession, Until: time.Unix(1790299458, 0), Protocol: Protocol,
		},
		"no end and no protocol": {User: "bob", Session: TokenSession},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := json.Marshal(want.Context())
			if err != nil {
				t.Fatal(err)
			}
			var seen map[string]any
			if err := json.Unmarshal(text, &seen); err != nil {
				t.Fatal(err)
			}
			for name, value := range seen {
				switch value.(type) {
				case string, float64, bool: // all that API Gateway carries
				default:
					t.Errorf("%s is a %T", name, value)
				}
			}
			got, err := Authorized{}.Identify(t.Context(), Request{Authorizer: seen})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAuthorized_Identify_refuses(t *testing.T) {
	for name, r := range map[string]Request{
		"no authorizer":           {},
		"an authorizer's silence": {Authorizer: map[string]any{"principalId": "alice"}},
		"what the client says": {
			Query:   map[string]string{"user": "alice", "name": "alice"},
			Headers: map[string]string{"user": "alice"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := (Authorized{}).Identify(t.Context(), r); !chat.Is(err, chat.Unauthenticated) {
				t.Errorf("%+v, %v, want unauthenticated", got, err)
			}
		})
	}
}

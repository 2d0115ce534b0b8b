package main

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/aws/aws-lambda-go/events"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
)

// handshake is the part of an authorizer's event that matters.
type handshake struct {
	MethodARN string            `json:"methodArn"`
	Headers   map[string]string `json:"headers"`
	Query     map[string]string `json:"queryStringParameters"`
}

// errUnauthorized has the very text that API Gateway answers with 401 (Developer Guide, "Create an
// API Gateway WebSocket API with Lambda REQUEST authorizer functions").
var errUnauthorized = errors.New("Unauthorized")

// authorize decides about a handshake: an allowance with the identity as its context, a denial (403),
// errUnauthorized (401), or an error (500) when the issuer cannot be asked.
func (f *function) authorize(ctx context.Context, payload []byte) ([]byte, error) {
	var h handshake
	if err := json.Unmarshal(payload, &h); err != nil || h.MethodARN == "" {
		return nil, errShape
	}
	who, err := f.tokens.Identify(ctx, auth.Request{Query: h.Query, Headers: h.Headers})
	switch {
	case err == nil:
		return json.Marshal(verdict("Allow", who.User, h.MethodARN, who.Context()))
	case chat.Is(err, chat.Unauthenticated):
		f.logger.InfoContext(ctx, "refused", "error", err)
		return nil, errUnauthorized
	case chat.Is(err, chat.Forbidden):
		f.logger.InfoContext(ctx, "refused", "error", err)
		return json.Marshal(verdict("Deny", "nobody", h.MethodARN, nil))
	}
	f.logger.ErrorContext(ctx, "the issuer cannot be asked", "error", err)
	return nil, err
}

func verdict(
	effect, principal, resource string, values map[string]any,
) events.APIGatewayCustomAuthorizerResponse {
	return events.APIGatewayCustomAuthorizerResponse{
		PrincipalID: principal,
		PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{
			Version: "2012-10-17",
			Statement: []events.IAMPolicyStatement{{
				Action: []string{"execute-api:Invoke"}, Effect: effect, Resource: []string{resource},
			}},
		},
		Context: values,
	}
}

// Command gone posts to a connection and tells which error Amazon's client makes of the answer.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"
)

// message is what the client sends: a connection, and where to post, "" for what the variable says.
type message struct{ ID, Endpoint string }

func handle(ctx context.Context, e events.APIGatewayWebsocketProxyRequest) (
	events.APIGatewayProxyResponse, error,
) {
	answer := events.APIGatewayProxyResponse{StatusCode: 200}
	var m message
	if err := json.Unmarshal([]byte(e.Body), &m); err != nil {
		return answer, err
	}
	options := apigatewaymanagementapi.Options{
		Region: os.Getenv("AWS_REGION"),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{
				AccessKeyID:     os.Getenv("AWS_ACCESS_KEY_ID"),
				SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
				SessionToken:    os.Getenv("AWS_SESSION_TOKEN"),
			}, nil
		}),
	}
	if m.Endpoint == "" { // the config module would read it
		m.Endpoint = os.Getenv("AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI")
	}
	options.BaseEndpoint = aws.String(m.Endpoint)
	_, err := apigatewaymanagementapi.New(options).PostToConnection(ctx,
		&apigatewaymanagementapi.PostToConnectionInput{ConnectionId: &m.ID, Data: []byte("x")})
	var gone *types.GoneException
	switch {
	case errors.As(err, &gone):
		answer.Body = "GoneException"
	case err != nil:
		answer.Body = err.Error()
	default:
		answer.Body = "posted"
	}
	return answer, nil
}

func main() { lambda.Start(handle) }

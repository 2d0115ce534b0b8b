// Command direct-go is one Lambda function, a bootstrap of provided.al2023, behind the five routes of
// a small WebSocket API: broadcasts, and direct messages by connection id.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/confab-chat/confab/connections"
)

func main() {
	log.SetFlags(0) // CloudWatch has the time
	gateway, err := connections.New(connections.Config{
		Endpoint:     os.Getenv("AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI"), // set by the template
		Region:       os.Getenv("AWS_REGION"),
		AccessKey:    os.Getenv("AWS_ACCESS_KEY_ID"),
		SecretKey:    os.Getenv("AWS_SECRET_ACCESS_KEY"),
		SessionToken: os.Getenv("AWS_SESSION_TOKEN"),
	})
	if err != nil {
		log.Fatal(err)
	}
	h := &handler{
		table:    table{client: dynamoDB(), name: os.Getenv("TABLE")},
		gateway:  gateway,
		endpoint: os.Getenv("AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI"),
	}
	lambda.Start(h.handle)
}

// dynamoDB makes a client from the environment of a Lambda function. The SDK's config package would do
// it too, and look in many more places for what is never there, at each cold start.
func dynamoDB() *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region: os.Getenv("AWS_REGION"),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{
				AccessKeyID:     os.Getenv("AWS_ACCESS_KEY_ID"),
				SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
				SessionToken:    os.Getenv("AWS_SESSION_TOKEN"),
			}, nil
		}),
	}, func(o *dynamodb.Options) {
		if endpoint := os.Getenv("AWS_ENDPOINT_URL_DYNAMODB"); endpoint != "" { // in tests
			o.BaseEndpoint = &endpoint
		}
	})
}

package gateway_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/coder/websocket"

	"github.com/confab-chat/confab/connections"
	"github.com/confab-chat/confab/gateway"
)

// A Lambda handler that shouts back, tested with a real WebSocket client. The route has a route
// response: what the handler returns goes to the sender.
func Example() {
	shout := func(_ context.Context, e events.APIGatewayWebsocketProxyRequest) (
		events.APIGatewayProxyResponse, error,
	) {
		return events.APIGatewayProxyResponse{StatusCode: 200, Body: strings.ToUpper(e.Body)}, nil
	}
	api, err := gateway.New(gateway.Config{
		Stages: []gateway.Stage{{Name: "prod"}},
		Routes: map[string]gateway.Route{
			"$default": {Handler: gateway.HandlerFunc(shout), Response: true},
		},
	})
	if err != nil {
		panic(err)
	}
	server := httptest.NewServer(api)
	defer server.Close()
	ctx := context.Background()
	client, _, err := websocket.Dial(ctx, server.URL+"/prod", nil)
	if err != nil {
		panic(err)
	}
	defer client.CloseNow()
	client.Write(ctx, websocket.MessageText, []byte("hello"))
	_, answer, _ := client.Read(ctx)
	fmt.Println(string(answer))
	// Output: HELLO
}

// A Lambda handler that posts to the connection that has sent it a message. One that uses an AWS SDK
// finds the same at the server's /prod, with Config.ServeConnections.
func ExampleAPI_Post() {
	var api *gateway.API
	greet := func(ctx context.Context, e events.APIGatewayWebsocketProxyRequest) (
		events.APIGatewayProxyResponse, error,
	) {
		to := []connections.Target{{ID: e.RequestContext.ConnectionID}}
		_, _, err := api.Post(ctx, to, [][]byte{[]byte("hello, " + e.Body)})
		return events.APIGatewayProxyResponse{StatusCode: 200}, err
	}
	api, err := gateway.New(gateway.Config{
		Stages: []gateway.Stage{{Name: "prod"}},
		Routes: map[string]gateway.Route{"$default": {Handler: gateway.HandlerFunc(greet)}},
	})
	if err != nil {
		panic(err)
	}
	server := httptest.NewServer(api)
	defer server.Close()
	ctx := context.Background()
	client, _, err := websocket.Dial(ctx, server.URL+"/prod", nil)
	if err != nil {
		panic(err)
	}
	defer client.CloseNow()
	client.Write(ctx, websocket.MessageText, []byte("alice"))
	_, answer, _ := client.Read(ctx)
	fmt.Println(string(answer))
	// Output: hello, alice
}

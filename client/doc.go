// Package client takes part in a Confab chat.
//
//	c, err := client.Dial(ctx, "ws://127.0.0.1:8080/production", client.Name("alice"))
//	...
//	defer c.Close()
//	sent, err := c.Send(ctx, "lobby", "hello") // returns when it is stored
//	for event, err := range c.Events(ctx) {
//		...
//	}
package client

// Package client takes part in a Confab chat: on `confab serve`, and on a stage of API Gateway in the
// same way. A bot that answers is this:
//
//	c, err := client.Dial(ctx, "ws://127.0.0.1:8080/production", client.Name("bot"))
//	if err != nil {
//		return err
//	}
//	defer c.Close()
//	for event, err := range c.Events(ctx) {
//		if err != nil {
//			return err // ctx has ended, or the client for good
//		}
//		m, ok := event.(client.Message)
//		if !ok || m.From == c.User() || m.Text != "ping" {
//			continue
//		}
//		if _, err := c.Send(ctx, m.Room, "pong"); err != nil {
//			return err
//		}
//	}
//
// # Guarantees
//
// The connection is made again whenever it is lost, and before the server ends it. Each message of
// the rooms that one is in is an event exactly once, those of a room in the order of their numbers:
// what was missed meanwhile, or on the way, is fetched. Where that cannot be, because the server
// was restored from a backup or keeps old messages no longer, a [Reset] says so. Across runs of a
// program [From] takes up the thread, given the cursors of the messages that were dealt with.
//
// [Client.Send] returns when the message is stored, with its number. A message keeps its id until
// then, however often it has to be sent, and is stored once. With [Outbox] that is so across runs of
// the program as well.
//
// # Slow callers
//
// The server is answered by goroutines of the client, never by the caller's, so that a loop over
// [Client.Events] may take its time, and may send. At most as many events wait as [Buffer] says. Of
// messages beyond it only the place in the room is kept: they are fetched when the caller gets
// there. Other events are dropped then, and [Missed] counts them.
//
// # Errors
//
// The server's refusals are an [Error], to be compared by [errors.Is] with ErrNotFound, ErrTaken and
// so on. Lost connections are no errors of the calls that wait meanwhile: their contexts bound how
// long. What no new attempt can mend, as ErrUnauthenticated, ends the client, and every call tells it.
//
// # Signing in
//
// Where names need no proof, [Name] is enough. Else [SignedIn] uses the session that `confab login`
// has kept on this machine, [Bearer] one from elsewhere, and [Ticket] what is sent as a subprotocol.
// They are shown to the server of the address alone; over ws:// on a network anybody on the way
// reads them.
package client

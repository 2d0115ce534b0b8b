package testenv_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/confab-chat/confab/internal/testenv"
)

// TestDialects_TwoGateways: names of the lounge and everything else hold across two gateways on one
// store, each event being handled by another process on the cold host.
func TestDialects_TwoGateways(t *testing.T) {
	options := onceInOrder
	options.Gateways = 2
	testenv.Each(t, options, func(t *testing.T, e *testenv.Env) {
		lena := enter(t, e, 0, "Lena")
		lou := enter(t, e, 1, "Lou", lena)
		lena.Send(`{"action":"sendPublic","message":"who is there?"}`)
		for _, c := range []*testenv.Client{lena, lou} {
			gets(t, c, `{"publicMessage":"Lena: who is there?"}`)
		}
		lou.Send(`{"action":"sendPrivate","to":"Lena","message":"I am"}`)
		gets(t, lena, `{"privateMessage":"Lou: I am"}`)
		lou.Send(`{"action":"setName","name":"Lena"}`)
		gets(t, lou, `{"event":"error","code":"taken","message":"$any","requestId":"$any"}`)

		dora, dan := dialGateway(t, e, 0, directory, "dora"), dialGateway(t, e, 1, directory, "dan")
		dora.Send(`{"action":"send","message":"hi","send_to":"dan","sent_by":"dora"}`)
		gets(t, dan, mail("dora", "hi"))
		ben, dirk := dialGateway(t, e, 0, broadcast, "ben"), dialGateway(t, e, 1, direct, "dirk")
		dirk.Send(`{"action":"sendMessage","message":"to all"}`)
		for _, c := range []*testenv.Client{ben, dirk} {
			gets(t, c, "to all")
		}
		for _, c := range []*testenv.Client{lena, lou} {
			gets(t, c, `{"publicMessage":"dirk: to all"}`)
		}
		lou.Kill()
		gets(t, lena, `{"systemMessage":"Lou has left the chat"}`, `{"members":["Lena"]}`)
		silent(t, lena, dora, dan, ben, dirk)
	})
}

// TestDialects_Identity: what a name decides is decided by the connection.
func TestDialects_Identity(t *testing.T) {
	testenv.Each(t, onceInOrder, func(t *testing.T, e *testenv.Env) {
		// The second device of a user takes nothing from the first.
		nina, first := e.Dial(t, "nina"), dialAs(t, e, directory, "dora")
		second := dialAs(t, e, directory, "dora")
		for _, text := range []string{"to both", "to both again"} {
			tell(nina, "dora", text)
			gets(t, first, mail("nina", text))
			gets(t, second, mail("nina", text))
		}
		first.Send(`{"action":"send","message":"to nobody but nina","send_to":"nina","sent_by":"dora"}`)
		nina.Await("the message", func(f testenv.Frame) bool { return f.From == "dora" })
		silent(t, first, second)
		leave(t, e, first, 2)
		tell(nina, "dora", "to the other")
		gets(t, second, mail("nina", "to the other"))

		// A name of the lounge is free again when its connection has gone, and not before.
		lena := enter(t, e, 0, "Lena")
		other := dialAs(t, e, lounge, "")
		other.Send(`{"action":"setName","name":"lena"}`)
		gets(t, other, `{"event":"error","code":"taken","message":"$any","requestId":"$any"}`)
		leave(t, e, lena, 3)
		other.Send(`{"action":"setName","name":"Lena"}`)
		gets(t, other, `{"members":["Lena"]}`, `{"systemMessage":"Lena has joined the chat"}`)
		silent(t, second, other)

		// Two connections of one user of the lounge are one in the list, and both get what is for it.
		other.Close()
		awaitConnections(t, e, 2)
		// That she has left may not be noted yet. Who comes before that has not come anew.
		if _, err := e.Connections.Announce(t.Context(), "Lena", false, time.Now()); err != nil {
			t.Fatal(err)
		}
		laptop := dialAs(t, e, lounge, "Lena")
		gets(t, laptop, `{"members":["Lena"]}`, `{"systemMessage":"Lena has joined the chat"}`)
		phone := dialAs(t, e, lounge, "Lena")
		for _, c := range []*testenv.Client{laptop, phone} {
			gets(t, c, `{"members":["Lena"]}`)
		}
		lou := enter(t, e, 0, "Lou", laptop, phone)
		lou.Send(`{"action":"sendPrivate","to":"Lena","message":"to both"}`)
		for _, c := range []*testenv.Client{laptop, phone} {
			gets(t, c, `{"privateMessage":"Lou: to both"}`)
		}
		leave(t, e, phone, 4) // Lena is still there
		lou.Send(`{"action":"sendPrivate","to":"Lena","message":"to one"}`)
		gets(t, laptop, `{"privateMessage":"Lou: to one"}`)
		leave(t, e, laptop, 3)
		gets(t, lou, `{"systemMessage":"Lena has left the chat"}`, `{"members":["Lou"]}`)
		silent(t, lou)
	})
}

// TestDialects_DoubledEvents: every event comes twice. What is said comes once all the same, though the
// frames have nothing by which a client could tell a copy. On DynamoDB the helper of a send that is under
// way may push it as well.
func TestDialects_DoubledEvents(t *testing.T) {
	testenv.Each(t, testenv.Options{DoubleOneIn: 1}, func(t *testing.T, e *testenv.Env) {
		ben, bill := dialAs(t, e, broadcast, "ben"), dialAs(t, e, broadcast, "bill")
		dora, dan := dialAs(t, e, directory, "dora"), dialAs(t, e, directory, "dan")
		lena := enter(t, e, 0, "Lena")
		const each = 10
		for n := range each {
			ben.Send(`{"action":"sendMessage","message":"text %d"}`, n)
			bill.Await("the text", has(fmt.Sprintf("text %d", n)))
			dora.Send(`{"action":"send","message":"mail %d","send_to":"dan","sent_by":"dora"}`, n)
			dan.Await("the mail", has(fmt.Sprintf("mail %d", n)))
			lena.Send(`{"action":"sendPublic","message":"words %d"}`, n)
			for _, c := range []*testenv.Client{ben, bill, lena} {
				c.Await("the words", has(fmt.Sprintf("words %d", n)))
			}
		}
		e.Stop() // nothing is under way after it
		for _, try := range []struct {
			c    *testenv.Client
			part string
			want int
		}{
			{bill, "text", each},
			{bill, "words", each},
			{ben, "text", 0},
			{ben, "words", each},
			{dan, "mail", each},
			{dora, "mail", 0},
			{lena, "text", each},
			{lena, "words", each},
		} {
			got := try.c.Count(has(try.part + " "))
			if got != try.want && (e.Store != "dynamostore" || got < try.want) {
				t.Errorf("%s got %d frames with %q, want %d", try.c.User, got, try.part, try.want)
			}
		}
	})
}

// TestDialects_GoClient does what the Go client of the direct-message write-up does: it connects, asks
// for its connection id, keeps alive by pings, and connects again when the connection is lost.
func TestDialects_GoClient(t *testing.T) {
	options := onceInOrder
	options.Dialect = direct
	testenv.Each(t, options, func(t *testing.T, e *testenv.Env) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		ids := map[string]bool{}
		for range 3 {
			conn, _, err := websocket.Dial(ctx, e.URLs[0]+"/", nil) //nolint:bodyclose // the library closes it
			if err != nil {
				t.Fatal(err)
			}
			ask := func(request string) []byte {
				t.Helper()
				if err := conn.Write(ctx, websocket.MessageText, []byte(request)); err != nil {
					t.Fatal(err)
				}
				_, text, err := conn.Read(ctx)
				if err != nil {
					t.Fatal(err)
				}
				return text
			}
			var reply map[string]string
			text := ask(`{ "action": "getConnectionId" }`)
			if err := json.Unmarshal(text, &reply); err != nil || len(reply) != 1 || reply["connectionId"] == "" {
				t.Fatalf("the reply is %s", text)
			}
			id := reply["connectionId"]
			if ids[id] {
				t.Errorf("two connections have the id %s", id)
			}
			ids[id] = true
			reading := conn.CloseRead(ctx)
			if err := conn.Ping(ctx); err != nil {
				t.Errorf("a ping is not answered: %v", err)
			}
			if reading.Err() != nil {
				t.Errorf("the ping has ended the connection")
			}
			_ = conn.CloseNow() // as a lost network does
		}
	})
}

// TestDialects_Endpoint: a frame may name the deployment's own endpoint, as the write-up's payload does.
func TestDialects_Endpoint(t *testing.T) {
	testenv.Each(t, inOrder, func(t *testing.T, e *testenv.Env) {
		before := lobby(t, e)
		dirk := dialAs(t, e, direct, "dirk")
		own := "http" + e.URLs[0][len("ws"):]
		dirk.Send(`{"action": "sendmessage", "message": "Hello from CLI!", "apigw_endpoint": %q}`, own)
		gets(t, dirk, "Hello from CLI!")
		dirk.Send(`{"action": "sendMessage", "message": "once more", "apigw_endpoint": "%s/"}`, own)
		gets(t, dirk, "once more")
		for _, other := range []string{own + "x", own + "/..", "https://evil.example/production", "x"} {
			dirk.Send(`{"action": "sendmessage", "message": "to nobody", "apigw_endpoint": %q}`, other)
			f := dirk.Next()
			f.Is(t, `{"event":"error","code":"bad_field","message":"$any","requestId":"$any"}`)
			namesField(t, f, "apigw_endpoint")
		}
		silent(t, dirk)
		page, err := e.Dial(t, "nina").Fetch("lobby", before)
		if err != nil || len(page) != 2 {
			t.Errorf("%d messages are stored, want 2: %v", len(page), err)
		}
	})
}

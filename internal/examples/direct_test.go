package examples

import (
	"encoding/json"
	"testing"
	"time"
)

func TestDirect(t *testing.T) {
	for _, name := range []string{"direct-python", "direct-go"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := start(t, name)
			one, two := a.dial("one", "/"), a.dial("two", "/")
			two.send(`{"action":"getConnectionId"}`)
			var answer struct{ ConnectionID string }
			frame := two.next()
			if err := json.Unmarshal([]byte(frame), &answer); err != nil || answer.ConnectionID == "" {
				t.Fatalf("getConnectionId is answered %s", frame)
			}
			id := answer.ConnectionID
			two.send(`{"action":"getConnectionId"}`)
			two.hearsJSON(`{"connectionId":"` + id + `"}`)
			if a.rows("ConnectionsTable", "connectionId")[id] == nil {
				t.Errorf("%s is not in the table", id)
			}

			one.send(`{"action":"sendDirect","connectionId":"%s","operationType":"signing","message":{"txId":"abc123","signature":"0xdeadbeef"}}`, id)
			two.hearsJSON(`{"operationType":"signing","message":{"txId":"abc123","signature":"0xdeadbeef"}}`)
			for _, message := range []string{`null`, `[1.5,12345678901234567890,"é<&>"]`, `""`, `false`} {
				one.send(`{"action":"sendDirect","connectionId":"%s","operationType":"any","message":%s}`, id, message)
				two.hearsJSON(`{"operationType":"any","message":` + message + `}`)
			}
			directErrors(t, one, id)

			one.send(`{"action":"sendMessage","message":"to all"}`)
			one.hears("to all") // the sender too, and nothing in between
			two.hears("to all")
			invocations(t, a, one, two)
			directGhosts(t, a, one, two, id)
			a.rights.allUsed()
		})
	}
}

// directErrors sends what is refused.
func directErrors(t *testing.T, one *client, id string) {
	t.Helper()
	const notOpen = "connectionId: that connection is not open"
	for _, test := range []struct{ members, want string }{
		{`"operationType":"x","message":1`, "connectionId must be the id of a connection"},
		{`"connectionId":"","operationType":"x","message":1`, "connectionId must be the id of a connection"},
		{`"connectionId":"` + id + `","message":1`, "operationType must be a text, and not empty"},
		{`"connectionId":"` + id + `","operationType":"x"`, "message is missing"},
		{`"connectionId":"never-was=","operationType":"x","message":1`, notOpen},
	} {
		one.send(`{"action":"sendDirect",%s}`, test.members)
		one.hearsError(test.want)
	}
	for _, members := range []string{``, `,"message":" "`, `,"message":"` + long(t, 4001) + `"`} {
		one.send(`{"action":"sendMessage"%s}`, members)
		one.hearsError("message must be a text of 1 to 4000 characters")
	}
	one.send(`{"action":"sendMessage","message":"x","apigw_endpoint":"https://elsewhere.example"}`)
	one.hearsError("apigw_endpoint is not this API's")
	one.send(`{"action":"sendDirect","connectionId":7,"operationType":"x","message":1}`)
	one.next() // what type it must have, each in its words
	one.send(`{"action":"sendMessage","message":{}}`)
	one.next()
}

// invocations calls the function behind sendMessage directly, as `aws lambda invoke` does.
func invocations(t *testing.T, a *app, all ...*client) {
	t.Helper()
	f := a.functions[a.routes()["sendMessage"]]
	invoke := func(payload string) (status int, body string) {
		answer, err := f.invoke(t.Context(), []byte(payload))
		var result struct {
			StatusCode int
			Body       string
		}
		if err != nil || json.Unmarshal(answer, &result) != nil {
			t.Fatalf("%s is answered %s, %v", payload, answer, err)
		}
		return result.StatusCode, result.Body
	}
	for _, payload := range []string{
		`{"action":"sendmessage","message":"Hello from CLI!","apigw_endpoint":"` + a.url + `"}`,
		`{"message":"Hello from CLI!"}`,
	} {
		status, body := invoke(payload)
		if got, _ := decoded(t, body).(map[string]any); status != 200 || got["status"] != "Message sent" {
			t.Errorf("%s is answered %d %s", payload, status, body)
		}
		for _, c := range all {
			c.hears("Hello from CLI!")
		}
	}
	for _, payload := range []string{
		`{"action":"sendmessage","message":"stolen","apigw_endpoint":"https://elsewhere.example/production"}`,
		`{"action":"sendmessage","message":"stolen","apigw_endpoint":"` + a.url + `x"}`,
		`{"action":"sendmessage","apigw_endpoint":"` + a.url + `"}`,
	} {
		if status, body := invoke(payload); status != 400 {
			t.Errorf("%s is answered %d %s, want 400", payload, status, body)
		}
	}
}

// directGhosts checks what becomes of connections that are closed.
func directGhosts(t *testing.T, a *app, one, two *client, id string) {
	t.Helper()
	two.leave()
	rows := func() map[string]bool {
		open := map[string]bool{}
		for id := range a.rows("ConnectionsTable", "connectionId") {
			open[id] = true
		}
		return open
	}
	eventually(t, "two is forgotten", func() bool { return len(rows()) == 1 })
	one.send(`{"action":"sendDirect","connectionId":"%s","operationType":"x","message":1}`, id)
	one.hearsError("connectionId: that connection is not open")
	// $disconnect got lost: the row is still there.
	a.put("ConnectionsTable", map[string]any{"connectionId": id, "expires": time.Now().Add(time.Hour).Unix()})
	one.send(`{"action":"sendDirect","connectionId":"%s","operationType":"x","message":1}`, id)
	one.hearsError("connectionId: that connection is not open")
	early := closedID(t, a)
	a.put("ConnectionsTable", map[string]any{"connectionId": early, "expires": time.Now().Add(2 * time.Hour).Unix()})
	one.send(`{"action":"sendMessage","message":"who is here?"}`)
	one.hears("who is here?")
	a.settle()
	if open := rows(); len(open) != 2 || !open[early] {
		t.Errorf("the connections are %v, want the open one and the one that was just opened", open)
	}
}

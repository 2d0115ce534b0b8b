package examples

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// broadcasts are the examples whose messages go to everybody but the sender as bare text, with the
// table that holds their connections.
var broadcasts = map[string]string{
	"broadcast-python": "WebSocketConnections",
	"broadcast-node":   "ConnectionsTable",
}

func TestBroadcast(t *testing.T) {
	for name, table := range broadcasts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := start(t, name)
			one, two, three := a.dial("one", ""), a.dial("two", ""), a.dial("three", "")
			if n := len(a.rows(table, "connectionId")); n != 3 {
				t.Fatalf("%d connections in the table, want 3", n)
			}
			one.send(`{"action":"sendMessage","message":"Hello AWS"}`)
			two.hears("Hello AWS")
			three.hears("Hello AWS")
			two.send(`{"action":"sendMessage","message":"é {\"a\":1}"}`)
			one.hears(`é {"a":1}`) // and not what it has sent itself
			three.hears(`é {"a":1}`)

			for message, want := range map[string]string{
				``:                                   "message must be a text, and not empty",
				`,"message":7`:                       "message must be a text, and not empty",
				`,"message":" \n"`:                   "message must be a text, and not empty",
				`,"message":"` + long(t, 4001) + `"`: "message must have at most 4000 characters",
			} {
				one.send(`{"action":"sendMessage"%s}`, message)
				one.hearsError(want)
			}

			// Somebody whose $disconnect got lost is forgotten, and nobody else.
			three.leave()
			eventually(t, "three is forgotten", func() bool { return len(a.rows(table, "connectionId")) == 2 })
			ghost := closedID(t, a)
			a.put(table, map[string]any{"connectionId": ghost, "expires": time.Now().Add(time.Hour).Unix()})
			one.send(`{"action":"sendMessage","message":"%s"}`, long(t, 4000))
			two.hears(long(t, 4000)) // and nothing of what was refused
			eventually(t, "the ghost is forgotten", func() bool {
				rows := a.rows(table, "connectionId")
				return len(rows) == 2 && rows[ghost] == nil
			})

			// A connection that is not open yet is answered like one that is closed: it stays.
			early := closedID(t, a)
			a.put(table, map[string]any{"connectionId": early, "expires": time.Now().Add(2 * time.Hour).Unix()})
			two.send(`{"action":"sendMessage","message":"still here?"}`)
			one.hears("still here?")
			a.settle()
			if a.rows(table, "connectionId")[early] == nil {
				t.Error("a connection that was just opened is forgotten")
			}
			if name == "broadcast-node" {
				instructions(t, one)
			}
			a.rights.allUsed()
		})
	}
}

// long is a text of so many characters.
func long(tb testing.TB, n int) string {
	tb.Helper()
	return strings.Repeat("é", n)
}

// closedID gives the id of a connection that has been closed and forgotten.
func closedID(tb testing.TB, a *app) string {
	tb.Helper()
	table, key := a.connectionTable()
	before := a.rows(table, key)
	c := a.dial("ghost", "?name=ghost")
	var id string
	for key := range a.rows(table, key) {
		if before[key] == nil {
			id = key
		}
	}
	c.leave()
	eventually(tb, "the connection is forgotten", func() bool { return a.rows(table, key)[id] == nil })
	return id
}

// connectionTable finds the table that has a row for each connection.
func (a *app) connectionTable() (id, key string) {
	a.tb.Helper()
	for _, t := range a.stack.Tables {
		table, err := a.db.DescribeTable(a.tb.Context(), &dynamodb.DescribeTableInput{TableName: &t.Name})
		if err != nil {
			a.tb.Fatal(err)
		}
		key := *table.Table.KeySchema[0].AttributeName
		if key == "connectionId" || key == "connection_id" {
			return t.LogicalID, key
		}
	}
	a.tb.Fatal("no table has a row for each connection")
	return "", ""
}

// instructions checks what $default answers to everything else.
func instructions(t *testing.T, c *client) {
	t.Helper()
	for _, frame := range []string{`not JSON`, `{"action":"sendmessage","message":"x"}`, `{}`} {
		c.send("%s", frame)
		got := c.next()
		words, info, _ := strings.Cut(got, "{")
		if !strings.Contains(words, "sendMessage") || strings.Contains(got, "\n") {
			t.Errorf("the instructions are %q, want one line that names sendMessage", got)
		}
		var caller struct {
			ConnectedAt, LastActiveAt time.Time
			Identity                  struct{ SourceIp, UserAgent string }
			ConnectionID              string `json:"connectionID"`
		}
		if err := json.Unmarshal([]byte("{"+info), &caller); err != nil {
			t.Fatalf("%q does not end in JSON: %v", got, err)
		}
		if caller.ConnectedAt.IsZero() || caller.LastActiveAt.IsZero() || caller.Identity.SourceIp != "127.0.0.1" ||
			caller.Identity.UserAgent == "" || !regexp.MustCompile(`^[\w-]+=+$`).MatchString(caller.ConnectionID) {
			t.Errorf("the caller is told of himself %s", info)
		}
	}
}

// Messages are kept, each under an id of its own, before anybody sees them.
func TestBroadcast_MessagesAreKept(t *testing.T) {
	t.Parallel()
	a := start(t, "broadcast-python")
	one, two := a.dial("one", ""), a.dial("two", "")
	begin := time.Now().Add(-time.Second)
	for range 2 {
		one.send(`{"action":"sendMessage","message":"twice"}`)
		two.hears("twice")
	}
	rows := a.rows("ChatMessages", "messageId")
	if len(rows) != 2 {
		t.Fatalf("%d messages are kept, want 2", len(rows))
	}
	uuid := regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	connected := a.rows("WebSocketConnections", "connectionId")
	for id, row := range rows {
		at, err := time.Parse(time.RFC3339, text(row["sentAt"]))
		if err != nil || at.Before(begin) || at.After(time.Now()) {
			t.Errorf("sent at %s, %v", text(row["sentAt"]), err)
		}
		if !uuid.MatchString(id) || text(row["message"]) != "twice" || connected[text(row["connectionId"])] == nil {
			t.Errorf("kept %v", row)
		}
	}
	// There is no $default here: API Gateway itself answers.
	one.send(`hello`)
	if got, _ := decoded(t, one.next()).(map[string]any); got["message"] != "Forbidden" {
		t.Errorf("a message that no route takes is answered %v", got)
	}
}

package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"github.com/confab-chat/confab/connections"
	"github.com/confab-chat/confab/internal/tools"
)

// interopRig is an API that other people's clients try. It chooses the protocol chat.v2, and answers
// `give N` by a message of N bytes, `close CODE REASON` by closing, `wait` after more than DropAfter by
// its clock, which it turns each time that the client has answered a ping, and anything else by the same.
func interopRig(t *testing.T) (r *rig, ends func() []string) {
	t.Helper()
	const ping, drop = time.Minute, 3 * time.Minute
	clock := newClock(time.UnixMilli(1790299458000)) // a client on a busy machine is not late
	h, running := newRecorder(), make(chan struct{})
	h.answer = func(ctx context.Context, e event) (reply, error) {
		<-running
		self := []connections.Target{{ID: e.RequestContext.ConnectionID}}
		text, size, code := []byte(e.Body), 0, 0
		if _, err := fmt.Sscanf(e.Body, "give %d", &size); err == nil {
			text = bytes.Repeat([]byte("y"), size)
		}
		if _, err := fmt.Sscanf(e.Body, "close %d", &code); err == nil {
			return reply{StatusCode: 200}, r.Close(ctx, self[0], code, strings.SplitN(e.Body, " ", 3)[2])
		}
		if e.Body == "wait" {
			for range drop/ping + 1 { // the client is to be silent for so long
				before := r.Stats().BytesIn
				clock.add(ping)
				for end := time.Now().Add(patience); r.Stats().BytesIn == before; time.Sleep(time.Millisecond) {
					if time.Now().After(end) {
						return reply{}, errors.New("the client answers no ping")
					}
				}
			}
		}
		if e.RequestContext.EventType == "MESSAGE" {
			if gone, _, err := r.Post(ctx, self, [][]byte{text}); err != nil || len(gone) > 0 {
				return reply{}, fmt.Errorf("post: %v %w", gone, err)
			}
		}
		for name, offered := range e.Headers { // some clients write it in small letters
			if strings.EqualFold(name, "Sec-WebSocket-Protocol") && strings.Contains(offered, "chat.v2") {
				return reply{StatusCode: 200, Headers: map[string]string{name: "chat.v2"}}, nil
			}
		}
		return reply{StatusCode: 200}, nil
	}
	routes := all(h)
	routes["$default"] = Route{Handler: h, Timeout: -1} // the clock is turned meanwhile
	r = run(t, Config{Routes: routes, Serial: true, PingAfter: ping, DropAfter: drop, Now: clock.now})
	close(running)
	// ends gives how the connections ended, sorted; it waits until all have, and their $disconnect came.
	return r, func() (ends []string) {
		eventually(t, "all connections have ended", func() bool { return r.Stats().Open == 0 })
		for uint64(len(ends)) < r.Stats().Total {
			if _, e := h.next(t); contextOf(e)["eventType"] == "DISCONNECT" {
				ends = append(ends, fmt.Sprintf("%v %v", contextOf(e)["disconnectStatusCode"], contextOf(e)["disconnectReason"]))
			}
		}
		slices.Sort(ends)
		return ends
	}
}

// What every client with the standard interface must see and say.
var (
	interopSaid = map[string]string{
		"protocol":                     `chat.v2, extensions ""`,
		"echo":                         "same",
		"give":                         "same",
		"server closes":                `closed 4001 "why not, κόσμε" clean=true`,
		"client closes":                `closed 4321 "bye, κόσμε" clean=true`,
		"client closes without a code": `closed 1005 "" clean=true`,
		"binary":                       `closed 1003 "Binary is not supported" clean=true`,
		"too long":                     `closed 1009 "Message too big" clean=true`,
		"silence":                      "wait",
	}
	interopEnds = []string{
		"1000 ", "1000 ", "1000 ", "1000 ", "1003 Binary is not supported",
		"1005 Client-side close frame status not set", "1009 Message too big", "4001 why not, κόσμε", "4321 bye, κόσμε",
	}
)

func checkInterop(t *testing.T, said map[string]string, ends []string, more map[string]string, moreEnds ...string) {
	t.Helper()
	want := map[string]string{}
	for _, m := range []map[string]string{interopSaid, more} {
		for name, value := range m {
			want[name] = value
		}
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Errorf("the client saw (-want +got):\n%s", diff)
	}
	wantEnds := slices.Sorted(slices.Values(slices.Concat(interopEnds, moreEnds)))
	if diff := cmp.Diff(wantEnds, ends); diff != "" {
		t.Errorf("$disconnect was told (-want +got):\n%s", diff)
	}
}

// nodeInterop runs testdata/interop.cjs.
func nodeInterop(t *testing.T, url, implementation string) (said map[string]string) {
	t.Helper()
	modules := tools.Path(t, "node/node_modules/undici")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	argv := append(tools.NodeWebSocket(t), "testdata/interop.cjs", implementation, url)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "NODE_PATH="+filepath.Dir(modules))
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", argv, err, out)
	}
	if err := json.Unmarshal(out, &said); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return said
}

func TestInterop_Node(t *testing.T) {
	t.Parallel()
	r, ends := interopRig(t)
	said := nodeInterop(t, "ws://"+r.addr+"/prod", "own")
	checkInterop(t, said, ends(), nil)
}

func TestInterop_NpmWS(t *testing.T) {
	t.Parallel()
	r, ends := interopRig(t)
	said := nodeInterop(t, "ws://"+r.addr+"/prod", "ws")
	checkInterop(t, said, ends(), map[string]string{
		"pong": "same", "fragments": "same", "too long in fragments": "closed 1009 Message too big",
	}, "1009 Message too big")
}

// coder/websocket, message by message in fragments that the limits allow.
func TestInterop_Coder(t *testing.T) {
	r, ends := interopRig(t)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	dial := func(protocols ...string) *websocket.Conn {
		options := &websocket.DialOptions{
			Subprotocols: protocols, CompressionMode: websocket.CompressionContextTakeover,
		}
		conn, _, err := websocket.Dial(ctx, "ws://"+r.addr+"/prod", options) //nolint:bodyclose // the library closes it
		if err != nil {
			t.Fatal(err)
		}
		conn.SetReadLimit(MaxMessage)
		return conn
	}
	c := dial("chat.v1", "chat.v2")
	if got := c.Subprotocol(); got != "chat.v2" {
		t.Errorf("protocol %q, want chat.v2", got)
	}
	for _, n := range []int{0, 1, 125, 126, 65535, 65536, 131072} {
		text := strings.Repeat("c", n)
		if err := inFragments(ctx, c, text, 30000); err != nil {
			t.Fatal(err)
		}
		if kind, back, err := c.Read(ctx); err != nil || kind != websocket.MessageText || string(back) != text {
			t.Fatalf("%d bytes sent, %v %d came back, %v", n, kind, len(back), err)
		}
	}
	ponged := make(chan error, 1)
	go func() { ponged <- c.Ping(ctx) }()
	go c.Read(ctx) // takes the pong, until the close
	if err := <-ponged; err != nil {
		t.Errorf("ping: %v", err)
	}
	if err := c.Close(4321, "bye, κόσμε"); err != nil {
		t.Errorf("close: %v", err)
	}
	c = dial()
	if err := c.Write(ctx, websocket.MessageText, []byte("close 4001 why not")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Read(ctx); websocket.CloseStatus(err) != 4001 {
		t.Errorf("the server closes with %v, want 4001", err)
	}
	c = dial()
	if err := c.Write(ctx, websocket.MessageText, bytes.Repeat([]byte("c"), MaxFrame+1)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Read(ctx); websocket.CloseStatus(err) != websocket.StatusMessageTooBig {
		t.Errorf("the server closes with %v, want 1009", err)
	}
	if diff := cmp.Diff([]string{"1009 Message too big", "4001 why not", "4321 bye, κόσμε"}, ends()); diff != "" {
		t.Errorf("$disconnect was told (-want +got):\n%s", diff)
	}
}

// inFragments writes one text message in frames of at most that size.
func inFragments(ctx context.Context, c *websocket.Conn, text string, size int) error {
	w, err := c.Writer(ctx, websocket.MessageText)
	if err != nil {
		return err
	}
	for len(text) > 0 {
		n := min(size, len(text))
		if _, err := io.WriteString(w, text[:n]); err != nil {
			return err
		}
		text = text[n:]
	}
	return w.Close()
}

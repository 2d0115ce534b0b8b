package serve

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/confab-chat/confab/store/memstore"
)

// TestServer_Metrics reads what Prometheus reads, after one connection has said something.
func TestServer_Metrics(t *testing.T) {
	s := start(t, memstore.NewLog(memstore.Options{}))
	public := httptest.NewServer(s)
	defer public.Close()
	url := "ws" + strings.TrimPrefix(public.URL, "http") + "/production?name=alice"
	conn, _, err := websocket.Dial(t.Context(), url, nil) //nolint:bodyclose // the library closes it
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()
	if err := conn.Write(t.Context(), websocket.MessageText, []byte(`{"action":"ping"}`)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := conn.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	nowhere := httptest.NewRequest(http.MethodGet, "http://127.0.0.1/nowhere", http.NoBody)
	s.ServeHTTP(httptest.NewRecorder(), nowhere)
	for _, line := range []string{
		"confab_connections 1", "confab_connections_total 1", `confab_messages_total{direction="in"} 1`,
		`confab_messages_total{direction="out"} 1`, "confab_handler_errors_total 0",
		`confab_handshakes_refused_total{cause="stage"} 1`,
	} {
		// What was sent is counted after the client has it.
		for end := time.Now().Add(time.Minute); !strings.Contains(metrics(s), "\n"+line+"\n"); {
			if time.Now().After(end) {
				t.Fatalf("the metrics have no %q:\n%s", line, metrics(s))
			}
		}
	}
}

// metrics gives what the admin listener answers.
func metrics(s *Server) string {
	w := httptest.NewRecorder()
	s.Admin().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://127.0.0.1/metrics", http.NoBody))
	return w.Body.String()
}

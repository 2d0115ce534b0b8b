package web_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/confab-chat/confab/internal/dynamolocal"
	"github.com/confab-chat/confab/internal/testenv"
	"github.com/confab-chat/confab/internal/testissuer"
	"github.com/confab-chat/confab/internal/tools"
)

// place is a deployment with its page, as the browser's tests see it.
type place struct {
	Page   string `json:"page"`   // URL of the static host
	Socket string `json:"socket"` // where the page connects
	Issuer string `json:"issuer"` // origin of its endpoints
}

// TestPage_stage puts the page that `confab page` writes on static hosts, before the deployment's own
// template and archive: without an issuer, and with one.
func TestPage_stage(t *testing.T) {
	tools.Chromium(t)
	confab, folder := program(t), t.TempDir()
	template, err := os.ReadFile(filepath.Join(tools.Root(), "deploy", "template.yaml"))
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, "template.yaml"), template, 0o600)
	}
	if err == nil {
		err = testenv.Pack(filepath.Join(folder, "build"))
	}
	if err != nil {
		t.Fatal(err)
	}
	issuer := testissuer.New(t, time.Now)
	endpoints := issuer.Apart()
	open := stage{t: t, confab: confab, template: filepath.Join(folder, "template.yaml"), name: "open"}
	signedIn := open
	signedIn.name, signedIn.issuer = "signed-in", issuer.URL
	places := map[string]place{"open": open.start(), "signedIn": signedIn.start("--issuer", issuer.URL, "--client-id", testissuer.PageID)}
	signed := places["signedIn"]
	signed.Issuer = endpoints
	places["signedIn"] = signed
	control := httptest.NewServer(steering(t, issuer))
	defer control.Close()
	described, err := json.Marshal(map[string]any{"places": places, "control": control.URL})
	if err != nil {
		t.Fatal(err)
	}
	env := []string{"CONFAB_CHROMIUM=" + tools.Chromium(t), "CONFAB_ONLY=stage", "CONFAB_STAGE=" + string(described)}
	vitest(t, nil, env, "--config", "vitest.browser.config.ts")
}

// steering has the browser's tests tell the issuer what to do, and read what it was asked.
func steering(t *testing.T, issuer *testissuer.Issuer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var order struct {
			Who    map[string]any
			Renews bool
			Refuse string
		}
		if r.Method == http.MethodPost {
			if err := json.NewDecoder(r.Body).Decode(&order); err != nil {
				t.Error(err)
			}
			issuer.SignIn(order.Who)
			issuer.Tokens(time.Hour, order.Renews)
			issuer.Refuse(order.Refuse)
		}
		if err := json.NewEncoder(w).Encode(issuer.Log()); err != nil {
			t.Error(err)
		}
	})
}

// stage is a deployment on this machine.
type stage struct {
	t                              *testing.T
	confab, template, name, issuer string
}

// start runs the deployment and gives its page. The page's connections go by a proxy that cuts them
// all when somebody gets /cut from the page's host.
func (s stage) start(flags ...string) place {
	s.t.Helper()
	host := httptest.NewUnstartedServer(nil)
	s.t.Cleanup(host.Close)
	origin := "http://" + host.Listener.Addr().String()
	line := &proxy{t: s.t, to: strings.TrimSuffix(strings.TrimPrefix(s.run(origin), "ws://"), "/production")}
	socket := "ws://" + line.listen() + "/production"
	dir := filepath.Join(s.t.TempDir(), "page")
	args := append([]string{"page", "--socket", socket}, append(flags, dir)...)
	if out, err := exec.CommandContext(s.t.Context(), s.confab, args...).CombinedOutput(); err != nil {
		s.t.Fatalf("confab page: %v\n%s", err, out)
	}
	files := http.FileServer(http.Dir(dir))
	if s.issuer != "" { // a host that knows _headers; the other one does not
		files = withHeaders(s.t, dir, files)
	}
	host.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/cut" {
			line.cut()
			return
		}
		files.ServeHTTP(w, r)
	})
	host.Start()
	return place{Page: origin + "/", Socket: socket}
}

// withHeaders sends what the file _headers says for all files.
func withHeaders(t *testing.T, dir string, next http.Handler) http.Handler {
	text, err := os.ReadFile(filepath.Join(dir, "_headers"))
	if err != nil {
		t.Fatal(err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
				w.Header().Set(name, value)
			}
		}
		next.ServeHTTP(w, r)
	})
}

// run runs the template until the test ends, and gives where to connect.
func (s stage) run(origin string) string {
	s.t.Helper()
	args := []string{
		"run", "-t", s.template, "--port", "0",
		"--stack-name", s.name + "-" + strconv.FormatInt(time.Now().UnixNano(), 36), // tables of its own
		"--dynamodb", dynamolocal.Start(s.t), "--parameter", "AllowedOrigins=" + origin,
	}
	if runtime.GOARCH == "amd64" {
		args = append(args, "--parameter", "Architecture=x86_64")
	}
	if s.issuer != "" { // the template wants https; this one is on loopback
		variables := filepath.Join(s.t.TempDir(), "variables.json")
		text := `{"Authorizer":{"CONFAB_ISSUER":"` + s.issuer + `"}}`
		if err := os.WriteFile(variables, []byte(text), 0o600); err != nil {
			s.t.Fatal(err)
		}
		args = append(args, "--env-vars", variables, "--parameter", "Issuer=https://issuer.example",
			"--parameter", "Audience="+testissuer.PageID, "--parameter", "UserClaim=nick")
	}
	cmd := exec.Command(s.confab, args...)
	out, err := cmd.StdoutPipe()
	if err == nil {
		cmd.Stderr = cmd.Stdout
		err = cmd.Start()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { s.end(cmd) })
	address, said := regexp.MustCompile(`ws://127\.0\.0\.1:\d+/production`), ""
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		said += lines.Text() + "\n"
		if strings.Contains(lines.Text(), "Ctrl-C") && address.MatchString(said) {
			go func() { _, _ = io.Copy(io.Discard, out) }() // until it ends
			return address.FindString(said)
		}
	}
	s.t.Fatalf("confab run has ended: %s", said)
	return ""
}

// end has the program end what it has started; after some time it is killed, and they with it.
func (s stage) end(cmd *exec.Cmd) {
	kill := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
	defer kill.Stop()
	_ = cmd.Process.Signal(os.Interrupt)
	_ = cmd.Wait()
}

// proxy is the network between a page and its stage.
type proxy struct {
	t  *testing.T
	to string

	mu    sync.Mutex
	conns []net.Conn
}

func (p *proxy) listen() string {
	p.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		_ = l.Close()
		p.cut()
	})
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.carry(c)
		}
	}()
	return l.Addr().String()
}

func (p *proxy) carry(near net.Conn) {
	far, err := net.Dial("tcp", p.to)
	if err != nil {
		_ = near.Close()
		return
	}
	p.mu.Lock()
	p.conns = append(p.conns, near, far)
	p.mu.Unlock()
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		go func() {
			_, _ = io.Copy(way[0], way[1])
			_ = way[0].Close()
		}()
	}
}

// cut ends all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
}

//go:build linux && !portable && !race

package gateway

import (
	"io"
	"net"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// idle opens a connection whose client costs this process nothing but a descriptor.
func (r *rig) idle(t *testing.T) (fd int) {
	t.Helper()
	conn, err := net.Dial("tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	request := "GET /prod HTTP/1.1\r\nHost: " + r.addr + "\r\n" + strings.Join(upgradeLines, "\r\n") + "\r\n\r\n"
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Read(make([]byte, 1024)); err != nil || n == 0 {
		t.Fatal(n, err)
	}
	if fd, err = duplicate(conn.(*net.TCPConn)); err != nil {
		t.Fatal(err)
	}
	return fd
}

// used gives the bytes of live memory and stacks.
func used() int {
	for range 3 { // pools are emptied by the second
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse)
}

// An idle connection holds neither a goroutine nor a buffer.
func TestConnection_idleBytes(t *testing.T) {
	const n, bar = 1000, 1024
	r := run(t, Config{Serial: true})
	clients := make([]int, 0, n+50)
	t.Cleanup(func() {
		for _, fd := range clients {
			if err := syscall.Close(fd); err != nil {
				t.Error(err)
			}
		}
	})
	for range 50 { // what there is once only
		clients = append(clients, r.idle(t))
	}
	before, goroutines := used(), runtime.NumGoroutine()
	for range n {
		clients = append(clients, r.idle(t))
	}
	eventually(t, "all are open", func() bool { return r.Stats().Open == n+50 })
	each := (used() - before) / n
	t.Logf("%d bytes for each idle connection", each)
	if each > bar {
		t.Errorf("%d bytes for each idle connection, want %d at most", each, bar)
	}
	if more := runtime.NumGoroutine() - goroutines; more > n/10 {
		t.Errorf("%d more goroutines for %d idle connections", more, n)
	}
}

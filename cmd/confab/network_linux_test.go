package main

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/confab-chat/confab/internal/sim"
)

// insideVariable tells a test that it runs in a network of its own.
const insideVariable = "CONFAB_TEST_INSIDE"

// inOwnNetwork runs the very test that calls it in a user and network namespace of its own, where
// 127.0.0.1 is all there is. It is true inside; outside, the test is over.
func inOwnNetwork(t *testing.T) bool {
	t.Helper()
	if os.Getenv(insideVariable) != "" {
		setAddress(t, "lo", nil)
		return true
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), insideVariable+"=yes")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("inside: %v\n%s", err, out)
	}
	return false
}

// setAddress raises an interface, with an address if there is one (netdevice(7)).
func setAddress(t *testing.T, name string, address net.IP) {
	t.Helper()
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(socket)
	request, err := unix.NewIfreq(name)
	if err == nil && address != nil {
		err = request.SetInet4Addr(address.To4())
		if err == nil {
			err = unix.IoctlIfreq(socket, unix.SIOCSIFADDR, request)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	request.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, request); err != nil {
		t.Fatal(err)
	}
}

// TestTenPeople_onLAN has ten people chat on a LAN without TLS: on an address that is not loopback,
// in a network of its own.
func TestTenPeople_onLAN(t *testing.T) {
	if !inOwnNetwork(t) {
		return
	}
	address := net.IPv4(192, 0, 2, 7) // RFC 5737, section 3
	setAddress(t, "lo:1", address)
	data := shortFolder(t)
	p := sim.Serve(t, "--addr", net.JoinHostPort(address.String(), "0"), "--data", data, "--insecure-http")
	if !strings.HasPrefix(p.Addr, address.String()+":") {
		t.Fatalf("it serves %s", p.Addr)
	}
	v := visitor{addr: p.Addr, from: address}
	tenPeople(&house{T: t, Process: p, data: data, origin: "http://" + p.Addr, web: v.client(t)})
	if said := p.Said(); !strings.Contains(said, "no TLS") {
		t.Errorf("the server does not warn:\n%s", said)
	}
}

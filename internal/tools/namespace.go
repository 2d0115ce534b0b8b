package tools

import (
	"os/exec"
	"testing"
)

// LAN is the address that a command in [Namespace] has beside loopback (RFC 5737).
const LAN = "192.0.2.1"

// Namespace gives the beginning of a command that runs in a network of its own, where nothing but
// itself can be reached, by loopback and by the address [LAN]. Where the kernel refuses that to this
// user the test is skipped: nothing can be installed against it.
func Namespace(tb testing.TB) []string {
	tb.Helper()
	const setUp = `ip link set lo up && ip addr add ` + LAN + `/32 dev lo && exec "$@"`
	prefix := []string{Program(tb, "unshare"), "--map-root-user", "--net", "sh", "-c", setUp, "sh"}
	Program(tb, "ip")
	if out, err := exec.Command(prefix[0], append(prefix[1:], "true")...).CombinedOutput(); err != nil {
		tb.Skipf("skipped: this system gives no network of its own: %v: %s", err, out)
	}
	return prefix
}

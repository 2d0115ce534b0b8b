package dynamolocal_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/confab-chat/confab/internal/dynamolocal"
)

// childVariable makes the test binary the process that TestStart_endsWithProcess kills.
const childVariable = "DYNAMOLOCAL_TEST_CHILD"

func TestStart(t *testing.T) {
	endpoint := dynamolocal.Start(t)
	if again := dynamolocal.Start(t); again != endpoint {
		t.Errorf("second Start: got %s, want the first's %s", again, endpoint)
	}
	port, ok := strings.CutPrefix(endpoint, "http://127.0.0.1:")
	if !ok {
		t.Fatalf("endpoint: got %s, want one of 127.0.0.1", endpoint)
	}
	if runtime.GOOS != "linux" {
		return
	}
	listening := listeners(t, port)
	if len(listening) != 1 || listening[0] != "0100007F" {
		t.Errorf("addresses that listen on port %s: got %v, want 127.0.0.1 alone", port, listening)
	}
}

// listeners gives the addresses, as the kernel writes them, on which a TCP port is listening.
func listeners(t *testing.T, port string) (addresses []string) {
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	suffix := fmt.Sprintf(":%04X", n)
	for _, name := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		table, err := os.ReadFile(name)
		if err != nil {
			continue // no IPv6 here
		}
		for line := range strings.Lines(string(table)) {
			const local, state, listen = 1, 3, "0A"
			f := strings.Fields(line)
			if address, ok := strings.CutSuffix(f[local], suffix); ok && f[state] == listen {
				addresses = append(addresses, address)
			}
		}
	}
	return addresses
}

func TestStart_endsWithProcess(t *testing.T) {
	if os.Getenv(childVariable) != "" {
		fmt.Println("endpoint", dynamolocal.Start(t))
		select {}
	}
	dynamolocal.Start(t) // skips where it is not installed
	child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), childVariable+"=1")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	address := ""
	for lines := bufio.NewScanner(out); address == "" && lines.Scan(); {
		address, _ = strings.CutPrefix(lines.Text(), "endpoint http://")
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it was killed
	deadline := time.Now().Add(time.Minute)
	for dials(address) {
		if time.Now().After(deadline) {
			t.Fatalf("a minute after its process was killed %s still answers", address)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func dials(address string) bool {
	conn, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return false
	}
	_ = conn.Close() // only its success counts
	return true
}

func TestTable(t *testing.T) {
	client := dynamolocal.Client(dynamolocal.Start(t))
	first, second := dynamolocal.Table(t, client), dynamolocal.Table(t, client)
	if first == second {
		t.Fatalf("two tables have one name, %s", first)
	}
	var gone string
	t.Run("is deleted with its test", func(t *testing.T) { gone = dynamolocal.Table(t, client) })
	tables, err := client.ListTables(context.Background(), &dynamodb.ListTablesInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range tables.TableNames {
		if name == gone {
			t.Errorf("table %s is still there", gone)
		}
	}
	if len(tables.TableNames) != 2 {
		t.Errorf("tables: got %v, want %s and %s", tables.TableNames, first, second)
	}
}

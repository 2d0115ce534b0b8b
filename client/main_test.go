package client_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/confab-chat/confab/internal/sim"
	"github.com/confab-chat/confab/internal/testenv"
)

// TestMain fails when goroutines are left. The client of DynamoDB Local keeps idle connections for a
// second, longer than goleak waits by itself.
func TestMain(m *testing.M) {
	code := sim.RunTests(m)
	testenv.Clean()
	leaked := goleak.Find()
	for deadline := time.Now().Add(30 * time.Second); leaked != nil && time.Now().Before(deadline); {
		leaked = goleak.Find()
	}
	if code == 0 && leaked != nil {
		fmt.Fprintln(os.Stderr, leaked)
		code = 1
	}
	os.Exit(code)
}

package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/confab-chat/confab/internal/sim"
)

// tests removes the program that the tests have built.
type tests struct{ m *testing.M }

func (t tests) Run() int { return sim.RunTests(t.m) }

// TestMain makes `confab` a command of the scripts: it is this very program.
func TestMain(m *testing.M) {
	testscript.Main(tests{m}, map[string]func(){"confab": main})
}

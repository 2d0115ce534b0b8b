//go:build !linux

package main

import "log"

func main() { log.Fatal("bench: only Linux tells a process's time precisely enough") }

//go:build !linux || !(amd64 || arm64) || portable

package gateway

import "errors"

// poller is not for this system: each connection has a goroutine that reads, through package net.
type poller struct{}

const (
	shutWrite = 1
	shutBoth  = 2
)

func newPoller() (*poller, error) { return nil, errors.ErrUnsupported }

func (*poller) close() {}

func (*poller) adopt(*connection) bool { return false }

func (*poller) arm(*connection) {}

func (*poller) drop(*connection) {}

func send(int, []byte) (int, error) { return 0, errors.ErrUnsupported }

func shut(int, int) error { return errors.ErrUnsupported }

func reset(int) error { return errors.ErrUnsupported }

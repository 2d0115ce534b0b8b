package testenv

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/confab-chat/confab/internal/serve"
)

// startDirect runs the laptop's server.
func startDirect(tb testing.TB, e *Env, b backend, endpoint string, o Options) http.Handler {
	tb.Helper()
	log, conns := b.open()
	e.ResumeMax = 1000
	if o.ResumeMax != 0 {
		e.ResumeMax = o.ResumeMax
	}
	s, err := serve.New(serve.Config{
		Log: log, Connections: conns, Endpoint: endpoint,
		Credentials: map[string]string{AccessKey: SecretKey},
		Version:     "0.0.0-test", Dialect: o.Dialect,
		Rate: o.Rate, Burst: o.Burst, ResumeMax: e.ResumeMax,
		QueueFrames: o.QueueFrames, AllowedOrigins: o.AllowedOrigins,
		Drain: 10 * time.Millisecond, Now: o.Now, Logger: o.logger(),
	})
	if err != nil {
		tb.Fatal(err)
	}
	e.Dropped = func() (n uint64) {
		for _, dropped := range s.Stats().Dropped {
			n += dropped
		}
		return n
	}
	e.stop = append(e.stop, func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			tb.Errorf("shutdown: %v", err)
		}
	})
	return s
}

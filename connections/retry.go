package connections

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

// Pauses between tries: a random part of a span that doubles from the first to the longest.
const (
	firstPause   = 50 * time.Millisecond
	longestPause = time.Second
)

// errBudget says that the time for all tries is over; the target may have been reached or not.
var errBudget = errors.New("connections: not done in time")

// budget is how long a call may take: Budget, or 80 % of what ctx leaves.
func budget(ctx context.Context) time.Duration {
	if deadline, ok := ctx.Deadline(); ok {
		return min(Budget, time.Until(deadline)*8/10)
	}
	return Budget
}

func isTimeout(err error) bool {
	return errors.Is(err, errBudget) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, context.Canceled)
}

// call makes one call, again and again while its failure may pass.
func (c *Client) call(ctx context.Context, method string, t Target, body []byte) ([]byte, error) {
	span := firstPause
	for {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		answer, again, err := c.try(ctx, method, t, body)
		if err == nil || !again {
			return answer, err
		}
		pause := time.NewTimer(rand.N(span) + 1)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return nil, fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
		span = min(2*span, longestPause)
	}
}

// try makes one call once; again says that its failure may pass.
func (c *Client) try(ctx context.Context, method string, t Target, body []byte) (
	answer []byte, again bool, err error,
) {
	req, err := c.request(ctx, method, t, body)
	if err != nil {
		return nil, false, err
	}
	res, err := c.cfg.HTTPClient.Do(req)
	if err != nil {
		return nil, true, fmt.Errorf("connections: %s %s: %w", method, t.ID, err)
	}
	answer, err = readAnswer(res)
	if err != nil {
		return nil, true, fmt.Errorf("connections: %s %s: %w", method, t.ID, err)
	}
	kind, _, _ := strings.Cut(res.Header.Get("X-Amzn-ErrorType"), ":")
	switch status := res.StatusCode; {
	case status >= 200 && status < 300:
		return answer, false, nil
	case status == http.StatusGone,
		status == http.StatusBadRequest && bytes.Contains(answer, []byte("Invalid connectionId")):
		return nil, false, ErrGone
	case status == http.StatusRequestEntityTooLarge:
		return nil, false, ErrTooLarge
	default:
		again = status == http.StatusTooManyRequests || status >= 500
		return nil, again, fmt.Errorf("connections: %s %s: %d %s: %s", method, t.ID, status, kind,
			answer)
	}
}

func bodyReader(body []byte) io.Reader {
	if body == nil {
		return nil
	}
	return bytes.NewReader(body)
}

func hashOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

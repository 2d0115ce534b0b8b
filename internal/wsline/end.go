package wsline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coder/websocket"

	"github.com/confab-chat/confab/internal/terminal"
)

// closeLimit is how long the server may take to answer a close.
const closeLimit = 2 * time.Second

// end closes the connection after everything was sent: at once for a person, for a program after
// the time for answers.
func (s *session) end(ctx context.Context, sendErr error, ended <-chan error) error {
	switch {
	case sendErr != nil && !errors.Is(sendErr, terminal.ErrInterrupt):
		if errors.Is(sendErr, ErrNotHex) {
			return sendErr
		}
		return s.closedByServer(<-ended) // which says why
	case s.console.Interactive() && len(s.Execute) == 0:
	default:
		var over <-chan time.Time
		if s.Wait >= 0 {
			timer := time.NewTimer(s.Wait)
			defer timer.Stop()
			over = timer.C
		}
		select {
		case <-over:
			if s.Count > 0 {
				return fmt.Errorf("%w: fewer than %d frames came within %v", ErrUnreachable, s.Count, s.Wait)
			}
		case err := <-ended:
			return s.closedByServer(err)
		case <-ctx.Done():
			s.close()
			return context.Cause(ctx)
		}
	}
	s.close()
	return nil
}

// close ends the connection in good order, within a moment.
func (s *session) close() {
	timer := time.AfterFunc(closeLimit, func() { s.conn.CloseNow() })
	defer timer.Stop()
	_ = s.conn.Close(websocket.StatusNormalClosure, "") // the server may have gone first
}

// closedByServer says how a connection has ended that was not ended here.
func (s *session) closedByServer(err error) error {
	if errors.Is(err, errEnough) {
		s.close()
		return nil
	}
	var closed websocket.CloseError
	if !errors.As(err, &closed) {
		s.print.closed(int(websocket.StatusAbnormalClosure), "")
		return fmt.Errorf("the connection was lost: %w", cause(err))
	}
	s.print.closed(int(closed.Code), closed.Reason)
	switch closed.Code {
	case websocket.StatusNormalClosure, websocket.StatusGoingAway, websocket.StatusNoStatusRcvd:
		if !s.JSON {
			s.console.Notice("Closed by the server with %s.", described(closed))
		}
		return nil
	}
	return fmt.Errorf("the server has closed the connection with %s", described(closed))
}

// described is a close code with its reason.
func described(closed websocket.CloseError) string {
	if closed.Reason == "" {
		return fmt.Sprintf("code %d", closed.Code)
	}
	return fmt.Sprintf("code %d: %s", closed.Code, terminal.CleanLine(closed.Reason))
}

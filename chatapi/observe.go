package chatapi

import (
	"time"

	"github.com/confab-chat/confab/wire"
)

// observedAt is the time, where somebody observes.
func (h *Handler) observedAt() time.Time {
	if h.Observe == nil {
		return time.Time{}
	}
	return h.Now()
}

// observeFanOut tells that a room's events were delivered, of which the first came at since.
func (h *Handler) observeFanOut(batch []push, since time.Time) {
	if h.Observe == nil {
		return
	}
	messages := 0
	for i := range batch {
		if _, ok := batch[i].event.(wire.Message); ok {
			messages++
		}
	}
	h.Observe.FannedOut(messages, h.Now().Sub(since))
}

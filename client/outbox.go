package client

import (
	"net/url"
	"slices"
	"time"
)

// maxWaiting is how many messages may wait in the outbox, those of earlier runs aside.
const maxWaiting = 1000

// outbox is the messages that are not acknowledged, in their order. It is guarded by the client's
// mutex, but for adding and slots.
type outbox struct {
	adding chan struct{} // has one place: it orders the messages as the file has them
	slots  chan struct{} // one for each message of this run
	order  []*entry
	byID   map[string]*entry
	file   *outboxFile // nil: memory alone
}

// entry is a message in the outbox.
type entry struct {
	Draft
	at        time.Time // when it came
	restored  bool      // an earlier run has left it
	tried     bool      // it may have been sent
	link      *link     // that it was sent on; on any other one it is sent again
	sent      time.Time // when
	notBefore time.Time // when it may be sent again
	sending   *Sending
}

// openOutbox opens the outbox in a file, or in memory where the name is "".
func openOutbox(name string, server *url.URL) (outbox, error) {
	box := outbox{
		adding: make(chan struct{}, 1), slots: make(chan struct{}, maxWaiting), byID: map[string]*entry{},
	}
	if name == "" {
		return box, nil
	}
	file, left, err := openOutboxFile(name, server.Scheme+"://"+server.Host+server.Path)
	if err != nil {
		return box, err
	}
	box.file = file
	for _, e := range left {
		e.sending = &Sending{id: e.ID, done: make(chan struct{})}
		box.add(e)
	}
	return box, nil
}

func (o *outbox) add(e *entry) {
	o.order = append(o.order, e)
	o.byID[e.ID] = e
}

func (o *outbox) find(id string) *entry { return o.byID[id] }

func (o *outbox) remove(e *entry) {
	delete(o.byID, e.ID)
	if i := slices.Index(o.order, e); i >= 0 {
		o.order = slices.Delete(o.order, i, i+1)
	}
	if o.file != nil {
		o.file.done(e.ID, o.order)
	}
}

// store makes a message durable, where there is a file.
func (o *outbox) store(e *entry) error {
	if o.file == nil {
		return nil
	}
	return o.file.put(e)
}

// belongs checks that the outbox is of the user that the server knows, who was before the other one,
// if any.
func (o *outbox) belongs(user, before string) error {
	if before != "" && user != before {
		return ErrOtherUser
	}
	if o.file == nil {
		return nil
	}
	return o.file.belongs(user, o.order)
}

func (o *outbox) close() error {
	if o.file == nil {
		return nil
	}
	return o.file.close()
}

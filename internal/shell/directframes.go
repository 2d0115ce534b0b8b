package shell

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/confab-chat/confab/internal/terminal"
)

// object is what comes in this dialect beside texts that were said to all.
type object struct {
	ConnectionID  *string         `json:"connectionId"`  // an answer
	OperationType *string         `json:"operationType"` // a payload
	Event         string          `json:"event"`         // "error", or "message" to a repetition
	Duplicate     bool            `json:"duplicate"`     // of a message: it was stored before
	ID            string          `json:"id"`            // of an error: what was refused
	RequestID     string          `json:"requestId"`     // of errors, those of a gateway itself too
	Message       json.RawMessage `json:"message"`
}

// show prints a frame: an object of the dialect, or a text that was said to all. Who waits for it
// goes on afterwards.
func (d *direct) show(frame []byte) error {
	var o object
	isObject := strings.HasPrefix(string(frame), "{") && json.Unmarshal(frame, &o) == nil
	err := d.print(frame, o, isObject)
	d.back(func(said saidText) bool {
		return said.text == string(frame) || isObject && said.id == o.ID
	})
	return err
}

// print prints a frame that may be an object.
func (d *direct) print(frame []byte, o object, isObject bool) error {
	switch {
	case isObject && o.OperationType != nil:
		return d.showPayload(o)
	case isObject && (o.Event == "error" || o.RequestID != ""):
		return d.showError(o, frame)
	case isObject && o.Event == "message" && o.Duplicate:
		return nil // on AWS an action may be taken twice, and the second time is answered by this
	case isObject && o.ConnectionID != nil && d.isAnswer(*o.ConnectionID):
		return d.showID(*o.ConnectionID)
	}
	if d.JSON {
		return d.screen.putJSON(members{{"event", "message"}, {"message", string(frame)}})
	}
	return d.screen.put(d.screen.said(someone, "", string(frame)))
}

func (d *direct) showPayload(o object) error {
	if d.JSON {
		return d.screen.putJSON(members{
			{"event", "direct"}, {"operationType", *o.OperationType}, {"message", o.Message},
		})
	}
	return d.screen.put(d.screen.said(someone, "", payloadText(*o.OperationType, o.Message)))
}

func (d *direct) showError(o object, frame []byte) error {
	if d.JSON {
		return d.screen.putJSON(json.RawMessage(frame))
	}
	text := string(o.Message)
	_ = json.Unmarshal(o.Message, &text) // what is no string is said as it is
	d.Console.Notice("The server refuses that: %s", terminal.CleanLine(text))
	return nil
}

// showID prints the connection's id: once for each question, and not for the one that ends the chat.
func (d *direct) showID(id string) error {
	d.mu.Lock()
	asked := d.asked > 0
	d.asked, d.known = max(0, d.asked-1), id
	last := d.ended && d.asked == 0
	d.wake()
	d.mu.Unlock()
	switch {
	case last || !asked:
		return nil
	case d.JSON:
		return d.screen.putJSON(members{{"event", "connectionId"}, {"connectionId", id}})
	}
	return d.screen.put("Your connection id: " + terminal.CleanLine(id))
}

// back notes that a text of one's own has come back, or was refused.
func (d *direct) back(which func(saidText) bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if i := slices.IndexFunc(d.texts, which); i >= 0 {
		d.texts = slices.Delete(d.texts, i, i+1)
	}
	d.wake()
}

// wake wakes the end. The mutex is held.
func (d *direct) wake() {
	select {
	case d.told <- struct{}{}:
	default:
	}
}

// isAnswer tells the answer to a question for the connection's id, which on AWS may come twice.
func (d *direct) isAnswer(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.asked > 0 || id == d.known
}

package dynamostore

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"hash/crc32"
	"time"

	"github.com/confab-chat/confab/chat"
)

// States of a message's item; one with text has none.
const (
	stateDeleted = "d"
	stateVoid    = "v"
)

// message is a chat.Message as it is stored.
type message struct {
	chat.Message
	at   time.Time // At, and of a void when it was put
	hash []byte    // of a tombstone: of the text it had
}

func (m *message) item() item {
	it := messageKey(m.Room, m.Seq).item()
	switch m.State {
	case chat.Deleted:
		it[attrState] = str(stateDeleted)
	case chat.Void:
		it[attrState] = str(stateVoid)
	}
	setStr(it, attrFrom, m.From)
	setStr(it, attrID, m.ID)
	setStr(it, attrText, m.Text)
	it[attrAt] = millis(m.at)
	if m.hash != nil {
		it[attrHash] = bin(m.hash)
	}
	it[attrCRC] = num(m.crc())
	return it
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// crc is the CRC-32C over room, number and content, each with its length before it.
func (m *message) crc() uint32 {
	h := crc32.New(castagnoli)
	number := func(n uint64) { h.Write(binary.BigEndian.AppendUint64(nil, n)) }
	number(m.Seq)
	number(uint64(m.State))
	number(uint64(m.at.UnixMilli()))
	for _, s := range []string{m.Room, m.From, m.ID, m.Text, string(m.hash)} {
		number(uint64(len(s)))
		h.Write([]byte(s))
	}
	return h.Sum32()
}

// readMessage reads an item of the room, and checks it.
func (o *op) readMessage(room string, it item) (*message, error) {
	r := row{it: it}
	seq, err := seqOf(r.str(skName))
	m := &message{
		Message: chat.Message{
			Room: room, Seq: seq, From: r.str(attrFrom), ID: r.str(attrID), Text: r.str(attrText),
		},
		at:   r.time(attrAt),
		hash: r.bin(attrHash),
	}
	switch r.str(attrState) {
	case "":
	case stateDeleted:
		m.State = chat.Deleted
	case stateVoid:
		m.State = chat.Void
	default:
		r.spoil(attrState)
	}
	switch crc := r.uint(attrCRC); {
	case r.bad != "":
		return nil, r.err(o.Table)
	case err != nil:
		return nil, damaged(o.Table, keyOf(it), "the sort key is no message's")
	case crc != uint64(m.crc()):
		return nil, damaged(o.Table, keyOf(it), "the checksum is wrong")
	}
	if m.State != chat.Void {
		m.At = m.at
	}
	return m, nil
}

// fence puts a void at a number unless something is there, and gives what is there then.
func (o *op) fence(ctx context.Context, room string, seq uint64) (*message, error) {
	defer func(before bool) { o.wrote = before }(o.wrote) // a void is not what the caller asked for
	m := &message{Message: chat.Message{Room: room, Seq: seq, State: chat.Void}, at: o.Now()}
	old, stored, err := o.putIfAbsent(ctx, m.item())
	if err != nil || stored {
		return m, err
	}
	return o.readMessage(room, old)
}

func hashOf(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

// ms rounds a time to what is stored of it.
func ms(t time.Time) time.Time { return time.UnixMilli(t.UnixMilli()).UTC() }

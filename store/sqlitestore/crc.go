package sqlitestore

import (
	"crypto/sha256"
	"encoding/binary"
	"hash/crc32"

	"github.com/confab-chat/confab/chat"
)

// crcBase is added to each CRC, so that SQLite stores all of them in six bytes and a row that is
// overwritten keeps its size.
const crcBase = 1 << 40

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// content collects what a row's CRC covers: each value with its length, in the table's order.
type content []byte

func (c content) text(s string) content {
	c = binary.AppendUvarint(c, uint64(len(s)))
	return append(c, s...)
}

func (c content) num(n uint64) content { return binary.AppendUvarint(c, n) }

// crc is the CRC-32C (RFC 3720, appendix B.4) of the content as it is stored.
func (c content) crc() int64 { return crcBase + int64(crc32.Checksum(c, castagnoli)) }

// messageCRC covers the room, the number and the content of a message; a tombstone's text is the
// zero bytes that stand in its place.
func messageCRC(scratch content, m *chat.Message, stored string) int64 {
	return scratch.text(m.Room).num(m.Seq).num(uint64(m.State)).text(m.ID).text(m.From).
		num(uint64(m.At.UnixMilli())).text(stored).crc()
}

// hash is the first 8 bytes of the content's SHA-256 (FIPS 180-4).
func (c content) hash() int64 {
	h := sha256.Sum256(c)
	return int64(binary.BigEndian.Uint64(h[:]))
}

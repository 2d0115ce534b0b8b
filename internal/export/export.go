// Package export writes the chat of a data folder as lines of JSON, and makes a folder of such
// lines.
//
// The format is in docs/export.md: a header, a line for each thing, an end. Every member of a line
// is known to its reader, or the line is refused: nothing is dropped in silence.
package export

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/store/sqlitestore"
)

// version is that of the format, in the header.
const version = 1

// Options say what Write writes. They are those of [sqlitestore.ReadAll].
type Options = sqlitestore.ReadOptions

// Write writes the chat of a data folder, or of a backup, to out: as it is at one moment, while a
// server may be using it. Secrets are left out, but for the hashes of sessions if Options asks for
// them.
func Write(ctx context.Context, path string, out io.Writer, o Options) error {
	w := bufio.NewWriterSize(out, 64<<10)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	if err := e.Encode(header{Type: typeHeader, Version: version}); err != nil {
		return err
	}
	lines := 0
	err := sqlitestore.ReadAll(ctx, path, o, func(record sqlitestore.Record) error {
		if m, ok := record.(chat.Message); ok && !utf8.ValidString(m.Text) {
			return fmt.Errorf("room %q: message %d is not UTF-8", m.Room, m.Seq)
		}
		lines++
		return e.Encode(lineOf(record))
	})
	if err != nil {
		return err
	}
	if err := e.Encode(ending{Type: typeEnd, Lines: lines}); err != nil {
		return err
	}
	return w.Flush()
}

// maxLine is the longest line that is read. A text of 16,384 bytes takes at most six times as much
// as JSON.
const maxLine = 1 << 20

// Read makes a new data folder of what Write has written, all or nothing. An error names the line,
// counted from 1, and the member of it that is wrong. progress is told the lines that were read,
// now and then.
func Read(ctx context.Context, in io.Reader, dir string, progress func(lines int)) error {
	return sqlitestore.Build(ctx, dir, func(put func(sqlitestore.Record) error) error {
		r := reader{lines: bufio.NewScanner(in), put: put, progress: progress}
		r.lines.Buffer(make([]byte, 64<<10), maxLine)
		err := r.read()
		var bad *chat.Error
		switch {
		case err == nil:
			return nil
		case errors.As(err, &bad) && bad.Field != "":
			return fmt.Errorf("line %d: %s", r.number, bad.Message)
		}
		return fmt.Errorf("line %d: %w", r.number, err)
	})
}

// reader is one Read.
type reader struct {
	lines    *bufio.Scanner
	number   int // of the line
	put      func(sqlitestore.Record) error
	progress func(lines int)
}

// next gives the next line, nil at the end.
func (r *reader) next() ([]byte, error) {
	r.number++
	if r.lines.Scan() {
		return bytes.TrimSuffix(r.lines.Bytes(), []byte("\r")), nil
	}
	return nil, r.lines.Err()
}

// read reads all lines.
func (r *reader) read() error {
	text, err := r.next()
	if err == nil {
		err = readHeader(text)
	}
	if err != nil {
		return err
	}
	for {
		if text, err = r.next(); err != nil {
			return err
		}
		if text == nil {
			return errors.New("the export ends here, without its last line: it is not complete")
		}
		if r.number%4096 == 0 {
			r.progress(r.number)
		}
		m, err := parse(text)
		if err != nil {
			return err
		}
		if m.kind == typeEnd {
			return r.end(m)
		}
		record, err := m.record()
		if err == nil {
			err = r.put(record)
		}
		if err != nil {
			return err
		}
	}
}

// readHeader tells whether the first line is that of an export that can be read.
func readHeader(text []byte) error {
	if text == nil {
		return errors.New("this is no export: it is empty")
	}
	m, err := parse(text)
	if err != nil || m.kind != typeHeader {
		return fmt.Errorf(`this is no export: want {"type":%q,"version":%d} as the first line`,
			typeHeader, version)
	}
	if got := m.number("version"); m.err == nil && got != version {
		return fmt.Errorf("version: %d, written by another confab; this one reads %d", got, version)
	}
	return m.finish()
}

// end reads the last line.
func (r *reader) end(m *members) error {
	lines := int(m.number("lines"))
	if err := m.finish(); err != nil {
		return err
	}
	if want := r.number - 2; lines != want {
		return fmt.Errorf("lines: %d, and there were %d: the export is not complete", lines, want)
	}
	if more, err := r.next(); more != nil || err != nil {
		return errors.New("there is more after the last line of the export")
	}
	r.progress(r.number - 1)
	return nil
}

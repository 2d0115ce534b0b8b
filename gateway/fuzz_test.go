package gateway

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/gobwas/ws"
	"github.com/google/go-cmp/cmp"

	"github.com/confab-chat/confab/internal/tools"
)

// frames reads all of in, cut into pieces of the size, and gives what came of it.
func frames(in []byte, size int) (got []string) {
	var r frameReader
	in = bytes.Clone(in) // it is unmasked in place
	for len(in) > 0 {
		piece := in[:min(size, len(in))]
		in = in[len(piece):]
		for len(piece) > 0 {
			n, op, payload, fault := r.next(piece, awsTerms)
			piece = piece[n:]
			if fault != nil {
				return append(got, fmt.Sprint("closed ", fault.code))
			}
			if op != ws.OpContinuation {
				got = append(got, fmt.Sprintf("%d %q", op, payload))
			}
			if len(r.message) > MaxMessage {
				panic("over the limit")
			}
		}
	}
	return got
}

// oracle reads in with the codec's own reader.
func oracle(in []byte) (got []string) {
	src := bytes.NewReader(in)
	state := ws.StateServerSide
	var message []byte
	for {
		before := src.Len()
		h, err := ws.ReadHeader(src)
		if errors.Is(err, ws.ErrHeaderLengthMSB) {
			return append(got, "closed 1002")
		}
		if err != nil {
			return got
		}
		control := h.OpCode.IsControl()
		total := h.Length
		if !control {
			total += int64(len(message))
		}
		switch {
		case ws.CheckHeader(h, state) != nil, before-src.Len() != ws.HeaderSize(h):
			return append(got, "closed 1002")
		case h.OpCode == ws.OpBinary:
			return append(got, "closed 1003")
		case h.Length > 32<<10 || total > 128<<10:
			return append(got, "closed 1009")
		}
		payload := make([]byte, h.Length)
		n, err := io.ReadFull(src, payload)
		for i := range payload {
			payload[i] ^= h.Mask[i%4]
		}
		if control && err == nil {
			got = append(got, fmt.Sprintf("%d %q", h.OpCode, payload))
			continue
		}
		message = append(message, payload[:n]...)
		if !control && !beginsText(message, h.Fin && err == nil) {
			return append(got, "closed 1007")
		}
		if err != nil {
			return got
		}
		if !h.Fin {
			state = state.Set(ws.StateFragmented)
			continue
		}
		got = append(got, fmt.Sprintf("1 %q", message))
		message, state = nil, state.Clear(ws.StateFragmented)
	}
}

// beginsText tells whether b is UTF-8, or can be its beginning where that is enough.
func beginsText(b []byte, whole bool) bool {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			return !whole && !utf8.FullRune(b)
		}
		b = b[n:]
	}
	return true
}

func FuzzReadFrame(f *testing.F) {
	f.Add([]byte("\x81\x85\x01\x02\x03\x04helloworld"), 3)
	f.Add([]byte("\x01\x81\x00\x00\x00\x00a\x89\x80\x00\x00\x00\x00\x80\x81\x00\x00\x00\x00b"), 1)
	f.Add(append([]byte{0x81, 0xff}, bytes.Repeat([]byte{0xff}, 12)...), 100)
	f.Add(concat(frame(textPart, "a\xe2\x82"), frame(contEnd, "\xac")), 7) // a character in two frames
	f.Add(concat(frame(textPart, "a\xe2"), frame(contPart, "b")), 1)       // no character
	f.Add(append([]byte{0x81, 0xfe, 0, 1}, make([]byte, 5)...), 2)         // a length in too many bytes
	f.Fuzz(func(t *testing.T, in []byte, size int) {
		want := oracle(in)
		for _, size := range []int{1, max(1, size%1000), len(in) + 1} {
			if diff := cmp.Diff(want, frames(in, size)); diff != "" {
				t.Fatalf("in pieces of %d: %s", size, diff)
			}
		}
	})
}

// plain decodes the member action as encoding/json does, where the value is text.
func plain(body string) (action string, isJSON, isText bool) {
	if !json.Valid([]byte(body)) {
		return "", false, false
	}
	var object map[string]json.RawMessage
	if json.Unmarshal([]byte(body), &object) != nil {
		return "", true, false
	}
	value := object["action"]
	if len(value) == 0 || value[0] != '"' {
		return "", true, false
	}
	return action, true, json.Unmarshal(value, &action) == nil
}

// checkRoute compares the scanner with encoding/json.
func checkRoute(t *testing.T, body string) {
	t.Helper()
	s, err := parseSelection("$request.body.action")
	if err != nil {
		t.Fatal(err)
	}
	got, ok := s.eval(body, nil)
	want, isJSON, isText := plain(body)
	end, valid := scan(body, skipSpace(body, 0), 0, nil)
	valid = valid && skipSpace(body, end) == len(body)
	switch {
	case valid && !isJSON, !valid && isJSON && strings.Count(body, "[")+strings.Count(body, "{") < maxDepth:
		t.Errorf("%q: JSON is %v for the scanner and %v for encoding/json", body, valid, isJSON)
	case ok && !isJSON:
		t.Errorf("%q selects %q and is no JSON", body, got)
	case valid && isText && utf8.ValidString(body) && (!ok || string(got) != want):
		t.Errorf("%q selects %q %v, want %q", body, got, ok, want)
	}
}

func FuzzRoute(f *testing.F) {
	for _, body := range []string{
		`{"action":"x"}`, `{"action":"x","action":"y"}`,
		` {"a":[1,-0.5e+3,{"action":null}],"action":"\u00e9\n"} `,
		`{"ACTION":"x"}`, `[]`, `"`, `{"action":{"a":"b"}}`, `{"\u0061ction":"x"}`, `{"action":"\ud800"}`,
	} {
		f.Add(body)
	}
	f.Fuzz(checkRoute)
}

func TestRoute_JSONTestSuite(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(tools.Corpus(t, "JSONTestSuite"), "test_*", "*.json"))
	if err != nil || len(files) < 300 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	s, err := parseSelection("constant/${request.body.action}")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		checkRoute(t, string(text))
		checkRoute(t, `{"action":"x","more":`+string(text)+`}`)
		if name := filepath.Base(file); strings.HasPrefix(name, "y_") || strings.HasPrefix(name, "n_") {
			if _, ok := s.eval(string(text), nil); ok != strings.HasPrefix(name, "y_") {
				t.Errorf("%s is JSON: %v", name, ok)
			}
		}
	}
}

// Nesting is bounded, so that a message cannot make the stack grow without end.
func TestRoute_depth(t *testing.T) {
	deep := func(n int) string {
		return `{"action":"x","d":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}`
	}
	got := keysOf(t, "", []string{"x", "$default"}, deep(999), deep(1000), strings.Repeat("[", 30000))
	if diff := cmp.Diff([]string{"x", "$default", "$default"}, got); diff != "" {
		t.Error(diff)
	}
}

// The inputs of go-fuzz's WebSocket corpora, to the frame reader and over a socket.
func TestFrameReader_corpus(t *testing.T) {
	inputs := corpus(t)
	h := newRecorder()
	h.events = make(chan string, 100000)
	r := run(t, Config{Routes: map[string]Route{"$disconnect": {Handler: h}}})
	for i, in := range inputs {
		if diff := cmp.Diff(oracle(in), frames(in, 7)); diff != "" {
			t.Errorf("%q: %s", in, diff)
		}
		if i%8 == 0 {
			c := r.dial(t)
			c.raw(in)
			c.conn.Close()
		}
	}
	eventually(t, "all sockets are given back", func() bool { return r.Stats().Open == 0 })
}

func corpus(t *testing.T) (inputs [][]byte) {
	t.Helper()
	file, err := os.Open(tools.Corpus(t, "go-fuzz-corpus.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	for archive := tar.NewReader(unzipped); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.Typeflag != tar.TypeReg || !strings.Contains(header.Name, "websocket") {
			continue
		}
		text, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		inputs = append(inputs, text)
	}
	if len(inputs) < 1000 {
		t.Fatalf("%d inputs", len(inputs))
	}
	return inputs
}

//go:build !race && linux

package sqlitestore_test

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// call is a system call that changes files, or the line of an acknowledgement.
type call struct {
	kind string // create, write, truncate, sync, sync names, rename, remove, ack
	file string // its name in the folder, or the acknowledgement
	to   string // of rename
	at   int64  // of write; the length, of truncate
	data []byte
}

// traced are the system calls that are recorded; those with a question mark some machines do not have.
const traced = "?open,openat,write,pwrite64,fsync,fdatasync,ftruncate,?rename,?renameat,renameat2,?unlink,unlinkat"

var (
	straceHex   = regexp.MustCompile(`(?:\\x[0-9a-f]{2})+`)
	straceCall  = regexp.MustCompile(`^\d+ +(\w+)\((.*)\) += (\d+)`)
	straceBegin = regexp.MustCompile(`^(\d+) +(.*) <unfinished \.\.\.>$`)
	straceEnd   = regexp.MustCompile(`^(\d+) +<\.\.\. \w+ resumed>(.*)$`)
	straceFile  = regexp.MustCompile(`^\w+<([^>]*)>`)
)

// readTrace reads what strace has recorded of the files in dir, in the order in which the calls ended.
func readTrace(tb testing.TB, file, dir string) (calls []call) {
	tb.Helper()
	f, err := os.Open(file)
	ok(tb, err)
	begun := map[string]string{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		line := lines.Text()
		if m := straceBegin.FindStringSubmatch(line); m != nil {
			begun[m[1]] = m[2]
			continue
		}
		if m := straceEnd.FindStringSubmatch(line); m != nil {
			line = m[1] + " " + begun[m[1]] + m[2]
		}
		if m := straceCall.FindStringSubmatch(line); m != nil {
			if c, ok := parseCall(m[1], strings.Split(m[2], ", "), m[3], dir); ok {
				calls = append(calls, c)
			}
		}
	}
	ok(tb, lines.Err())
	ok(tb, f.Close())
	return calls
}

// parseCall gives a recorded call, unless it is of another folder or changes nothing that survives.
func parseCall(name string, args []string, result, dir string) (c call, ok bool) {
	number := func(s string) int64 { n, _ := strconv.ParseInt(s, 10, 64); return n }
	c.file = inFolder(args[0], dir)
	switch name {
	case "pwrite64":
		c.kind, c.data, c.at = "write", []byte(unhex(args[1])), number(args[3])
		c.data = c.data[:number(result)]
	case "ftruncate":
		c.kind, c.at = "truncate", number(args[1])
	case "fsync", "fdatasync":
		if c.kind = "sync"; c.file == "." {
			c.kind = "sync names"
		}
	case "open", "openat":
		if name == "openat" {
			args = args[1:]
		}
		if !strings.Contains(args[1], "O_CREAT") {
			return c, false
		}
		c.kind, c.file = "create", inFolder(args[0], dir)
	case "renameat", "renameat2":
		c.kind, c.file, c.to = "rename", inFolder(args[1], dir), inFolder(args[3], dir)
	case "rename":
		c.kind, c.to = "rename", inFolder(args[1], dir)
	case "unlink":
		c.kind = "remove"
	case "unlinkat":
		c.kind, c.file = "remove", inFolder(args[1], dir)
	case "write":
		text := unhex(args[1])
		c.kind, c.file = "ack", strings.TrimSpace(text)
		return c, strings.HasPrefix(text, "ACK ") || strings.HasPrefix(text, "DEL ")
	}
	return c, c.file != "" && c.file != "confab.lock" && !strings.HasSuffix(c.file, "-shm")
}

// inFolder gives a file's name in the folder: of an argument that is a path, or an open file.
func inFolder(arg, dir string) string {
	path := unhex(arg)
	if m := straceFile.FindStringSubmatch(path); m != nil {
		path = m[1]
	}
	name, err := filepath.Rel(dir, path)
	if err != nil || strings.HasPrefix(name, "..") {
		return ""
	}
	return name
}

// unhex gives what strace has written in hexadecimal, without quotes.
func unhex(s string) string {
	s = straceHex.ReplaceAllStringFunc(s, func(x string) string {
		b, err := hex.DecodeString(strings.ReplaceAll(x, `\x`, ""))
		if err != nil {
			return x
		}
		return string(b)
	})
	return strings.TrimSuffix(strings.TrimPrefix(s, `"`), `"`)
}

// disk is a folder on a disk that may lose what was not synced: content by file, names by folder.
type disk struct {
	names   map[string]*inode // as programs see them
	durable map[string]*inode // as they are after a power loss, at the least
	pending []call            // changes of names since the last sync of the folder
}

// inode is a file, whatever its name.
type inode struct {
	synced  []byte
	pending []call
}

func newDisk() *disk { return &disk{names: map[string]*inode{}, durable: map[string]*inode{}} }

// do carries out a call.
func (d *disk) do(c call) {
	node := d.names[c.file]
	switch {
	case c.kind == "sync names":
		d.durable, d.pending = maps.Clone(d.names), nil
	case c.kind == "create":
		if node == nil {
			d.names[c.file] = &inode{}
			d.pending = append(d.pending, c)
		}
	case c.kind == "ack" || node == nil:
	case c.kind == "rename" || c.kind == "remove":
		delete(d.names, c.file)
		if c.kind == "rename" {
			d.names[c.to] = node
		}
		d.pending = append(d.pending, c)
	case c.kind == "sync":
		for _, p := range node.pending {
			node.synced = p.apply(node.synced)
		}
		node.pending = nil
	default:
		node.pending = append(node.pending, c)
	}
}

// apply gives the content after a write or truncate.
func (c *call) apply(content []byte) []byte {
	end := c.at + int64(len(c.data))
	if c.kind == "truncate" && end < int64(len(content)) {
		return content[:end:end]
	}
	if grow := end - int64(len(content)); grow > 0 {
		content = append(content, make([]byte, grow)...)
	}
	copy(content[c.at:], c.data)
	return content
}

// crash writes what a power loss may leave to a new folder.
func (d *disk) crash(tb testing.TB, to string, random *rand.Rand) {
	tb.Helper()
	names := maps.Clone(d.durable)
	for _, c := range d.pending[:random.IntN(len(d.pending)+1)] {
		switch c.kind {
		case "create":
			names[c.file] = d.node(c.file)
		case "rename":
			names[c.to] = names[c.file]
			fallthrough
		case "remove":
			delete(names, c.file)
		}
	}
	ok(tb, os.MkdirAll(to, 0o700))
	way := random.IntN(4)
	for name, node := range names {
		if node != nil {
			ok(tb, os.WriteFile(filepath.Join(to, name), node.lose(way, random), 0o600))
		}
	}
}

// node gives the file that was created under a name and not renamed since, or was.
func (d *disk) node(name string) *inode {
	for at := name; ; {
		if n := d.names[at]; n != nil {
			return n
		}
		next := ""
		for _, c := range d.pending {
			if c.kind == "rename" && c.file == at {
				next = c.to
			}
		}
		if next == "" {
			return &inode{} // it was removed; its content does not matter
		}
		at = next
	}
}

// lose gives the content after a power loss: of what was not synced nothing (0), any part (1), any part
// with torn writes (2), or all (3).
func (n *inode) lose(way int, random *rand.Rand) []byte {
	const sector = 512
	content := append([]byte(nil), n.synced...)
	for _, c := range n.pending {
		if way == 0 || way < 3 && random.IntN(2) == 0 {
			continue
		}
		if way < 2 || way == 3 || c.kind == "truncate" || random.IntN(2) == 0 {
			content = c.apply(content)
			continue
		}
		for from := 0; from < len(c.data); {
			to := min(len(c.data), from+sector-int(c.at+int64(from))%sector)
			if random.IntN(2) == 0 {
				part := call{kind: "write", at: c.at + int64(from), data: c.data[from:to]}
				content = part.apply(content)
			}
			from = to
		}
	}
	return content
}

func (c call) String() string {
	return fmt.Sprintf("%s %s at %d, %d bytes", c.kind, c.file, c.at, len(c.data))
}

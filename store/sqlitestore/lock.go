package sqlitestore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/confab-chat/confab/chat"
)

// errLocked is what tryLock gives when another process has the lock.
var errLocked = errors.New("locked")

// lock takes the folder for this process until the file is closed. The file holds the process and
// its program, for the message to the next one.
func lock(dir string) (*os.File, error) {
	file := filepath.Join(dir, lockFile)
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, fileMode)
	if err != nil {
		return nil, err
	}
	if err := tryLock(f); err != nil {
		holder, _ := os.ReadFile(file)
		return nil, errors.Join(inUse(dir, string(holder), err), f.Close())
	}
	err = errors.Join(f.Chmod(fileMode), f.Truncate(0))
	if err == nil {
		_, err = fmt.Fprintf(f, "%d %s\n", os.Getpid(), program())
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// inUse says who has the folder.
func inUse(dir, holder string, err error) error {
	if !errors.Is(err, errLocked) {
		return fmt.Errorf("cannot lock %s: %w", dir, err)
	}
	pid, name, ok := strings.Cut(strings.TrimSpace(holder), " ")
	if _, e := strconv.Atoi(pid); !ok || e != nil {
		return chat.E(chat.Taken, "chat data in %s is in use by another process", dir)
	}
	return chat.E(chat.Taken, "chat data in %s is in use by %s (process %s)", dir, name, pid)
}

// program is the name of this program.
func program() string {
	name := filepath.Base(os.Args[0])
	return strings.TrimSuffix(name, ".exe")
}

package sqlitestore

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lockOffset is beyond what the file holds: a locked range cannot be read by others on Windows.
const lockOffset = 1 << 30

// tryLock takes the lock of an open file or gives errLocked; the system frees it when the process
// ends, however it ends.
func tryLock(f *os.File) error {
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	at := windows.Overlapped{Offset: lockOffset}
	err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, &at)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return errLocked
	}
	return err
}

package doctor

import (
	"context"

	"golang.org/x/sys/windows"
)

// openFiles finds nothing wrong: Windows has no such limit for sockets.
func openFiles(context.Context, Config) Finding {
	return Finding{Check: "open files", Verdict: OK, Text: "not limited on Windows"}
}

func freeBytes(folder string) (free uint64, err error) {
	name, err := windows.UTF16PtrFromString(folder)
	if err == nil {
		err = windows.GetDiskFreeSpaceEx(name, &free, nil, nil)
	}
	return free, err
}

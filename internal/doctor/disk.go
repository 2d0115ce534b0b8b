package doctor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Bounds of a disk that is fit for use.
const (
	littleSpace = 1 << 30               // bytes: about four million short messages
	noSpace     = 50 << 20              // bytes: the write-ahead log alone may take as much
	slowSync    = 20 * time.Millisecond // every acknowledgement waits for one
	syncs       = 20
	syncSize    = 4096
)

// existing is the nearest folder of a path that is there: the data folder may be yet to be made.
func existing(path string) (string, error) {
	path, err := filepath.Abs(path)
	for err == nil {
		if _, err = os.Stat(path); !errors.Is(err, fs.ErrNotExist) || path == filepath.Dir(path) {
			return path, err
		}
		path, err = filepath.Dir(path), nil
	}
	return path, err
}

// space looks at the room that is left.
func space(_ context.Context, c Config) Finding {
	f := Finding{Check: "free space", Verdict: OK}
	folder, err := existing(c.Data)
	var free uint64
	if err == nil {
		free, err = freeBytes(folder)
	}
	if err != nil {
		f.Verdict, f.Text = Fail, fmt.Sprintf("%s: %v", c.Data, err)
		return f
	}
	f.Text = fmt.Sprintf("%s: %.1f GB", c.Data, float64(free)/1e9)
	return f.judgeSpace(free)
}

func (f Finding) judgeSpace(free uint64) Finding {
	switch {
	case free < noSpace:
		f.Verdict = Fail
	case free < littleSpace:
		f.Verdict = Warn
	default:
		return f
	}
	f.Text += ": messages are refused when it is full; make room"
	return f
}

// syncing measures how long the disk takes to make a write durable.
func syncing(ctx context.Context, c Config) Finding {
	f := Finding{Check: "disk sync", Verdict: OK}
	folder, err := existing(c.Data)
	var times []time.Duration
	if err == nil {
		times, err = syncTimes(ctx, folder)
	}
	if err != nil {
		f.Verdict, f.Text = Fail, fmt.Sprintf("cannot write to %s: %v", folder, err)
		return f
	}
	return f.judgeSync(times)
}

func (f Finding) judgeSync(times []time.Duration) Finding {
	slices.Sort(times)
	median, worst := times[len(times)/2], times[len(times)-1]
	f.Text = fmt.Sprintf("%v, the median of %d; %v at worst", round(median), len(times), round(worst))
	if median > slowSync {
		f.Verdict = Warn
		f.Text += ": each acknowledgement waits so long; a local SSD takes below 2ms"
	}
	return f
}

func round(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }

// syncTimes appends to a file of its own in the folder, as the store does, and syncs each time.
func syncTimes(ctx context.Context, folder string) (times []time.Duration, err error) {
	file, err := os.CreateTemp(folder, ".confab-doctor-")
	if err != nil {
		return nil, err
	}
	defer func() {
		err = errors.Join(err, file.Close(), os.Remove(file.Name()))
	}()
	block := bytes.Repeat([]byte{1}, syncSize)
	for range syncs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		begin := time.Now()
		if _, err := file.Write(block); err != nil {
			return nil, err
		}
		if err := file.Sync(); err != nil {
			return nil, err
		}
		times = append(times, time.Since(begin))
	}
	return times, nil
}

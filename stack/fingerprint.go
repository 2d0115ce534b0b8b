package stack

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/confab-chat/confab/lambdahost"
)

// fingerprint tells versions of a function apart: by its settings, and by names, sizes and times of
// the files of its code and layers. "": it cannot be told.
func fingerprint(f *lambdahost.Function) string {
	h := sha256.New()
	fmt.Fprintf(h, "%#v", *f) // maps come sorted
	for _, dir := range slices.Concat([]string{f.Code}, f.Layers) {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			info, err := d.Info()
			if err == nil {
				fmt.Fprintf(h, "%q %d %d\n", path, info.Size(), info.ModTime().UnixNano())
			}
			return err
		})
		if err != nil {
			return ""
		}
	}
	return string(h.Sum(nil))
}

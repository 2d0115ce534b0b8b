package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"
)

// entry is a file of an archive.
type entry struct {
	name string
	mode fs.FileMode
	text []byte
}

// pack writes an archive, .zip or .tar.gz, with the files in one folder of its name, and gives its
// line of SHA256SUMS. Nothing but its arguments is in the bytes.
func pack(out, name string, zipped bool, files []entry, date time.Time) (sum string, err error) {
	write, file := writeTar, name+".tar.gz"
	if zipped {
		write, file = writeZip, name+".zip"
	}
	var archive bytes.Buffer
	if err := write(&archive, name, files, date.UTC().Truncate(2*time.Second)); err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	sum = fmt.Sprintf("%x  %s", sha256.Sum256(archive.Bytes()), file)
	return sum, os.WriteFile(filepath.Join(out, file), archive.Bytes(), 0o644)
}

func writeTar(w *bytes.Buffer, folder string, files []entry, date time.Time) error {
	packed, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(packed)
	for _, f := range files {
		header := &tar.Header{
			Name: folder + "/" + f.name, Mode: int64(f.mode), Size: int64(len(f.text)),
			ModTime: date, Format: tar.FormatPAX,
		}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if _, err := archive.Write(f.text); err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return packed.Close()
}

func writeZip(w *bytes.Buffer, folder string, files []entry, date time.Time) error {
	archive := zip.NewWriter(w)
	for _, f := range files {
		name := path.Join(folder, f.name)
		header := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: date}
		header.SetMode(f.mode)
		to, err := archive.CreateHeader(header)
		if err != nil {
			return err
		}
		if _, err := to.Write(f.text); err != nil {
			return err
		}
	}
	return archive.Close()
}

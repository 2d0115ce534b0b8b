package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var (
	someFiles = []entry{{"confab", 0o755, []byte("program")}, {"man/confab.1", 0o644, []byte("page")}}
	someDate  = time.Date(2026, 11, 21, 13, 4, 6, 0, time.FixedZone("", 3600))
)

func TestPack(t *testing.T) {
	for _, zipped := range []bool{false, true} {
		first, second := t.TempDir(), t.TempDir()
		sum, err := pack(first, "confab_1", zipped, someFiles, someDate)
		if err != nil {
			t.Fatal(err)
		}
		want, file, _ := strings.Cut(sum, "  ")
		text, err := os.ReadFile(filepath.Join(first, file))
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(text)); got != want {
			t.Errorf("%s has the sum %s, want %s", file, got, want)
		}
		list := untar
		if zipped {
			list = unzip
		}
		const files = "confab_1/confab 755 program 2026-11-21T12:04:06Z\n" +
			"confab_1/man/confab.1 644 page 2026-11-21T12:04:06Z\n"
		if got := list(t, text); got != files {
			t.Errorf("%s holds\n%swant\n%s", file, got, files)
		}
		again, err := pack(second, "confab_1", zipped, someFiles, someDate.In(time.UTC))
		if err != nil || again != sum {
			t.Errorf("the same files gave %s, %v, first %s", again, err, sum)
		}
	}
}

func untar(t *testing.T, text []byte) (list string) {
	t.Helper()
	packed, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	archive := tar.NewReader(packed)
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		list += fmt.Sprintf("%s %o %s %s\n", h.Name, h.Mode, data, h.ModTime.UTC().Format(time.RFC3339))
	}
}

func unzip(t *testing.T, text []byte) (list string) {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		list += fmt.Sprintf("%s %o %s %s\n", f.Name, f.Mode().Perm(), data, f.Modified.UTC().Format(time.RFC3339))
	}
	return list
}

func TestChoose(t *testing.T) {
	all, err := choose("")
	if err != nil || len(all) != 8 {
		t.Errorf("got %v, %v, want all 8 targets", all, err)
	}
	two, err := choose("darwin/arm64,linux/amd64")
	if err != nil || fmt.Sprint(two) != "[darwin/arm64 linux/amd64]" {
		t.Errorf("got %v, %v", two, err)
	}
	if _, err := choose("plan9/amd64"); err == nil || !strings.Contains(err.Error(), "linux/amd64") {
		t.Errorf("got %v, want the valid targets named", err)
	}
}

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// noTime is the first that an archive can have (APPNOTE.TXT, 4.4.6). The function's archive does not say
// when it was made, so that commits which change nothing of the program deploy nothing, and no git is
// needed to make it.
var noTime = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)

// packFunction builds what deploy/template.yaml deploys: an archive with the bootstrap of both
// functions.
func packFunction(ctx context.Context, out, processor string) error {
	if processor != "arm64" && processor != "amd64" {
		return fmt.Errorf("no processor %q: Lambda has arm64 and amd64", processor)
	}
	work, err := os.MkdirTemp("", "confab-lambda-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()
	program := filepath.Join(work, "bootstrap")
	if err := build(ctx, target{"linux", processor}, program, "./cmd/confab-lambda"); err != nil {
		return err
	}
	text, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	var archive bytes.Buffer
	if err := writeZip(&archive, "", []entry{{"bootstrap", 0o755, text}}, noTime); err != nil {
		return err
	}
	file := filepath.Join(out, "confab-lambda.zip")
	err = errors.Join(os.MkdirAll(out, 0o755), os.WriteFile(file, archive.Bytes(), 0o644))
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d bytes for %s, SHA-256 %x\n", file, archive.Len(), processor,
		sha256.Sum256(archive.Bytes()))
	return nil
}

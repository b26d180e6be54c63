package auth

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"
)

const (
	// fileCheck is how often files are read to see whether they have changed.
	fileCheck = 5 * time.Second
	// maxFileBytes bounds a key file, certificate or key set.
	maxFileBytes = 1 << 20
)

// files are the key files of [auth]. Each is used at the start and again when its
// content has changed. If that fails, what was used before stays.
type files struct {
	log    *slog.Logger
	metric *metrics
	list   []*keyFile
}

type keyFile struct {
	key  string // such as "[auth.jwt] public_key_file"
	path string
	use  func(text []byte) error

	state [sha256.Size]byte // of the content, or the error, at the last check
}

// add uses a file now, and again when it changes. An empty path adds nothing.
//
// # Errors
//
// The file cannot be read or used.
func (f *files) add(key, path string, use func(text []byte) error) error {
	if path == "" {
		return nil
	}
	added := &keyFile{key: key, path: path, use: use}
	f.list = append(f.list, added)
	_, err := added.check()
	f.metric.files.WithLabelValues(key).Set(0)
	return err
}

// run looks for changes until ctx is done.
func (f *files) run(ctx context.Context) {
	tick := time.NewTicker(fileCheck)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			f.check()
		}
	}
}

// check uses the files that have changed.
func (f *files) check() {
	for _, file := range f.list {
		changed, err := file.check()
		switch {
		case !changed:
		case err != nil:
			f.metric.files.WithLabelValues(file.key).Set(1)
			f.log.Error("a changed file cannot be used; what it held before stays in use", "key", file.key, "error", err)
		default:
			f.metric.files.WithLabelValues(file.key).Set(0)
			f.log.Info("read a changed file", "key", file.key, "path", file.path)
		}
	}
}

// check uses the file, or finds that it cannot be read, unless it is as it was.
func (f *keyFile) check() (changed bool, err error) {
	text, err := readBounded(f.path)
	state := sha256.Sum256(text)
	if err != nil {
		err = fmt.Errorf("read %s: %w", f.key, err)
		state = sha256.Sum256([]byte(err.Error()))
	}
	if state == f.state {
		return false, nil
	}
	f.state = state
	if err != nil {
		return true, err
	}
	if err = f.use(text); err != nil {
		err = fmt.Errorf("%s %s: %w", f.key, f.path, err)
	}
	return true, err
}

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAll(f)
}

func readAll(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxFileBytes+1))
	if err == nil && len(text) > maxFileBytes {
		err = fmt.Errorf("it is over the limit of %d bytes", maxFileBytes)
	}
	return text, err
}

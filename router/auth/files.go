package auth

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"time"

	"horizon-realtime/router/regular"
)

// fileCheck is how often files are read to see whether they have changed.
const fileCheck = 5 * time.Second

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
	for _, each := range f.list {
		changed, err := each.check()
		switch {
		case !changed:
		case err != nil:
			f.metric.files.WithLabelValues(each.key).Set(1)
			f.log.Error("a changed file cannot be used; what it held before stays in use", "key", each.key, "error", err)
		default:
			f.metric.files.WithLabelValues(each.key).Set(0)
			f.log.Info("read a changed file", "key", each.key, "path", each.path)
		}
	}
}

// check uses the file, or finds that it cannot be read, unless it is as it was.
func (f *keyFile) check() (changed bool, err error) {
	text, err := regular.Read(f.path, regular.Most)
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

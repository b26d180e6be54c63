// Package regular opens files that people name.
//
// In: a path from the configuration, the command line or the folder of plugins.
// Out: what is in the file, if it is a regular one and not too large. A named pipe
// or a device in its place is refused and holds nobody up. Callers: everything that
// reads a file an operator names, but for recordings, which may come through a pipe.
package regular

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// Open opens a regular file for reading, and never waits for anybody to write to it.
//
// # Errors
//
// The system's, or that it is no regular file.
func Open(path string) (*os.File, fs.FileInfo, error) {
	// Before it is opened, as opening a device can set it going.
	info, err := os.Stat(path)
	var failed *fs.PathError
	if errors.As(err, &failed) {
		failed.Op = "open"
	}
	if err != nil {
		return nil, nil, err
	}
	if err := check(path, info); err != nil {
		return nil, nil, err
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	// And again, as something else may have taken its place.
	if info, err = f.Stat(); err == nil {
		err = check(path, info)
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// Read returns what is in a regular file of at most so many bytes.
//
// # Errors
//
// Those of Open, the system's, or that the file is larger.
func Read(path string, most int64) ([]byte, error) {
	f, info, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return All(f, info.Size(), most)
}

// KeyPair reads a certificate and its key, in PEM.
//
// # Errors
//
// Those of Read, or they are none or do not belong together.
func KeyPair(certFile, keyFile string) (tls.Certificate, error) {
	cert, err := Read(certFile, Most)
	if err != nil {
		return tls.Certificate{}, err
	}
	key, err := Read(keyFile, Most)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(cert, key)
}

// All returns what is left to read, if that is no more than so many bytes. If it is as
// many as size says, it is copied once only.
//
// # Errors
//
// The reader's, or that there is more.
func All(r io.Reader, size, most int64) ([]byte, error) {
	text := bytes.NewBuffer(make([]byte, 0, min(size, most)+bytes.MinRead))
	_, err := text.ReadFrom(io.LimitReader(r, most+1))
	if err == nil && int64(text.Len()) > most {
		return nil, fmt.Errorf("it is over the limit of %d bytes", most)
	}
	return text.Bytes(), err
}

// Most bounds what a person writes by hand, and keys and certificates, in bytes.
const Most = 1 << 20

func check(path string, info fs.FileInfo) error {
	what := "special file"
	switch mode := info.Mode(); {
	case mode.IsRegular():
		return nil
	case mode.IsDir():
		what = "folder"
	case mode&fs.ModeNamedPipe != 0:
		what = "named pipe"
	case mode&fs.ModeSocket != 0:
		what = "socket"
	case mode&fs.ModeDevice != 0:
		what = "device"
	}
	return fmt.Errorf("%s is a %s and no regular file", path, what)
}

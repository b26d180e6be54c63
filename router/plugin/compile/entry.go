package compile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"horizon-realtime/router/plugin/guest"
	"horizon-realtime/router/regular"
)

// An entry of the cache is a folder with the rewritten module, its machine code
// where the engine looks for it, and a description, which is written last.
const (
	imageFile       = "module.wasm"
	descriptionFile = "entry.json"
	// maxDescription bounds a description, maxFile the other files, in bytes.
	maxDescription = 1 << 20
	maxFile        = 1 << 32
)

// description is what descriptionFile holds, as JSON, behind a line with its
// checksum.
type description struct {
	guest.Image
	// Machine is the path of the machine code within the entry.
	Machine string `json:"machine"`
	// Sums are the checksums of the module and of the machine code. The engine has
	// one of its own, but not for all that it believes.
	Sums [2]uint32 `json:"sums"`
}

var polynomial = crc32.MakeTable(crc32.Castagnoli)

// store completes the entry in dir, where the machine code is already.
func store(dir string, image *guest.Image) error {
	if err := os.WriteFile(filepath.Join(dir, imageFile), image.Code, 0o600); err != nil {
		return err
	}
	d := description{Image: *image}
	found, err := fs.Glob(os.DirFS(dir), "*/*")
	if err != nil || len(found) != 1 {
		return fmt.Errorf("the engine left %d files, not one (%v)", len(found), err)
	}
	d.Machine = found[0]
	for i, name := range []string{imageFile, d.Machine} {
		if d.Sums[i], err = sum(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	info, err := os.Stat(filepath.Join(dir, d.Machine))
	if err != nil {
		return err
	}
	d.MachineBytes = info.Size()
	text, err := json.Marshal(d)
	if err != nil {
		return err
	}
	text = fmt.Appendf(nil, "%08x\n%s", crc32.Checksum(text, polynomial), text)
	return os.WriteFile(filepath.Join(dir, descriptionFile), text, 0o600)
}

// load loads the entry in dir.
//
// # Errors
//
// There is none (fs.ErrNotExist), or it is damaged or another engine's.
func load(dir string, o guest.Options) (*guest.Module, error) {
	d, err := describe(dir)
	if err != nil {
		return nil, err
	}
	if d.Code, err = regular.Read(filepath.Join(dir, imageFile), maxFile); err != nil {
		return nil, damaged(err)
	}
	machine, err := sum(filepath.Join(dir, d.Machine))
	if err != nil {
		return nil, damaged(err)
	}
	if d.Sums != [2]uint32{crc32.Checksum(d.Code, polynomial), machine} {
		return nil, errors.New("it is not as it was written")
	}
	o.CacheDir = dir
	return guest.Load(&d.Image, o)
}

func describe(dir string) (*description, error) {
	text, err := regular.Read(filepath.Join(dir, descriptionFile), maxDescription)
	if err != nil {
		return nil, err
	}
	check, text, _ := bytes.Cut(text, []byte("\n"))
	if string(check) != fmt.Sprintf("%08x", crc32.Checksum(text, polynomial)) {
		return nil, errors.New("its description is not as it was written")
	}
	d := new(description)
	return d, json.Unmarshal(text, d)
}

// damaged makes sure that an incomplete entry is not taken for a missing one.
func damaged(err error) error { return fmt.Errorf("it is incomplete: %s", err) }

func sum(path string) (uint32, error) {
	f, _, err := regular.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	h := crc32.New(polynomial)
	_, err = io.Copy(h, f)
	return h.Sum32(), err
}

package plugintool

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"horizon-realtime/sdk/abi"
	"horizon-realtime/sdk/sdktest"
)

// selfTestFolder holds the golden cases that a plugin ships.
const selfTestFolder = "selftests"

// addSelfTests puts the self-tests in the plugin's folder into the module, if
// there are any. The router runs them before it uses a version.
//
// # Errors
//
// A case cannot be read, or the module cannot be written.
func addSelfTests(dir, module string) error {
	folder := filepath.Join(dir, selfTestFolder)
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	cases, err := sdktest.Cases(folder)
	if err != nil {
		return err
	}
	text, err := json.Marshal(cases)
	if err != nil {
		return fmt.Errorf("write the self-tests: %w", err)
	}
	content := append([]byte{byte(len(abi.SelfTests))}, abi.SelfTests...)
	content = append(content, text...)
	section := append(binary.AppendUvarint([]byte{0}, uint64(len(content))), content...)
	f, err := os.OpenFile(module, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return fmt.Errorf("add the self-tests: %w", err)
	}
	_, err = f.Write(section)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("add the self-tests: %w", err)
	}
	return nil
}

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
// there are any; of a bundle those in each plugin's folder. The router runs them
// before it uses a version.
//
// # Errors
//
// A case cannot be read, or the module cannot be written.
func addSelfTests(dir, module string) error {
	cases, err := selfTests(filepath.Join(dir, selfTestFolder), "")
	if err != nil {
		return err
	}
	folders, err := filepath.Glob(filepath.Join(dir, "*", selfTestFolder))
	if err != nil {
		return fmt.Errorf("look for self-tests: %w", err)
	}
	for _, folder := range folders {
		its, err := selfTests(folder, filepath.Base(filepath.Dir(folder)))
		if err != nil {
			return err
		}
		cases = append(cases, its...)
	}
	if cases == nil {
		return nil
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

// selfTests reads a plugin's, if there are any.
func selfTests(folder, plugin string) ([]sdktest.Case, error) {
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	cases, err := sdktest.Cases(folder)
	for i := range cases {
		cases[i].Plugin = plugin
	}
	return cases, err
}

//go:build e2e

package e2e

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// TestStockFiltersCompiled runs every golden case of every stock plugin against
// the compiled module in the router's own host. The plugins' own tests run the
// same cases natively.
func TestStockFiltersCompiled(t *testing.T) {
	folders, err := filepath.Glob(filepath.Join(plugins, "*", "testdata"))
	if err != nil || len(folders) < 10 {
		t.Fatalf("found %d plugins in %s: %v", len(folders), plugins, err)
	}
	passed := regexp.MustCompile(`(?m)^(\d+) cases? passed$`)
	cases := 0
	for _, folder := range folders {
		name := filepath.Base(filepath.Dir(folder))
		t.Run(name, func(t *testing.T) {
			out, err := exec.Command(binary, "plugin", "test", "--cases", folder, "--plugin", name,
				"--config-file", "../../../router.toml", filepath.Join(plugins, "50-stock.wasm")).CombinedOutput()
			match := passed.FindSubmatch(out)
			if err != nil || match == nil {
				t.Fatalf("%v\n%s", err, out)
			}
			n, _ := strconv.Atoi(string(match[1]))
			cases += n
		})
	}
	if cases < 150 {
		t.Errorf("ran %d cases", cases)
	}
	t.Logf("%d cases of %d plugins", cases, len(folders))
}

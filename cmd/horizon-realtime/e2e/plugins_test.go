//go:build e2e

package e2e

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestStockFiltersCompiled runs every golden case of every stock plugin against
// the compiled module in the router's own host. The plugins' own tests run the
// same cases natively.
func TestStockFiltersCompiled(t *testing.T) {
	modules, err := filepath.Glob(filepath.Join(plugins, "50-*.wasm"))
	if err != nil || len(modules) < 10 {
		t.Fatalf("found %d modules in %s: %v", len(modules), plugins, err)
	}
	passed := regexp.MustCompile(`(?m)^(\d+) cases? passed$`)
	cases := 0
	for _, module := range modules {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(module), "50-"), ".wasm")
		t.Run(name, func(t *testing.T) {
			out, err := exec.Command(binary, "plugin", "test", "--cases", filepath.Join(plugins, name, "testdata"),
				"--config-file", "../../../router.toml", module).CombinedOutput()
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
	t.Logf("%d cases of %d plugins", cases, len(modules))
}

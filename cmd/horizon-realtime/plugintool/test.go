package plugintool

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"horizon-realtime/cmd/horizon-realtime/cli"
)

// testReport is what `plugin test` found out.
type testReport struct {
	// Native is absent if a .wasm was tested.
	Native *nativeReport `json:"native,omitempty"`
	// Wasm is absent if the native tests failed.
	Wasm *wasmReport `json:"wasm,omitempty"`
}

type nativeReport struct {
	OK     bool   `json:"ok"`
	Output string `json:"output"`
}

type wasmReport struct {
	File  string       `json:"file"`
	Cases []CaseResult `json:"cases"`
}

func newTest(o *options) *cobra.Command {
	var cases string
	var update, conform bool
	cmd := &cobra.Command{
		Use:   "test [DIR | FILE.wasm]",
		Short: "Run a plugin's golden cases, natively and compiled",
		Long: `Run a plugin's golden cases: a notification in, the expected emissions out, one JSON
file each (docs/writing-plugins.md). For a folder, its Go tests run first, natively; then
it is compiled, and the cases in DIR/testdata run against the module in the router's
plugin host. For a .wasm, only the latter. With --conformance, FILE.wasm is the plugin
that sdk/conformance/README.md describes, made with the SDK to be tested, and the cases
are those that every SDK has to pass. Exit code 1 means that a case failed.`,
		Example: `  horizon-realtime plugin test
  horizon-realtime plugin test --update     write what the plugin emits into the cases
  horizon-realtime plugin test --cases volumes/testdata 50-volumes.wasm
  horizon-realtime plugin test --conformance 50-conformance.wasm`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path := folder(args)
			compiled := strings.HasSuffix(path, ".wasm")
			if update && compiled {
				return cli.Mistake("--update: a folder's native tests write the cases; name the folder")
			}
			if conform && (!compiled || cases != "") {
				return cli.Mistake("--conformance: name a .wasm, and no --cases; it has its own")
			}
			chosen := cases != ""
			if !chosen {
				cases = filepath.Join(path, "testdata")
				if compiled {
					cases = filepath.Join(filepath.Dir(path), "testdata")
				}
			}
			t := pluginTest{options: o, cases: cases, chosen: chosen, update: update, conform: conform}
			err := t.run(cmd, path, compiled)
			if !o.json() || t.report == (testReport{}) {
				return err
			}
			return errors.Join(o.print(cmd.OutOrStdout(), t.report, nil), err)
		},
	}
	cmd.Flags().StringVar(&cases, "cases", "", "the folder of the golden cases (default testdata, beside the plugin)")
	cmd.Flags().BoolVar(&update, "update", false, "write what the plugin emits into the cases, for you to review")
	cmd.Flags().BoolVar(&conform, "conformance", false, "run the cases that every SDK has to pass")
	return cmd
}

// pluginTest is one run of `plugin test`.
type pluginTest struct {
	*options
	cases           string
	chosen          bool // by --cases
	update, conform bool
	report          testReport
}

func (t *pluginTest) run(cmd *cobra.Command, path string, compiled bool) error {
	setup, err := t.setup(cmd)
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	if t.json() {
		out = io.Discard
	}
	file := path
	if !compiled {
		var done func()
		if file, done, err = t.source(cmd, path, out, setup); err != nil {
			return err
		}
		defer done()
	}
	results, err := t.results(cmd, file, setup)
	if err != nil {
		return err
	}
	t.report.Wasm = &wasmReport{filepath.Base(file), results}
	return printCases(out, filepath.Base(file), results)
}

// results runs the cases; of a bundle those of each plugin, in the folder of its
// name.

func (t *pluginTest) results(cmd *cobra.Command, file string, setup Setup) ([]CaseResult, error) {
	if t.conform {
		return conform(cmd.Context(), file, setup)
	}
	found, err := inspect(cmd.Context(), file, "", setup)
	if err != nil {
		return nil, err
	}
	if t.chosen || found.Plugins == nil {
		return runCases(cmd.Context(), file, t.cases, setup)
	}
	var all []CaseResult
	for _, p := range found.Plugins {
		cases := filepath.Join(filepath.Dir(t.cases), p.Name, "testdata")
		if _, err := os.Stat(cases); err != nil {
			return nil, fmt.Errorf("find the cases of the plugin %s: %w; name one plugin with --plugin and its cases with --cases", p.Name, err)
		}
		setup.Plugin = p.Name
		results, err := runCases(cmd.Context(), file, cases, setup)
		if err != nil {
			return nil, err
		}
		for i := range results {
			results[i].Name = p.Name + "/" + results[i].Name
		}
		all = append(all, results...)
	}
	return all, nil
}

// source tests a folder natively and compiles it.
func (t *pluginTest) source(cmd *cobra.Command, dir string, out io.Writer, setup Setup) (file string, done func(), err error) {
	var native bytes.Buffer
	source, err := openSource(cmd.Context(), dir, io.MultiWriter(out, &native))
	if err != nil {
		return "", nil, err
	}
	fmt.Fprintln(out, "natively:")
	err = source.Test(cmd.Context(), t.update)
	t.report.Native = &nativeReport{err == nil, native.String()}
	if err != nil {
		return "", nil, err
	}
	source.Out = cmd.ErrOrStderr()
	temp, err := os.MkdirTemp("", "horizon-realtime-test-")
	if err != nil {
		return "", nil, fmt.Errorf("make a folder to build in: %w", err)
	}
	file = filepath.Join(temp, source.File())
	if _, err := build(cmd.Context(), source, file, "", setup); err != nil {
		os.RemoveAll(temp)
		return "", nil, err
	}
	return file, func() { os.RemoveAll(temp) }, nil
}

func printCases(out io.Writer, file string, results []CaseResult) error {
	fmt.Fprintf(out, "compiled, as %s:\n", file)
	failed := 0
	for _, r := range results {
		if r.OK {
			fmt.Fprintf(out, "  ok      %s\n", r.Name)
			continue
		}
		failed++
		fmt.Fprintf(out, "  FAILED  %s: %s\n", r.Name, r.About)
		for _, problem := range r.Problems {
			fmt.Fprintf(out, "          %s\n", strings.ReplaceAll(problem, "\n", "\n          "))
		}
		for _, line := range r.Log {
			fmt.Fprintf(out, "          it said %s: %s\n", line.Level, line.Text)
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %s failed", failed, counted(len(results), "case"))
	}
	fmt.Fprintf(out, "%s passed\n", counted(len(results), "case"))
	return nil
}

package sdk

import (
	"bytes"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestCompiledFilterIsLean builds a plugin that uses everything there is, and
// looks for functions of the packages that would double its size. Go keeps the
// names of all functions in a module, for its stack traces.
func TestCompiledFilterIsLean(t *testing.T) {
	file := filepath.Join(t.TempDir(), "filter.wasm")
	cmd := exec.Command("go", "build", "-buildmode=c-shared", "-ldflags=-s -w", "-o", file, "./conformance/filter")
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	module, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, there := range []string{"\x00runtime.mallocgc\x00", "\x00main.handle\x00", "\x00strconv."} {
		if !bytes.Contains(module, []byte(there)) {
			t.Errorf("there is no %q: names are no longer kept like that, so this test shows nothing", there)
		}
	}
	for _, name := range []string{"fmt", "reflect", "encoding/json", "encoding"} {
		if bytes.Contains(module, []byte("\x00"+name+".")) {
			t.Errorf("the module has functions of package %s", name)
		}
	}
	if limit := 2_100_000; len(module) > limit {
		t.Errorf("the module has %d bytes, over %d", len(module), limit)
	}
}

// tinygo are the packages that a plugin carries because of the SDK. All of them
// can be imported with TinyGo (https://tinygo.org/docs/reference/lang-support/stdlib/).
var tinygo = []string{"horizon-realtime/sdk/abi", "math/bits", "strconv", "unicode/utf16", "unicode/utf8", "unsafe"}

// TestTinyGosRules holds what a plugin carries of the SDK against what TinyGo
// cannot do in WebAssembly, or not in the same way: packages that it does not
// have, goroutines, recover, linkname, and other types than numbers and
// unsafe.Pointer in functions that cross the border. It is no build with TinyGo.
func TestTinyGosRules(t *testing.T) {
	target := build.Default
	target.GOOS, target.GOARCH, target.CgoEnabled = "wasip1", "wasm", false
	for _, dir := range []string{".", "abi"} {
		pkg, err := target.ImportDir(dir, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range pkg.Imports {
			if !slices.Contains(tinygo, path) {
				t.Errorf("package %s imports %s", pkg.Name, path)
			}
		}
		for _, name := range pkg.GoFiles {
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, filepath.Join(dir, name), nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if what := unsupported(n); what != "" {
					t.Errorf("%s: %s", files.Position(n.Pos()), what)
				}
				return true
			})
		}
	}
}

// unsupported says what TinyGo would not like about a piece of code.
func unsupported(n ast.Node) string {
	switch n := n.(type) {
	case *ast.GoStmt, *ast.SelectStmt, *ast.ChanType:
		return "goroutines"
	case *ast.Ident:
		if n.Name == "recover" {
			return "recover"
		}
	case *ast.Comment:
		if strings.HasPrefix(n.Text, "//go:linkname") {
			return "go:linkname"
		}
	case *ast.FuncDecl:
		if n.Doc == nil || !strings.Contains(n.Doc.List[len(n.Doc.List)-1].Text, "go:wasm") {
			return ""
		}
		fields := n.Type.Params.List
		if n.Type.Results != nil {
			fields = slices.Concat(fields, n.Type.Results.List)
		}
		for _, field := range fields {
			if !crosses(field.Type) {
				return "a type that does not cross the border of a module"
			}
		}
	}
	return ""
}

func crosses(t ast.Expr) bool {
	switch t := t.(type) {
	case *ast.Ident:
		return slices.Contains([]string{"int32", "uint32", "int64", "uint64", "float32", "float64"}, t.Name)
	case *ast.SelectorExpr:
		return t.Sel.Name == "Pointer"
	}
	return false
}

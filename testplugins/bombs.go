package testplugins

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// bombs are modules that are little to read and much to compile, or much of one
// thing. Each is text to put into a plugin that does nothing.
var bombs = map[string]func() string{
	"bomb-nesting":   func() string { return "(func " + strings.Repeat("(block ", 5001) + strings.Repeat(")", 5001) + ")" },
	"bomb-targets":   func() string { return "(func (block (br_table " + strings.Repeat("0 ", 10_002) + "(i32.const 0))))" },
	"bomb-types":     func() string { return numbered(10_001, "(type (func (param %s)))") },
	"bomb-params":    func() string { return "(func (param " + strings.Repeat("i32 ", 129) + "))" },
	"bomb-variables": func() string { return "(func (local " + strings.Repeat("i32 ", 10_001) + "))" },
	"bomb-exports":   func() string { return numbered(1001, `(func (export "a%d"))`) },
	"bomb-globals":   func() string { return numbered(1001, "(global i32 (i32.const %d))") },
	"bomb-elements":  func() string { return "(table 1 funcref) (func $f)" + strings.Repeat(" (elem func $f)", 10_001) },
	"bomb-data":      func() string { return strings.Repeat(` (data "")`, 100_001) },
	"bomb-body":      func() string { return "(func " + strings.Repeat("(drop (i32.const 1)) ", 400_000) + ")" },
	// Within all limits on what there may be.
	"bomb-functions": func() string { return strings.Repeat(" (func (result i32) (i32.const 1))", 20_000) },
	"bomb-switch":    func() string { return "(func (block (br_table " + strings.Repeat("0 ", 9_999) + "(i32.const 0))))" },
	"bomb-frames":    func() string { return "" },
	"bomb-live":      func() string { return live(60_000, 12_000) },
	"bomb-names":     func() string { return "" },
}

// numbered repeats a line with its number in it, or with so many types.
func numbered(n int, line string) string {
	var b strings.Builder
	for i := range n {
		if strings.Contains(line, "%s") {
			// A number in the digits i32 and i64, so that no two types are the same.
			fmt.Fprintf(&b, line+"\n", strings.NewReplacer("0", "i32 ", "1", "i64 ").Replace(fmt.Sprintf("%b", i)))
			continue
		}
		fmt.Fprintf(&b, line+"\n", i)
	}
	return b.String()
}

// live holds so many values on the stack while it goes through so many branches.
func live(values, branches int) string {
	return "(func " + strings.Repeat("(i32.load (i32.const 64)) ", values) +
		strings.Repeat("(if (i32.load (i32.const 0)) (then)) ", branches) + strings.Repeat("i32.add ", values-1) + "drop)"
}

func bomb(dir, name string) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(dir, "neighbour", "plugin.wat"))
	if err != nil {
		return nil, err
	}
	end := bytes.LastIndexByte(text, ')')
	text = append(text[:end:end], "\n"+bombs[name]()+")\n"...)
	folder, err := os.MkdirTemp("", "testplugin")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	source := filepath.Join(folder, "plugin.wat")
	if err := os.WriteFile(source, text, 0o600); err != nil {
		return nil, err
	}
	module, err := assemble(source, false)
	if err != nil {
		return nil, err
	}
	switch name {
	case "bomb-names":
		module = append(module, wrongNames()...)
	case "bomb-frames":
		module = withFrames(module, 10_000)
	}
	return module, nil
}

// wrongNames is a section of names that says it names two billion functions.
func wrongNames() []byte {
	names := append([]byte{4}, "name"...)
	names = append(names, 1, 7, 0xff, 0xff, 0xff, 0xff, 0x07, 0, 0)
	return append([]byte{0, byte(len(names))}, names...)
}

// withFrames adds so many functions, each of 10,000 variables in six bytes.
func withFrames(module []byte, n int) []byte {
	const types, functions, code = 1, 3, 10
	var out []byte
	var kind byte // the number of the type
	out = append(out, module[:8]...)
	for rest := module[8:]; len(rest) > 0; {
		id := rest[0]
		size, used := binary.Uvarint(rest[1:])
		payload := rest[1+used : 1+used+int(size)]
		rest = rest[1+used+int(size):]
		count, at := binary.Uvarint(payload)
		switch id {
		case types: // one more: () -> ()
			payload = append(binary.AppendUvarint(nil, count+1), append(payload[at:len(payload):len(payload)], 0x60, 0, 0)...)
			kind = byte(count)
		case functions:
			payload = append(binary.AppendUvarint(nil, count+uint64(n)), append(payload[at:len(payload):len(payload)], bytes.Repeat([]byte{kind}, n)...)...)
		case code:
			body := []byte{6, 1, 0x90, 0x4e, 0x7f, 0x0b}
			body[0] = byte(len(body) - 1)
			payload = append(binary.AppendUvarint(nil, count+uint64(n)), append(payload[at:len(payload):len(payload)], bytes.Repeat(body, n)...)...)
		}
		out = append(binary.AppendUvarint(append(out, id), uint64(len(payload))), payload...)
	}
	return out
}

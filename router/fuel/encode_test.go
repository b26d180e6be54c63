package fuel_test

import "slices"

// A few words of WebAssembly's binary format, enough to write hostile modules
// byte by byte.

const (
	i32, i64, f32, v128, funcref = 0x7f, 0x7e, 0x7d, 0x7b, 0x70
	void                         = 0x40
)

// parts is a module section by section; empty ones are left out.
type parts struct {
	types    [][]byte
	imports  [][]byte
	funcs    []byte // type index of each function
	tables   [][]byte
	memory   []byte
	globals  [][]byte
	exports  [][]byte
	start    []byte
	elements [][]byte
	bodies   [][]byte
	data     [][]byte
}

func (p parts) bytes() []byte {
	b := []byte("\x00asm\x01\x00\x00\x00")
	funcs := make([][]byte, len(p.funcs))
	for i, t := range p.funcs {
		funcs[i] = []byte{t}
	}
	vector := func(id byte, items [][]byte) {
		if len(items) > 0 {
			b = section(b, id, append(leb(len(items)), slices.Concat(items...)...))
		}
	}
	vector(1, p.types)
	vector(2, p.imports)
	vector(3, funcs)
	vector(4, p.tables)
	if p.memory != nil {
		vector(5, [][]byte{p.memory})
	}
	vector(6, p.globals)
	vector(7, p.exports)
	if p.start != nil {
		b = section(b, 8, p.start)
	}
	vector(9, p.elements)
	if len(p.data) > 0 {
		b = section(b, 12, leb(len(p.data)))
	}
	vector(10, p.bodies)
	vector(11, p.data)
	return b
}

func section(b []byte, id byte, payload []byte) []byte {
	return slices.Concat(b, []byte{id}, leb(len(payload)), payload)
}

func leb(n int) []byte {
	var b []byte
	for ; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}

// sleb is the signed form, for constants.
func sleb(n int) []byte {
	var b []byte
	for ; n < -64 || n > 63; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n)&0x7f)
}

func funcType(params, results []byte) []byte {
	return slices.Concat([]byte{0x60}, leb(len(params)), params, leb(len(results)), results)
}

func export(name string, kind, index byte) []byte {
	return slices.Concat(leb(len(name)), []byte(name), []byte{kind, index})
}

// code is a body without locals.
func code(parts ...[]byte) []byte { return codeWith(nil, parts...) }

// codeWith is a body with groups of locals, each a count and a type.
func codeWith(locals [][]byte, parts ...[]byte) []byte {
	b := append(leb(len(locals)), slices.Concat(locals...)...)
	b = append(append(b, slices.Concat(parts...)...), 0x0b)
	return append(leb(len(b)), b...)
}

func op(b ...byte) []byte    { return b }
func constant(n int) []byte  { return append([]byte{0x41}, sleb(n)...) }
func call(index byte) []byte { return []byte{0x10, index} }

func inLoop(parts ...[]byte) []byte {
	return slices.Concat([]byte{0x03, void}, slices.Concat(parts...), []byte{0x0c, 0, 0x0b})
}

// running is a module whose exported function `run` is the given code.
func running(of ...[]byte) parts {
	return parts{
		types:   [][]byte{funcType(nil, nil)},
		funcs:   []byte{0},
		exports: [][]byte{export("run", 0, 0)},
		bodies:  [][]byte{code(of...)},
	}
}

package search

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// What the pieces may use.
const (
	regionAt    = 4 << 20 // lines of memory, each of which holds where the next is
	regionBytes = 8 << 20
	tableSize   = 4096
	manyParams  = 100
	manyResults = 30
	pages       = 226
)

// module is an endless loop over pieces of code.
type module struct {
	names []string
	texts []string
}

// add puts a piece behind the others.
func (m *module) add(p piece, r *rand.Rand) {
	m.names = append(m.names, p.name)
	m.texts = append(m.texts, p.text(r))
}

// work is the function that the loop is in. It makes a new random number at each
// turn.
const work = `(func $work
	(local $i i32) (local $k i32) (local $p i32) (local $r i32) (local $x i64) (local $y i64)
	(local $g f32) (local $f f64) (local $v v128) (local $w v128) (local $h funcref)
	(local.set $i (i32.const 123456789)) (local.set $x (i64.const 0x123456789abcdef)) (local.set $y (i64.const 77))
	(local.set $f (f64.const 1.2345)) (local.set $g (f32.const 1.2345))
	(local.set $v (v128.const i64x2 0x123456789abcdef 0x3ff8123456789abc)) (local.set $w (v128.const i64x2 0x40081f1e1d1c1b1a 0x0706050403020100))
	(loop $work
		(local.set $r (i32.add (i32.mul (local.get $r) (i32.const 1664525)) (i32.const 1013904223)))
		%s
		(br $work)))`

// wat is the module's text. It does its work at each event, or if start is set as
// it starts.
func (m *module) wat(start bool) string {
	var b strings.Builder
	b.WriteString(`(module
	(import "hr" "subscribe" (func $subscribe (param i32 i32)))
	(import "hr" "config" (func $config (param i32 i32) (result i32)))
	(import "hr" "log" (func $log (param i32 i32 i32)))
	(import "hr" "field" (func $field (param i32 i32 i32 i32) (result i32)))
	(import "hr" "raw" (func $raw (param i32 i32) (result i32)))
	(import "hr" "kv_get" (func $kv_get (param i32 i32 i32 i32) (result i64)))
	(import "hr" "kv_set" (func $kv_set (param i32 i32 i32 i32 i32 i32) (result i32)))
	(import "hr" "kv_delete" (func $kv_delete (param i32 i32) (result i32)))
	(import "hr" "now" (func $now (result i64)))
	(import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
	(import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
	(import "wasi_snapshot_preview1" "sched_yield" (func $sched_yield (result i32)))
	(import "wasi_snapshot_preview1" "poll_oneoff" (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
	(import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
	(type $leaf (func (param i32) (result i32)))
`)
	fmt.Fprintf(&b, "\t(memory (export \"memory\") %d)\n\t(table $t %d funcref) (table $u %d funcref)\n", pages, tableSize, tableSize)
	b.WriteString("\t(elem (table $t) (i32.const 0) func")
	for i := range tableSize {
		fmt.Fprintf(&b, " $leaf%d", i%4)
	}
	b.WriteString(")\n\t(elem $some func $leaf0 $leaf1 $leaf2 $leaf3 $leaf0 $leaf1 $leaf2 $leaf3)\n\t(elem $dropped func $leaf0)\n")
	for i := range 4 {
		fmt.Fprintf(&b, "\t(func $leaf%d (type $leaf) (i32.add (local.get 0) (i32.const %d)))\n", i, i)
	}
	fmt.Fprintf(&b, "\t(func $many (param %s))\n", strings.Repeat("i64 ", manyParams))
	fmt.Fprintf(&b, "\t(func $multi (result %s) %s)\n", strings.Repeat("i64 ", manyResults), strings.Repeat("(i64.const 3) ", manyResults))
	fmt.Fprintf(&b, "\t(func $wide (local %s))\n", strings.Repeat("i64 ", 2000))
	b.WriteString("\t(func $down (param i32) (if (local.get 0) (then (call $down (i32.sub (local.get 0) (i32.const 1))))))\n")
	b.WriteString("\t(global $x (mut i64) (i64.const 0)) (global $v (mut v128) (v128.const i64x2 0 0))\n")
	fmt.Fprintf(&b, "\t(data (i32.const 0) \"on compute.*\\0a\") (data (i32.const 256) \"/payload/a/b\") (data (i32.const 288) \"/payload/zz\")\n"+
		"\t(data (i32.const 4096) \"%s\") (data $text \"%s\") (data $dropped \"x\")\n", strings.Repeat(`\00\00\20\00\00\10\00\00`, 256), strings.Repeat("ab", 2000))
	fmt.Fprintf(&b, work+"\n", strings.Join(m.texts, "\n\t\t"))
	before, during := "", "(call $work)"
	if start {
		before, during = during, before
	}
	fmt.Fprintf(&b, `	(func (export "hr_abi_1"))
	(func (export "hr_init") (result i64) (local $i i32)
		(loop $next
			(i32.store offset=4194304 (i32.shl (local.get $i) (i32.const 6))
				(i32.shl (i32.and (i32.add (i32.mul (local.get $i) (i32.const 24589)) (i32.const 12289)) (i32.const 131071)) (i32.const 6)))
			(i64.store offset=2097152 (i32.shl (local.get $i) (i32.const 3)) (i64.const 0x0a610a610a610a61))
			(local.set $i (i32.add (local.get $i) (i32.const 1)))
			(br_if $next (i32.lt_u (local.get $i) (i32.const 131072))))
		(call $subscribe (i32.const 0) (i32.const 13)) %s
		(i64.const 0x0000800000008000))
	(func (export "hr_event") (result i64) %s (i64.const 0)))
`, before, during)
	return b.String()
}

// assemble makes the module, with wabt's wat2wasm.
//
// # Errors
//
// It is not installed, or does not accept the text.
func (m *module) assemble(dir string, start bool) ([]byte, error) {
	in, out := filepath.Join(dir, "module.wat"), filepath.Join(dir, "module.wasm")
	if err := os.WriteFile(in, []byte(m.wat(start)), 0o600); err != nil {
		return nil, err
	}
	if said, err := exec.Command("wat2wasm", in, "-o", out).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("assemble %q with wat2wasm (Debian package wabt): %w\n%s", m.names, err, bytes.TrimSpace(said))
	}
	return os.ReadFile(out)
}

package search

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// machine is what depends on memory, tables and jumps. The local $p goes from one
// line of memory to the next at random (module), $r is a random number.
func machine() []piece {
	next := func(op string) func(r *rand.Rand) string {
		return func(*rand.Rand) string {
			return "(local.set $p " + strings.Repeat(fmt.Sprintf("(%s offset=%d ", op, regionAt), deep) + "(local.get $p)" + strings.Repeat(")", deep+1)
		}
	}
	return []piece{
		{"i32.load, each of the one before", next("i32.load")},
		{"i32.load, across a page", random("(local.set $i (i32.load offset=4198398 (i32.and (local.get $r) (i32.const 0x7ff000))))")},
		{"i64.load at random", random("(local.set $x (i64.load offset=$O (i32.and (local.get $r) (i32.const 0x7fffc0))))")},
		{"v128.load at random", random("(local.set $v (v128.load offset=$O (i32.and (local.get $r) (i32.const 0x7fffc0))))")},
		{"v128.load8x8_s at random", random("(local.set $v (v128.load8x8_s offset=$O (i32.and (local.get $r) (i32.const 0x7fffc0))))")},
		{"v128.load64_lane", random("(local.set $v (v128.load64_lane offset=$O 1 (local.get $p) (local.get $v)))")},
		{"i64.store at random", random("(i64.store offset=12582912 (i32.and (local.get $r) (i32.const 0x3fff)) (local.get $x))")},
		{"v128.store at random", random("(v128.store offset=12582912 (i32.and (local.get $r) (i32.const 0x1fffff)) (local.get $v))")},
		{"a store, and a load across it", random("(i32.store offset=65536 (i32.const 2) (local.get $i)) (local.set $x (i64.load offset=65536 (i32.const 0)))")},
		{"a random number", fixed("(local.set $r (i32.add (i32.mul (local.get $r) (i32.const 1664525)) (i32.const 1013904223)))")},
		{"memory.size", fixed("(local.set $i (memory.size))")},
		{"memory.grow by nothing", fixed("(local.set $i (memory.grow (i32.const 0)))")},
		{"memory.grow by too much", fixed("(local.set $i (memory.grow (i32.const 65000)))")},
		{"memory.grow", random("(local.set $i (memory.grow (i32.const $K)))")},
		{"memory.fill", random("(memory.fill (i32.const $A) (local.get $i) (i32.const $N))")},
		{"memory.copy", random("(memory.copy (i32.const $A) (i32.const $A) (i32.const $N))")},
		{"memory.copy at random", random("(memory.copy (i32.const $A) (i32.add (i32.const 4194304) (i32.and (local.get $r) (i32.const 0x7fffc0))) (i32.const $N))")},
		{"memory.init", random("(memory.init $text (i32.const $A) (i32.const 0) (i32.rem_u (i32.const $N) (i32.const 4000)))")},
		{"data.drop", fixed("(data.drop $dropped)")},
		{"global.get and set", fixed("(global.set $x (i64.add (global.get $x) (i64.const 1)))")},
		{"global.get and set, vectors", fixed("(global.set $v (v128.not (global.get $v)))")},
		{"table.get and set", random("(table.set $t (i32.const $I) (table.get $t (i32.const $I)))")},
		{"table.size", fixed("(local.set $i (table.size $t))")},
		{"table.grow by nothing", fixed("(local.set $i (table.grow $t (ref.null func) (i32.const 0)))")},
		{"table.grow by too much", fixed("(local.set $i (table.grow $t (ref.null func) (i32.const 0x7fffffff)))")},
		{"table.grow", random("(local.set $i (table.grow $u (ref.null func) (i32.const $K)))")},
		{"table.fill", random("(table.fill $u (i32.const 0) (ref.null func) (i32.rem_u (i32.const $N) (i32.const 4096)))")},
		{"table.copy", random("(table.copy $u $t (i32.const 0) (i32.const 0) (i32.rem_u (i32.const $N) (i32.const 4096)))")},
		{"table.init", random("(table.init $u $some (i32.const 0) (i32.const 0) (i32.rem_u (i32.const $N) (i32.const 8)))")},
		{"elem.drop", fixed("(elem.drop $dropped)")},
		{"ref.func", fixed("(local.set $h (ref.func $leaf0))")},
		{"ref.is_null", fixed("(local.set $i (ref.is_null (local.get $h)))")},
		{"call_indirect", random("(local.set $i (call_indirect $t (type $leaf) (local.get $i) (i32.const $I)))")},
		{"call_indirect at random", fixed("(local.set $i (call_indirect $t (type $leaf) (local.get $i) (i32.and (local.get $r) (i32.const %d))))", tableSize-1)},
		{"call", fixed("(local.set $i (call $leaf3 (local.get $i)))")},
		{"call with many parameters", fixed("(call $many %s)", strings.Repeat("(local.get $x) ", manyParams))},
		{"call with many results", fixed("(call $multi) %s", strings.Repeat("(local.set $x) ", manyResults))},
		{"call with many locals", fixed("(call $wide)")},
		{"recursion", random("(call $down (i32.const $K))")},
		{"br_table at random", func(*rand.Rand) string {
			var b strings.Builder
			b.WriteString(strings.Repeat("(block ", 16) + "(br_table 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 (i32.and (i32.shr_u (local.get $r) (i32.const 9)) (i32.const 15))))")
			for i := range 15 {
				fmt.Fprintf(&b, " (local.set $i (i32.add (local.get $i) (i32.const %d))))", i)
			}
			return b.String()
		}},
		{"if at random", random("(if (i32.and (i32.shr_u (local.get $r) (i32.rem_u (i32.const $N) (i32.const 31))) (i32.const 1)) (then (local.set $x (i64.add (local.get $x) (i64.const 1)))) (else (local.set $i (i32.sub (local.get $i) (i32.const 1)))))")},
		{"an empty loop", fixed("(local.set $k (i32.const 100)) (loop $k (br_if $k (local.tee $k (i32.sub (local.get $k) (i32.const 1)))))")},
		{"blocks with many values", fixed("(block (result %[1]s) %[2]s) %[3]s", strings.Repeat("i64 ", manyResults), strings.Repeat("(local.get $x) ", manyResults), strings.Repeat("(local.set $x) ", manyResults))},
	}
}

// host calls every function that a plugin may import, with long arguments and with short ones.
func host() []piece {
	return []piece{
		{"now", fixed("(local.set $x (call $now))")},
		{"log", random("(call $log (i32.rem_u (i32.const $I) (i32.const 4)) (i32.const $A) (i32.const $N))")},
		{"config", random("(local.set $i (call $config (i32.const $A) (i32.const $N)))")},
		{"raw", random("(local.set $i (call $raw (i32.const $A) (i32.const $N)))")},
		{"field of everything", random("(local.set $i (call $field (i32.const 0) (i32.const 0) (i32.const $A) (i32.const $N)))")},
		{"field, the length only", fixed("(local.set $i (call $field (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))")},
		{"field, far down", fixed("(local.set $i (call $field (i32.const 256) (i32.const 12) (i32.const 0) (i32.const 0)))")},
		{"field, missing", fixed("(local.set $i (call $field (i32.const 288) (i32.const 11) (i32.const 0) (i32.const 0)))")},
		{"field, ever another", fixed("(i32.store16 (i32.const 297) (i32.or (i32.and (local.get $r) (i32.const 0x0f0f)) (i32.const 0x3030))) " +
			"(local.set $r (i32.add (i32.mul (local.get $r) (i32.const 1664525)) (i32.const 1013904223))) " +
			"(local.set $i (call $field (i32.const 288) (i32.const 11) (i32.const 0) (i32.const 0)))")},
		{"kv_set", random("(i32.store (i32.const 320) (local.get $r)) (local.set $i (call $kv_set (i32.const 320) (i32.const 4) (i32.const $A) (i32.and (i32.const $N) (i32.const 0xffff)) (i32.const 0) (i32.const -1)))")},
		{"kv_get", random("(local.set $x (call $kv_get (i32.const 320) (i32.const 4) (i32.const $A) (i32.const $N)))")},
		{"kv_delete", fixed("(local.set $i (call $kv_delete (i32.const 320) (i32.const 4)))")},
		{"kv_set, and delete", fixed("(local.set $i (call $kv_set (i32.const 320) (i32.const 250) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const -1))) (local.set $i (call $kv_delete (i32.const 320) (i32.const 250)))")},
		{"random_get", random("(local.set $i (call $random_get (i32.const $A) (i32.const $N)))")},
		{"clock_time_get", fixed("(local.set $i (call $clock_time_get (i32.const 1) (i64.const 1) (i32.const 1024)))")},
		{"sched_yield", fixed("(local.set $i (call $sched_yield))")},
		{"poll_oneoff", fixed("(local.set $i (call $poll_oneoff (i32.const 4096) (i32.const 16384) (i32.const 256) (i32.const 1024)))")},
		{"fd_write of lines", random("(i32.store (i32.const 2048) (i32.const 2097152)) (i32.store (i32.const 2052) (i32.const $N)) (local.set $i (call $fd_write (i32.const 1) (i32.const 2048) (i32.const 1) (i32.const 1024)))")},
		{"fd_write of many buffers", fixed("(local.set $i (call $fd_write (i32.const 2) (i32.const 4096) (i32.const 256) (i32.const 1024)))")},
	}
}

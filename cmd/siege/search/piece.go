package search

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// piece is some code that leaves the stack as it was. It may use the locals, the
// functions and the globals that module declares.
type piece struct {
	name string
	text func(r *rand.Rand) string
}

// deep is how often an operation is applied to its own result.
const deep = 16

// pieces are all that there are: operations on numbers, memory, tables, jumps,
// calls, and functions of the host.
func pieces() []piece {
	return append(append(append(numbers(), vectors()...), machine()...), host()...)
}

func numbers() (all []piece) {
	for _, t := range []string{"i32", "i64"} {
		all = append(all, unary(t, t, "clz ctz popcnt extend8_s extend16_s")...)
		all = append(all, binary(t, "add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr", "7")...)
		all = append(all, through(t, "eqz", "i32", t)...)
		for _, op := range strings.Fields("eq lt_s lt_u ge_u") {
			all = append(all, piece{t + "." + op, fixed("(local.set $i (i32.add (local.get $i) (%s.%s (local.get $%s) (%s.const 3))))", t, op, home(t), t)})
		}
	}
	for _, t := range []string{"f32", "f64"} {
		all = append(all, unary(t, t, "abs neg ceil floor trunc nearest sqrt")...)
		for _, with := range []string{"0x1.8p+1", "0x1p-1070", "nan", "inf", "0x1.fffffep+120"} {
			if t == "f32" {
				with = strings.ReplaceAll(with, "-1070", "-140")
			}
			for _, p := range binary(t, "add sub mul div min max copysign", with) {
				p.name += " " + with
				all = append(all, p)
			}
		}
		for _, i := range []string{"i32", "i64"} {
			for _, sign := range []string{"s", "u"} {
				all = append(all, through(i, "trunc_sat_"+t+"_"+sign, t, "convert_"+i+"_"+sign)...)
			}
		}
		all = append(all, piece{t + ".lt", fixed("(local.set $i (i32.add (local.get $i) (%s.lt (local.get $%s) (%s.const 3))))", t, home(t), t)})
	}
	return append(all,
		piece{"i32.div_u of large numbers", fixed("(local.set $i %s(i32.or (local.get $i) (i32.const 1))%s)", strings.Repeat("(i32.div_u (i32.const -1) ", deep), strings.Repeat(")", deep))},
		piece{"i64.div_u of large numbers", fixed("(local.set $x %s(i64.or (local.get $x) (i64.const 1))%s)", strings.Repeat("(i64.div_u (i64.const -1) ", deep), strings.Repeat(")", deep))},
		piece{"i64.rem_s of large numbers", fixed("(local.set $x %s(local.get $x)%s)", strings.Repeat("(i64.or (i64.rem_s (i64.const 0x7fffffffffffffff) ", deep), strings.Repeat(") (i64.const 0x123456789abcdf))", deep))},
		piece{"f32.demote, f64.promote", func(*rand.Rand) string {
			return set("f64", nest("f64.promote_f32 (f32.demote_f64", ")", get("f64")))
		}},
		piece{"f64.reinterpret, i64.reinterpret", func(*rand.Rand) string {
			return set("f64", nest("f64.reinterpret_i64 (i64.reinterpret_f64", ")", get("f64")))
		}},
		piece{"i32.wrap, i64.extend", func(*rand.Rand) string {
			return set("i64", nest("i64.extend_i32_s (i32.wrap_i64", ")", get("i64")))
		}},
		piece{"select", fixed("(local.set $x (select (local.get $x) (local.get $y) (local.get $i)))")},
	)
}

func vectors() (all []piece) {
	all = append(all, unary("v128", "i8x16", "abs neg popcnt")...)
	all = append(all, unary("v128", "i64x2", "abs neg extend_low_i32x4_s extend_high_i32x4_u")...)
	all = append(all, unary("v128", "i32x4", "trunc_sat_f32x4_s trunc_sat_f32x4_u trunc_sat_f64x2_s_zero trunc_sat_f64x2_u_zero extadd_pairwise_i16x8_s")...)
	all = append(all, unary("v128", "f64x2", "sqrt ceil nearest convert_low_i32x4_s convert_low_i32x4_u promote_low_f32x4")...)
	all = append(all, unary("v128", "f32x4", "sqrt floor convert_i32x4_s convert_i32x4_u demote_f64x2_zero")...)
	all = append(all, unary("v128", "v128", "not")...)
	for shape, ops := range map[string]string{
		"i8x16": "swizzle add_sat_s min_u avgr_u narrow_i16x8_s eq gt_u", "i16x8": "mul q15mulr_sat_s extmul_low_i8x16_s",
		"i32x4": "mul dot_i16x8_s extmul_high_i16x8_u", "i64x2": "mul add gt_s extmul_low_i32x4_u",
		"f64x2": "div mul min pmax", "f32x4": "div max add", "v128": "and andnot",
	} {
		for _, op := range strings.Fields(ops) {
			all = append(all, piece{shape + "." + op, func(*rand.Rand) string {
				return set("v128", nest(shape+"."+op, " (local.get $w)", get("v128")))
			}})
		}
	}
	for _, shift := range strings.Fields("i8x16.shl i8x16.shr_s i8x16.shr_u i64x2.shr_s") {
		all = append(all, piece{shift, func(*rand.Rand) string {
			return set("v128", nest(shift, " (i32.const 3)", get("v128")))
		}})
	}
	for _, ask := range strings.Fields("i8x16.bitmask i16x8.bitmask i8x16.all_true i64x2.all_true v128.any_true") {
		all = append(all, piece{ask, fixed("(local.set $v (i8x16.splat (%s (local.get $v))))", ask)})
	}
	return append(all,
		piece{"i8x16.shuffle", fixed("(local.set $v (i8x16.shuffle 1 17 3 19 5 21 7 23 9 25 11 27 13 29 15 31 (local.get $v) (local.get $w)))")},
		piece{"v128.bitselect", fixed("(local.set $v (v128.bitselect (local.get $v) (local.get $w) (local.get $v)))")},
		piece{"i8x16.replace_lane", fixed("(local.set $v (i8x16.replace_lane 7 (local.get $v) (i8x16.extract_lane_s 3 (local.get $v))))")},
	)
}

// home is the local that holds values of a type.
func home(t string) string {
	return map[string]string{"i32": "i", "i64": "x", "f32": "g", "f64": "f", "v128": "v"}[t]
}

func get(t string) string        { return "(local.get $" + home(t) + ")" }
func set(t, value string) string { return "(local.set $" + home(t) + " " + value + ")" }

// nest applies an operation deep times: "(op (op … x tail) tail)".
func nest(op, tail, x string) string {
	if strings.Contains(op, "(") {
		tail = ")" // the second parenthesis
	}
	return strings.Repeat("("+op+" ", deep) + x + strings.Repeat(tail+")", deep)
}

func unary(t, shape, ops string) (all []piece) {
	for _, op := range strings.Fields(ops) {
		all = append(all, piece{shape + "." + op, func(*rand.Rand) string { return set(t, nest(shape+"."+op, "", get(t))) }})
	}
	return all
}

func binary(t, ops, constant string) (all []piece) {
	for _, op := range strings.Fields(ops) {
		all = append(all, piece{t + "." + op, func(*rand.Rand) string {
			return set(t, nest(t+"."+op, " ("+t+".const "+constant+")", get(t)))
		}})
	}
	return all
}

// through is an operation to another type, and the way back.
func through(to, op, from, back string) []piece {
	if op == "eqz" {
		return []piece{{to + ".eqz", fixed("(local.set $i (i32.add (local.get $i) (%s.eqz (local.get $%s))))", to, home(to))}}
	}
	return []piece{{to + "." + op + ", " + from + "." + back, func(*rand.Rand) string {
		return set(from, nest(from+"."+back+" ("+to+"."+op, "", get(from)))
	}}}
}

func fixed(text string, args ...any) func(*rand.Rand) string {
	text = fmt.Sprintf(text, args...)
	return func(*rand.Rand) string { return text }
}

// random fills the numbers into a text: $A an address, $N a length, $O an
// offset within the lines of memory, $I an index of the table.
func random(text string) func(*rand.Rand) string {
	return func(r *rand.Rand) string {
		lengths := []int{0, 1, 3, 7, 8, 63, 64, 65, 255, 4095, 4097, 1<<14 - 1, 1<<16 + 1, 1 << 20}
		return strings.NewReplacer(
			"$A", fmt.Sprint(regionAt+r.IntN(regionBytes)), "$N", fmt.Sprint(lengths[r.IntN(len(lengths))]),
			"$O", fmt.Sprint(regionAt+r.IntN(64)), "$I", fmt.Sprint(r.IntN(tableSize)),
			"$K", fmt.Sprint(1+r.IntN(1<<r.IntN(11))),
		).Replace(text)
	}
}

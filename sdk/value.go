package sdk

import (
	"strconv"

	"horizon-realtime/sdk/abi"
)

// Kind is what a value is.
type Kind uint8

// The kinds of a value. KindAbsent is that of the zero Value: the message has no such
// member, or it was a secret.
const (
	KindAbsent Kind = abi.Absent
	KindNull   Kind = abi.Null
	KindFalse  Kind = abi.False
	KindTrue   Kind = abi.True
	KindNumber Kind = abi.Number
	KindString Kind = abi.String
	KindObject Kind = abi.Object
	KindArray  Kind = abi.Array
)

// Value is a value of the message, of the configuration, or of some JSON text.
// Kind distinguishes absent, null and a value of another kind than expected; the
// getters return nothing for all three.
type Value struct {
	kind Kind
	// text is decoded where it is a string, the literal of a number, the JSON
	// text of an object or array, else empty.
	text string
}

// StringValue makes a string Value. The zero Value is absent.
func StringValue(text string) Value { return Value{KindString, text} }

// NullValue makes null.
func NullValue() Value { return Value{kind: KindNull} }

// Kind returns what the value is.
func (v Value) Kind() Kind { return v.kind }

// Known reports whether there is a value: it is neither absent nor null.
func (v Value) Known() bool { return v.kind > KindNull }

// Text is the content of a string, empty for anything else.
func (v Value) Text() string {
	if v.kind != KindString {
		return ""
	}
	return v.text
}

// Len is the length of Text or Literal, in bytes, whichever there is.
func (v Value) Len() int { return len(v.text) }

// Int is the value of a number without fraction that fits into 64 bits; ok tells
// whether it is one. strconv.ParseInt would bring 17 KB of error messages along.
func (v Value) Int() (n int64, ok bool) {
	digits, negative := v.text, false
	if digits != "" && digits[0] == '-' {
		digits, negative = digits[1:], true
	}
	const most = len("9223372036854775808")
	if v.kind != KindNumber || digits == "" || len(digits) > most {
		return 0, false
	}
	var u uint64
	for i := range len(digits) {
		digit := digits[i] - '0'
		if digit > 9 {
			return 0, false
		}
		u = u*10 + uint64(digit)
	}
	switch {
	case negative && u <= 1<<63:
		return -int64(u), true
	case !negative && u < 1<<63:
		return int64(u), true
	}
	return 0, false
}

// Float is the value of a number; ok reports whether it is one.
func (v Value) Float() (f float64, ok bool) {
	if v.kind != KindNumber {
		return 0, false
	}
	f, err := strconv.ParseFloat(v.text, 64)
	return f, err == nil
}

// Bool is the value of true and false; ok reports whether it is one of them.
func (v Value) Bool() (b, ok bool) {
	return v.kind == KindTrue, v.kind == KindTrue || v.kind == KindFalse
}

// BoolOr is Bool with a default.
func (v Value) BoolOr(otherwise bool) bool {
	if b, ok := v.Bool(); ok {
		return b
	}
	return otherwise
}

// Literal is the text of a number as the message has it, or the JSON text of an
// object or array; empty for anything else.
func (v Value) Literal() string {
	if v.kind == KindNumber || v.kind == KindObject || v.kind == KindArray {
		return v.text
	}
	return ""
}

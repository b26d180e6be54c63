package sdk

import (
	"strconv"
	"unsafe"
)

// maxDepth bounds how deep a JSON text may be nested; the router's bound is the
// same. What a message brings deeper than that becomes null.
const maxDepth = 64

// JSON builds one JSON text, in memory that it uses again for the next. What it
// builds is valid JSON in valid UTF-8 on one line, whatever it is given. The
// zero value is ready. Plugins mostly use the one that Event.Object lends.
//
// A member that is written again takes the place of the one before. A number that
// JavaScript would change, an integer beyond 2^53 or what is too large altogether,
// becomes a string of the same digits: the router refuses such numbers.
//
// Containers close by themselves: writing to one closes those inside of it.
// Writing to one that has been closed, or to one of an earlier text, is a
// mistake in the plugin and panics.
type JSON struct {
	// The buffer ends in the innermost container's bracket, or in the comma after
	// its last item, so that nothing need be asked before the next.
	buffer
	// top is the serial number of the innermost open container, 0 where the
	// buffer is not ready for an item.
	top uint32
	// open are the serial numbers of the open containers, the outermost first,
	// and ends the brackets that will close them.
	open   [maxDepth]uint32
	ends   [maxDepth]byte
	depth  int
	serial uint32
	// first is where the open containers begin in the text. seen has two bits for
	// each name in the innermost one, which other names may have, too, and outer
	// those of the containers around it.
	first [maxDepth]int32
	seen  uint64
	outer [maxDepth]uint64
	// number is one on its way into the text.
	number [32]byte
}

// ObjectBuilder writes the members of an object. It is a small value.
type ObjectBuilder struct{ place }

// ArrayBuilder writes the elements of an array. It is a small value.
type ArrayBuilder struct{ place }

// place is one container of a text.
type place struct {
	j      *JSON
	serial uint32
}

// Object begins a new text, an object. It ends the text that j built before.
func (j *JSON) Object() ObjectBuilder {
	j.n, j.depth = 0, 0
	return ObjectBuilder{j.begin('{')}
}

// Array begins a new text, an array. It ends the text that j built before.
func (j *JSON) Array() ArrayBuilder {
	j.n, j.depth = 0, 0
	return ArrayBuilder{j.begin('[')}
}

// Object begins the payload of an emission. The one before it can no longer be
// written to; it need not be, because Emit copies.
func (e *Event) Object() ObjectBuilder { return e.json.Object() }

// Text is the whole text, with everything closed. The containers that are open
// can still be written to, and then Text is to be asked for again: it is valid
// until then.
func (p place) Text() string {
	j := p.open()
	j.top = 0
	return alias(j.b[:j.close(&j.buffer)])
}

// Size is how many bytes the whole text takes so far, or one more.
func (p place) Size() int {
	j := p.open()
	return j.n + j.depth
}

// open makes sure that the container is, and gives its text.
func (p place) open() *JSON {
	j := p.j
	if j == nil || j.top == 0 || p.serial != j.open[0] && p.serial != j.top {
		j.ready(p.serial, false)
	}
	return j
}

// close writes the brackets of all that is open behind the text, which ends b, or
// over its last comma. It gives where they end.
func (j *JSON) close(b *buffer) int {
	n := b.n
	if b.b[n-1] == ',' {
		n--
	}
	for depth := j.depth; depth > 0; n++ {
		depth--
		b.b[n] = j.ends[depth]
	}
	return n
}

// begin opens a container.
func (j *JSON) begin(bracket byte) place {
	if j.depth == maxDepth {
		panic("sdk: JSON nested deeper than 64")
	}
	j.room(1)
	put8(j.to(), bracket)
	j.n++
	j.serial++
	j.open[j.depth], j.ends[j.depth] = j.serial, bracket+2 // { } and [ ] are two apart
	j.first[j.depth], j.outer[j.depth], j.seen = int32(j.n-1), j.seen, 0
	j.depth++
	j.top = j.serial
	return place{j, j.serial}
}

// end closes the innermost container, and leaves a comma behind it.
func (j *JSON) end() {
	j.depth--
	j.seen = j.outer[j.depth]
	if j.b[j.n-1] == ',' {
		j.n--
	}
	put16(j.to(), uint16(j.ends[j.depth])|','<<8)
	j.n += 2
	j.top = 0
	if j.depth > 0 {
		j.top = j.open[j.depth-1]
	}
}

// ready makes sure that the container of that serial number is open, takes back
// what Text has put there, and if wanted closes the containers inside.
func (j *JSON) ready(serial uint32, innermost bool) {
	if j == nil {
		panic(closed)
	}
	if j.top == 0 && j.depth > 0 {
		// Text overwrote the last comma, if there was one: an item's end.
		if j.b[j.n-1] == j.ends[j.depth-1] {
			j.b[j.n-1] = ','
		}
		j.top = j.open[j.depth-1]
	}
	depth := j.depth
	for depth > 0 && j.open[depth-1] != serial {
		depth--
	}
	if depth == 0 {
		panic(closed)
	}
	for innermost && j.depth > depth {
		j.end()
	}
}

const closed = "sdk: writing to JSON that is closed already"

const (
	// largestInteger is the largest that JavaScript's numbers tell from the next,
	// and largestExponent that of ten in numbers that are surely finite.
	largestInteger  = "9007199254740992"
	largestExponent = 307
	// surelyExact is how many characters a number may have and be none that
	// changes.
	surelyExact = 4
)

// changes reports whether JavaScript makes another number of this one.
func changes(number string) bool {
	if number[0] == '-' {
		number = number[1:]
	}
	digits, fraction := len(number), false // of the integer before
	for i := range len(number) {
		switch c := number[i]; {
		case c == '.':
			digits, fraction = i, true
		case c|0x20 == 'e':
			exponent := exponent(number[i+1:])
			return min(digits, i)+exponent > largestExponent+1
		}
	}
	if fraction {
		return digits > largestExponent+1
	}
	return digits > len(largestInteger) || digits == len(largestInteger) && number > largestInteger
}

// exponent reads that of a number, with its sign; very large ones are cut.
func exponent(text string) (n int) {
	for i := range len(text) {
		if c := text[i] - '0'; c <= 9 && n < 1<<16 {
			n = 10*n + int(c)
		}
	}
	if text[0] == '-' {
		return -n
	}
	return n
}

// literals are the texts of the values that have one.
var literals = [...]string{KindNull: "null", KindFalse: "false", KindTrue: "true"}

// member writes a member of the container of that serial number. The value is not
// absent.
func (j *JSON) member(serial uint32, key string, v Value) {
	if j == nil || serial != j.top {
		j.ready(serial, true)
	}
	text := v.text
	if v.kind != KindString {
		if v.kind > KindNumber || v.kind == KindNumber && len(text) > surelyExact && changes(text) {
			j.once(key)
			j.key(key)
			j.value(v)
			return
		}
		if v.kind < KindNumber {
			text = literals[v.kind]
		}
		j.room(len(key) + len(text) + len(`"":,`))
		to := j.to()
		put8(to, '"')
		to, bad, bits := putName(unsafe.Add(to, 1), key)
		if bad&highs != 0 || j.seen&bits == bits {
			j.once(key)
			j.key(key)
			j.literal(text)
			return
		}
		put16(to, '"'|':'<<8)
		to, _ = putText(unsafe.Add(to, 2), text)
		put8(to, ',')
		j.seen |= bits
		j.wrote(unsafe.Add(to, 1))
		return
	}
	j.room(len(key) + len(text) + len(`"":"",`))
	to := j.to()
	put8(to, '"')
	to, bad, bits := putName(unsafe.Add(to, 1), key)
	put32(to, '"'|':'<<8|'"'<<16)
	to, alsoBad := putText(unsafe.Add(to, 3), text)
	put16(to, '"'|','<<8)
	if (bad|alsoBad)&highs != 0 || j.seen&bits == bits {
		j.once(key)
		j.key(key)
		j.string(text)
		return
	}
	j.seen |= bits
	j.wrote(unsafe.Add(to, 2))
}

// key writes a member's key and the colon.
func (j *JSON) key(key string) {
	j.string(key)
	j.b[j.n-1] = ':' // for the comma
}

// once makes sure that the innermost container has no member of that name.
func (j *JSON) once(key string) {
	w := uint64(0)
	if len(key) >= 8 {
		w = load64(key, len(key)-8)
	} else if len(key) > 0 {
		w = short(key)
	}
	bits := mark(w)
	if j.seen&bits == bits {
		j.remove(key)
	}
	j.seen |= bits
}

// remove takes the member of that name out of the innermost container, if there is
// one.
func (j *JSON) remove(key string) {
	end := j.n
	j.string(key)
	name := alias(j.b[end : j.n-1])
	j.n = end
	first := int(j.first[j.depth-1])
	text := Value{KindObject, alias(j.b[first:end])}
	for i, at := 0, first+1; at < end; {
		_, _, i = text.item(i)
		next := first + i + 1 // behind the comma
		if j.b[at+len(name)] == ':' && alias(j.b[at:at+len(name)]) == name {
			copy(j.b[at:], j.b[next:end])
			j.n -= next - at
			return
		}
		at = next
	}
}

// string writes a string, and a comma.
func (j *JSON) string(s string) {
	j.room(len(s) + len(`"",`))
	to := j.to()
	put8(to, '"')
	to, bad := putText(unsafe.Add(to, 1), s)
	if bad&highs != 0 {
		j.escape(s)
		return
	}
	put16(to, '"'|','<<8)
	j.wrote(unsafe.Add(to, 2))
}

// literal writes text as it is, and a comma.
func (j *JSON) literal(text string) {
	j.room(len(text) + 1)
	to, _ := putText(j.to(), text)
	put8(to, ',')
	j.wrote(unsafe.Add(to, 1))
}

// value writes an element, or a member whose key is written.
func (j *JSON) value(v Value) {
	switch v.kind {
	case KindString:
		j.string(v.text)
	case KindNumber:
		if len(v.text) > surelyExact && changes(v.text) {
			j.string(v.text)
			return
		}
		j.literal(v.text)
	case KindFalse, KindTrue:
		j.literal(literals[v.kind])
	case KindObject, KindArray:
		if j.depth < maxDepth {
			j.container(v)
			return
		}
		fallthrough
	default:
		j.literal("null")
	}
}

// container writes a container of the message anew, which leaves its line breaks
// behind and lets nothing malformed through.
func (j *JSON) container(v Value) {
	bracket := byte('[')
	if v.kind == KindObject {
		bracket = '{'
	}
	j.begin(bracket)
	for key, item, at := v.item(0); at > 0; key, item, at = v.item(at) {
		if v.kind == KindObject {
			j.once(key)
			j.key(key)
		}
		j.value(item)
	}
	j.end()
}

// integer makes a value of a number, valid until the next.
func (p place) integer(n int64) Value {
	if 0 <= n && n <= 9 {
		return Value{KindNumber, "0123456789"[n : n+1]}
	}
	number := &p.at().number
	u := uint64(n)
	if n < 0 {
		u = -u
	}
	i := len(number) - 1
	for ; u > 9; i-- {
		number[i] = byte('0' + u%10)
		u /= 10
	}
	number[i] = byte('0' + u)
	if n < 0 {
		i--
		number[i] = '-'
	}
	return Value{KindNumber, alias(number[i:])}
}

// float is integer for any number, null where it is infinite or none.
func (p place) float(f float64) Value {
	if f-f != 0 {
		return NullValue()
	}
	return Value{KindNumber, alias(strconv.AppendFloat(p.at().number[:0], f, 'g', -1, 64))}
}

func boolean(b bool) Value {
	if b {
		return Value{kind: KindTrue}
	}
	return Value{kind: KindFalse}
}

func orNull(v Value) Value {
	if v.kind == KindAbsent {
		v.kind = KindNull
	}
	return v
}

// at makes the container the innermost one, ready for its next item.
func (p place) at() *JSON {
	if p.j == nil || p.serial != p.j.top {
		p.j.ready(p.serial, true)
	}
	return p.j
}

// member begins a member that is a container.
func (p place) member(key string, bracket byte) place {
	j := p.at()
	j.once(key)
	j.key(key)
	return j.begin(bracket)
}

// Object adds a member that is an object, to be filled.
func (o ObjectBuilder) Object(key string) ObjectBuilder { return ObjectBuilder{o.member(key, '{')} }

// Array adds a member that is an array, to be filled.
func (o ObjectBuilder) Array(key string) ArrayBuilder { return ArrayBuilder{o.member(key, '[')} }

// String adds a member. Bytes that are no UTF-8 become U+FFFD.
func (o ObjectBuilder) String(key, value string) {
	o.j.member(o.serial, key, Value{KindString, value})
}

// StringOrNull adds a member that is null where the text is empty.
func (o ObjectBuilder) StringOrNull(key, value string) {
	v := Value{KindString, value}
	if value == "" {
		v.kind = KindNull
	}
	o.j.member(o.serial, key, v)
}

// Int adds a member.
func (o ObjectBuilder) Int(key string, value int64) {
	o.j.member(o.serial, key, o.integer(value))
}

// Float adds a member, null where the value is infinite or no number.
func (o ObjectBuilder) Float(key string, value float64) { o.j.member(o.serial, key, o.float(value)) }

// Bool adds a member.
func (o ObjectBuilder) Bool(key string, value bool) { o.j.member(o.serial, key, boolean(value)) }

// Null adds a member.
func (o ObjectBuilder) Null(key string) { o.j.member(o.serial, key, NullValue()) }

// Value adds a member as it was in the message, and none if it is absent.
func (o ObjectBuilder) Value(key string, v Value) {
	if v.kind != KindAbsent {
		o.j.member(o.serial, key, v)
	}
}

// Raw adds a member that is JSON text already; null where it is not.
func (o ObjectBuilder) Raw(key, text string) { o.j.member(o.serial, key, orNull(Parse(text))) }

// Object adds an element that is an object, to be filled.
func (a ArrayBuilder) Object() ObjectBuilder { return ObjectBuilder{a.at().begin('{')} }

// Array adds an element that is an array, to be filled.
func (a ArrayBuilder) Array() ArrayBuilder { return ArrayBuilder{a.at().begin('[')} }

// String adds an element. Bytes that are no UTF-8 become U+FFFD.
func (a ArrayBuilder) String(value string) { a.at().string(value) }

// Int adds an element.
func (a ArrayBuilder) Int(value int64) { a.at().value(a.integer(value)) }

// Float adds an element, null where the value is infinite or no number.
func (a ArrayBuilder) Float(value float64) { a.at().value(a.float(value)) }

// Bool adds an element.
func (a ArrayBuilder) Bool(value bool) { a.at().value(boolean(value)) }

// Null adds an element.
func (a ArrayBuilder) Null() { a.at().value(NullValue()) }

// Value adds an element as it was in the message, null if it is absent.
func (a ArrayBuilder) Value(v Value) { a.at().value(orNull(v)) }

// Raw adds an element that is JSON text already; null where it is not.
func (a ArrayBuilder) Raw(text string) { a.at().value(orNull(Parse(text))) }

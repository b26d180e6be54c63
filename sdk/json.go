package sdk

import (
	"strconv"
)

// maxDepth bounds how deep a JSON text may be nested; the router's bound is the
// same. What a message brings deeper than that becomes null.
const maxDepth = 64

// JSON builds one JSON text, in memory that it uses again for the next. What it
// builds is valid JSON in valid UTF-8 on one line, whatever it is given. The
// zero value is ready. Filters mostly use the one that Event.Object lends.
//
// Containers close by themselves: writing to one closes those inside of it.
// Writing to one that has been closed, or to one of an earlier text, is a
// mistake in the filter and panics.
type JSON struct {
	// buf ends in the innermost container's bracket, or in the comma after its
	// last item, so that nothing need be asked before the next.
	buf []byte
	// top is the serial number of the innermost open container, 0 where the
	// buffer is not ready for an item.
	top uint32
	// open are the serial numbers of the open containers, the outermost first,
	// and ends the brackets that will close them.
	open   [maxDepth]uint32
	ends   [maxDepth]byte
	depth  int
	serial uint32
	// end is how long buf is without what Text has put there.
	end int
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
	j.buf, j.depth = j.buf[:0], 0
	return ObjectBuilder{j.begin('{')}
}

// Array begins a new text, an array. It ends the text that j built before.
func (j *JSON) Array() ArrayBuilder {
	j.buf, j.depth = j.buf[:0], 0
	return ArrayBuilder{j.begin('[')}
}

// Object begins the payload of an emission. The one before it can no longer be
// written to; it need not be, because Emit copies.
func (e *Event) Object() ObjectBuilder { return e.json.Object() }

// Text is the whole text, with everything closed. The containers that are open
// can still be written to, and then Text is to be asked for again: it is valid
// until then.
func (p place) Text() string {
	p.ready(false)
	j := p.j
	j.end, j.top = len(j.buf), 0
	for i := j.depth - 1; i >= 0; i-- {
		j.closeWith(j.ends[i])
	}
	text := alias(j.buf)
	return text[:len(text)-1] // without the last comma
}

// begin opens a container.
func (j *JSON) begin(bracket byte) place {
	if j.depth == maxDepth {
		panic("sdk: JSON nested deeper than 64")
	}
	j.serial++
	j.buf = append(j.buf, bracket)
	j.open[j.depth], j.ends[j.depth] = j.serial, bracket+2 // { } and [ ] are two apart
	j.depth++
	j.top = j.serial
	return place{j, j.serial}
}

// closeWith ends a container, and leaves a comma behind it.
func (j *JSON) closeWith(bracket byte) {
	if last := len(j.buf) - 1; j.buf[last] == ',' {
		j.buf[last] = bracket
	} else {
		j.buf = append(j.buf, bracket)
	}
	j.buf = append(j.buf, ',')
}

// at makes the container the innermost one, ready for its next item.
func (p place) at() *JSON {
	if p.j == nil || p.serial != p.j.top {
		p.ready(true)
	}
	return p.j
}

// ready takes back what Text has put there, makes sure that the container is
// open, and if wanted closes those inside of it.
func (p place) ready(innermost bool) {
	j := p.j
	if j == nil {
		panic(closed)
	}
	if j.top == 0 && j.depth > 0 {
		// Text overwrote the last comma, if there was one: an item's end.
		if j.buf = j.buf[:j.end]; j.buf[j.end-1] == j.ends[j.depth-1] {
			j.buf[j.end-1] = ','
		}
	}
	depth := j.depth
	for depth > 0 && j.open[depth-1] != p.serial {
		depth--
	}
	if depth == 0 {
		panic(closed)
	}
	for innermost && j.depth > depth {
		j.depth--
		j.closeWith(j.ends[j.depth])
	}
	j.top = j.open[j.depth-1]
}

const closed = "sdk: writing to JSON that is closed already"

func (o ObjectBuilder) member(key string) *JSON {
	j := o.at()
	j.buf = appendString(j.buf, key)
	j.buf[len(j.buf)-1] = ':' // appendString has left a comma
	return j
}

// Object adds a member that is an object, to be filled.
func (o ObjectBuilder) Object(key string) ObjectBuilder {
	return ObjectBuilder{o.member(key).begin('{')}
}

// Array adds a member that is an array, to be filled.
func (o ObjectBuilder) Array(key string) ArrayBuilder {
	return ArrayBuilder{o.member(key).begin('[')}
}

// String adds a member. Bytes that are no UTF-8 become U+FFFD.
func (o ObjectBuilder) String(key, value string) {
	o.at().member(key, value)
}

// StringOrNull adds a member that is null where the text is empty.
func (o ObjectBuilder) StringOrNull(key, value string) {
	if value == "" {
		o.Null(key)
		return
	}
	o.String(key, value)
}

// Int adds a member.
func (o ObjectBuilder) Int(key string, value int64) { o.member(key).int(value) }

// Float adds a member, null where the value is infinite or no number.
func (o ObjectBuilder) Float(key string, value float64) { o.member(key).float(value) }

// Bool adds a member.
func (o ObjectBuilder) Bool(key string, value bool) { o.member(key).bool(value) }

// Null adds a member.
func (o ObjectBuilder) Null(key string) { o.member(key).raw("null") }

// Value adds a member as it was in the message, and none if it is absent.
func (o ObjectBuilder) Value(key string, v Value) {
	switch v.kind {
	case KindString:
		o.at().member(key, v.text)
	case KindAbsent:
	default:
		o.member(key).value(v)
	}
}

// Raw adds a member that is JSON text already; null where it is not.
func (o ObjectBuilder) Raw(key, text string) { o.member(key).value(orNull(Parse(text))) }

// Object adds an element that is an object, to be filled.
func (a ArrayBuilder) Object() ObjectBuilder { return ObjectBuilder{a.at().begin('{')} }

// Array adds an element that is an array, to be filled.
func (a ArrayBuilder) Array() ArrayBuilder { return ArrayBuilder{a.at().begin('[')} }

// String adds an element. Bytes that are no UTF-8 become U+FFFD.
func (a ArrayBuilder) String(value string) { a.at().string(value) }

// Int adds an element.
func (a ArrayBuilder) Int(value int64) { a.at().int(value) }

// Float adds an element, null where the value is infinite or no number.
func (a ArrayBuilder) Float(value float64) { a.at().float(value) }

// Bool adds an element.
func (a ArrayBuilder) Bool(value bool) { a.at().bool(value) }

// Null adds an element.
func (a ArrayBuilder) Null() { a.at().raw("null") }

// Value adds an element as it was in the message, null if it is absent.
func (a ArrayBuilder) Value(v Value) { a.at().value(orNull(v)) }

// Raw adds an element that is JSON text already; null where it is not.
func (a ArrayBuilder) Raw(text string) { a.at().value(orNull(Parse(text))) }

func orNull(v Value) Value {
	if v.kind == KindAbsent {
		v.kind = KindNull
	}
	return v
}

func (j *JSON) raw(text string)     { j.buf = append(append(j.buf, text...), ',') }
func (j *JSON) string(value string) { j.buf = appendString(j.buf, value) }

func (j *JSON) int(value int64) {
	j.buf = append(strconv.AppendInt(j.buf, value, 10), ',')
}

func (j *JSON) bool(value bool) {
	if value {
		j.raw("true")
	} else {
		j.raw("false")
	}
}

func (j *JSON) float(value float64) {
	if value-value != 0 { // infinite, or no number
		j.raw("null")
		return
	}
	j.buf = append(strconv.AppendFloat(j.buf, value, 'g', -1, 64), ',')
}

func (j *JSON) value(v Value) {
	if j.depth == maxDepth && (v.kind == KindObject || v.kind == KindArray) {
		v.kind = KindNull
	}
	switch v.kind {
	case KindFalse:
		j.raw("false")
	case KindTrue:
		j.raw("true")
	case KindNumber:
		j.raw(v.text)
	case KindString:
		j.string(v.text)
	case KindObject:
		copyMembers(ObjectBuilder{j.begin('{')}, v)
	case KindArray:
		copyElements(ArrayBuilder{j.begin('[')}, v)
	default:
		j.raw("null")
	}
}

// copyMembers and copyElements write a container of the message anew, which
// leaves its line breaks behind and lets nothing malformed through.
func copyMembers(o ObjectBuilder, v Value) {
	for it := v.Items(); it.Next(); {
		o.Value(it.Key(), it.Value())
	}
	o.end()
}

func copyElements(a ArrayBuilder, v Value) {
	for it := v.Items(); it.Next(); {
		a.Value(it.Value())
	}
	a.end()
}

// end ends the container, so that what comes next stands beside it.
func (p place) end() {
	j := p.at()
	j.depth--
	j.closeWith(j.ends[j.depth])
	j.top = 0
	if j.depth > 0 {
		j.top = j.open[j.depth-1]
	}
}

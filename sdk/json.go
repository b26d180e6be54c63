package sdk

import (
	"strconv"
	"unicode/utf8"
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
	buf []byte
	// open are the serial numbers of the open containers, the outermost first,
	// and ends the brackets that will close them.
	open   [maxDepth]uint32
	ends   [maxDepth]byte
	depth  int
	serial uint32
}

// ObjectBuilder writes the members of an object. It is a small value.
type ObjectBuilder struct{ place }

// ArrayBuilder writes the elements of an array. It is a small value.
type ArrayBuilder struct{ place }

// place is one container of a text.
type place struct {
	j      *JSON
	depth  int
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
	p.check()
	j, end := p.j, len(p.j.buf)
	for i := j.depth - 1; i >= 0; i-- {
		j.buf = append(j.buf, j.ends[i])
	}
	text := alias(j.buf)
	j.buf = j.buf[:end]
	return text
}

func (j *JSON) begin(bracket byte) place {
	if j.depth == maxDepth {
		panic("sdk: JSON nested deeper than 64")
	}
	j.serial++
	j.buf = append(j.buf, bracket)
	j.open[j.depth], j.ends[j.depth] = j.serial, bracket+2 // { } and [ ] are two apart
	j.depth++
	return place{j, j.depth, j.serial}
}

func (p place) check() {
	if p.j == nil || p.depth > p.j.depth || p.j.open[p.depth-1] != p.serial {
		panic("sdk: writing to JSON that is closed already")
	}
}

// next closes what is inside of the container and writes the comma.
func (p place) next() *JSON {
	p.check()
	j := p.j
	for j.depth > p.depth {
		j.depth--
		j.buf = append(j.buf, j.ends[j.depth])
	}
	if last := j.buf[len(j.buf)-1]; last != '{' && last != '[' {
		j.buf = append(j.buf, ',')
	}
	return j
}

func (o ObjectBuilder) member(key string) *JSON {
	j := o.next()
	j.buf = append(appendString(j.buf, key), ':')
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
func (o ObjectBuilder) String(key, value string) { o.member(key).string(value) }

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
	if v.kind != KindAbsent {
		o.member(key).value(v)
	}
}

// Raw adds a member that is JSON text already; null where it is not.
func (o ObjectBuilder) Raw(key, text string) { o.member(key).value(orNull(Parse(text))) }

// Object adds an element that is an object, to be filled.
func (a ArrayBuilder) Object() ObjectBuilder { return ObjectBuilder{a.next().begin('{')} }

// Array adds an element that is an array, to be filled.
func (a ArrayBuilder) Array() ArrayBuilder { return ArrayBuilder{a.next().begin('[')} }

// String adds an element. Bytes that are no UTF-8 become U+FFFD.
func (a ArrayBuilder) String(value string) { a.next().string(value) }

// Int adds an element.
func (a ArrayBuilder) Int(value int64) { a.next().int(value) }

// Float adds an element, null where the value is infinite or no number.
func (a ArrayBuilder) Float(value float64) { a.next().float(value) }

// Bool adds an element.
func (a ArrayBuilder) Bool(value bool) { a.next().bool(value) }

// Null adds an element.
func (a ArrayBuilder) Null() { a.next().raw("null") }

// Value adds an element as it was in the message, null if it is absent.
func (a ArrayBuilder) Value(v Value) { a.next().value(orNull(v)) }

// Raw adds an element that is JSON text already; null where it is not.
func (a ArrayBuilder) Raw(text string) { a.next().value(orNull(Parse(text))) }

func orNull(v Value) Value {
	if v.kind == KindAbsent {
		v.kind = KindNull
	}
	return v
}

func (j *JSON) raw(text string)     { j.buf = append(j.buf, text...) }
func (j *JSON) string(value string) { j.buf = appendString(j.buf, value) }
func (j *JSON) int(value int64)     { j.buf = strconv.AppendInt(j.buf, value, 10) }

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
	j.buf = strconv.AppendFloat(j.buf, value, 'g', -1, 64)
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
	o.close()
}

func copyElements(a ArrayBuilder, v Value) {
	for it := v.Items(); it.Next(); {
		a.Value(it.Value())
	}
	a.close()
}

// close ends the container, so that what comes next stands beside it.
func (p place) close() {
	j := p.j
	j.depth = p.depth - 1
	j.buf = append(j.buf, j.ends[j.depth])
}

// safe are the bytes that a string's text may hold as they are.
var safe = func() (t [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// appendString writes a string with its quotes.
func appendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if safe[c] {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
			dst = append(append(dst, s[start:i]...), "\uFFFD"...)
		} else {
			dst = append(dst, s[start:i]...)
			switch c {
			case '"', '\\':
				dst = append(dst, '\\', c)
			case '\n':
				dst = append(dst, '\\', 'n')
			case '\r':
				dst = append(dst, '\\', 'r')
			case '\t':
				dst = append(dst, '\\', 't')
			default:
				dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			}
		}
		i++
		start = i
	}
	return append(append(dst, s[start:]...), '"')
}

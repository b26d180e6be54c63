// Command filter is the conformance plugin of the Go SDK. What it does is in
// ../README.md, in the same order.
package main

import (
	"errors"
	"strings"

	"horizon-realtime/sdk"
)

var (
	value    = sdk.Want("/payload/value")
	pointer  = sdk.Want("/payload/pointer")
	escaped  = sdk.Want("/payload/list/1/a~1b~0c")
	dotted   = sdk.Want("/payload/nova_object.data/uuid")
	do       = sdk.Want("/payload/do")
	key      = sdk.Want("/payload/key")
	text     = sdk.Want("/payload/text")
	seconds  = sdk.Want("/payload/seconds")
	settings sdk.Value
	count    int64
)

func init() {
	sdk.Register(sdk.Filter{On: []string{"volume.conformance.*", "conformance.exact"}, Start: start, Handle: handle})
}

func start(config sdk.Value) error {
	if refuse := config.Member("refuse"); refuse.Kind() == sdk.KindString {
		return errors.New(refuse.Text())
	}
	settings = config
	return nil
}

func handle(e *sdk.Event) {
	count++
	if e.Type() == "conformance.exact" {
		m := e.Object()
		m.Bool("heard", true)
		e.Emit(sdk.Admin("conformance"), "", m)
		return
	}
	m := e.Object()
	switch strings.TrimPrefix(e.Type(), "volume.conformance.") {
	case "value":
		describe(m.Object("wanted"), e.Get(value))
		describe(m.Object("asked"), e.Field("/payload/value"))
	case "size":
		v := e.Get(value)
		m.String("kind", kinds[v.Kind()])
		m.Int("bytes", int64(len(v.Text())))
		m.Int("asked", int64(len(e.Field("/payload/value").Text())))
		m.String("after", e.Get(dotted).Text())
	case "pointers":
		describe(m.Object("escaped"), e.Get(escaped))
		describe(m.Object("dotted"), e.Get(dotted))
	case "field":
		describe(m, e.Field(e.Get(pointer).Text()))
	case "standard":
		standard(m, e)
	case "raw":
		if raw := e.Raw(); len(raw) > 10_000 {
			m.Int("bytes", int64(len(raw)))
		} else {
			m.Raw("message", raw)
		}
	case "walk":
		describe(m.Object("member"), e.Get(value).Member("k"))
		items := m.Array("items")
		for it := e.Get(value).Member("list").Items(); it.Next(); {
			describe(items.Object(), it.Value())
		}
	case "over":
		if f, ok := e.Get(value).Float(); ok {
			m.Bool("over", f > 0.75)
		} else {
			m.Null("over")
		}
	case "parse":
		describe(m, sdk.Parse(e.Get(value).Text()))
	case "build":
		build(m, e.Get(value).Text())
	case "cut":
		m.String("text", e.Get(value).Text()[:2])
	case "config":
		describe(m.Object("greeting"), settings.Member("greeting"))
		m.Value("config", settings)
	case "log":
		for _, level := range []sdk.Level{sdk.Debug, sdk.Info, sdk.Warn, sdk.Error} {
			sdk.Log(level, e.Get(value).Text())
		}
		return
	case "store":
		store(m, e)
	case "emit":
		emit(e)
		return
	case "stop":
		m.Bool("stopping", true)
		e.Stop()
	case "hush":
		e.Stop()
		return
	case "count":
		m.Int("count", count)
	case "trap":
		e.Emit(sdk.Project(e.Project(), "conformance"), e.MessageID(), m)
		panic("told to")
	default:
		return
	}
	e.Emit(sdk.Project(e.Project(), "conformance"), e.MessageID(), m)
}

var kinds = [...]string{"absent", "null", "false", "true", "number", "string", "object", "array"}

func describe(m sdk.ObjectBuilder, v sdk.Value) {
	m.String("kind", kinds[v.Kind()])
	if v.Kind() == sdk.KindString {
		m.String("text", v.Text())
	} else {
		m.Null("text")
	}
	if n, ok := v.Int(); ok {
		m.Int("int", n)
	} else {
		m.Null("int")
	}
	if b, ok := v.Bool(); ok {
		m.Bool("bool", b)
	} else {
		m.Null("bool")
	}
	if v.Kind() == sdk.KindNumber {
		m.String("literal", v.Literal())
	} else {
		m.Null("literal")
	}
	m.Value("value", v)
}

func standard(m sdk.ObjectBuilder, e *sdk.Event) {
	m.StringOrNull("type", e.Type())
	m.StringOrNull("publisher", e.Publisher())
	m.StringOrNull("priority", e.Priority())
	m.StringOrNull("message_id", e.MessageID())
	m.StringOrNull("time", e.Time())
	m.StringOrNull("project", e.Project())
	m.StringOrNull("user", e.User())
	m.StringOrNull("request_id", e.RequestID())
	m.Int("now", e.Now())
}

func build(m sdk.ObjectBuilder, text string) {
	m.String("text", text)
	m.Int("min", -1<<63)
	m.Int("max", 1<<63-1)
	m.Int("zero", 0)
	m.Bool("yes", true)
	m.Bool("no", false)
	m.Null("nothing")
	m.Object("object")
	m.Array("array")
	nested := m.Object("nested")
	list := nested.Array("list")
	list.Int(1)
	list.String("two")
	list.Bool(true)
	list.Null()
	list.Array().Int(3)
	list.Object().Int("four", 4)
	nested.String("after", text)
	m.Int(text, 5)
}

func store(m sdk.ObjectBuilder, e *sdk.Event) {
	key, text := e.Get(key).Text(), e.Get(text).Text()
	n, _ := e.Get(seconds).Int()
	ttl := uint32(n)
	switch e.Get(do).Text() {
	case "set":
		m.Bool("done", e.KVSet(key, text, ttl))
	case "create":
		m.Bool("done", e.KVSwap(key, text, ttl, 0))
	case "swap":
		_, version := e.KVGet(key)
		m.Bool("done", e.KVSwap(key, text, ttl, version))
	case "stale":
		_, version := e.KVGet(key)
		e.KVSet(key, text, ttl)
		m.Bool("done", e.KVSwap(key, text, ttl, version))
	case "get":
		found, version := e.KVGet(key)
		m.Bool("found", version != 0)
		if version == 0 {
			m.Null("text")
		} else {
			m.String("text", found)
		}
	case "length":
		found, _ := e.KVGet(key)
		m.Int("bytes", int64(len(found)))
	case "delete":
		m.Bool("done", e.KVDelete(key))
	}
}

func emit(e *sdk.Event) {
	m := e.Object()
	m.Int("n", 1)
	e.Emit(sdk.Project(e.Project(), "first"), "k1", m)
	m = e.Object()
	m.Int("n", 2)
	e.Emit(sdk.User(e.User(), "second"), "", m)
	e.EmitRemoved(sdk.Admin("third"), "k3", e.Object())
}

func main() {}

// Command probe is a filter, written with the sdk, that emits what every
// function of the host gives it.
package main

import (
	"errors"
	"strconv"

	"horizon-realtime/sdk"
)

var wanted = []sdk.Field{
	sdk.Want("/payload/text"), sdk.Want("/payload/number"), sdk.Want("/payload/yes"), sdk.Want("/payload/no"),
	sdk.Want("/payload/null"), sdk.Want("/payload/object"), sdk.Want("/payload/list"), sdk.Want("/payload/missing"),
	sdk.Want("/other"), sdk.Want("/payload/list/1"), sdk.Want("/payload/big"),
}

var greeting string

func init() {
	sdk.Register(sdk.Filter{On: []string{"compute.*"}, Start: start, Handle: handle})
}

func start(config sdk.Value) error {
	greeting = config.Member("greeting").Text()
	if greeting == "go away" {
		return errors.New("nobody is at home")
	}
	sdk.Log(sdk.Info, "started with "+config.Literal())
	return nil
}

func handle(e *sdk.Event) {
	m := e.Object()
	m.String("standard", e.Type()+" "+e.Publisher()+" "+e.Priority()+" "+e.MessageID()+" "+e.Time()+" "+e.Project()+" "+e.User()+" "+e.RequestID())
	kinds := m.Array("kinds")
	for _, f := range wanted {
		kinds.Int(int64(e.Get(f).Kind()))
	}
	m.String("text", e.Get(wanted[0]).Text())
	m.Value("number", e.Get(wanted[1]))
	m.Value("object", e.Get(wanted[5]))
	m.Value("element", e.Get(wanted[9]))
	m.Int("big", int64(len(e.Get(wanted[10]).Text())))
	m.String("field", e.Field("/payload/text").Text())
	m.Int("raw", int64(len(e.Raw())))
	m.Int("now", e.Now())
	m.String("greeting", greeting)

	count, version := e.KVGet("count")
	n, _ := strconv.Atoi(count)
	m.Int("count", int64(n))
	m.Bool("swapped", e.KVSwap("count", strconv.Itoa(n+1), 60, version))
	m.Bool("swapped again", e.KVSwap("count", "lost", 60, version))
	m.Bool("set", e.KVSet("other", "x", 60))
	m.Bool("deleted", e.KVDelete("other"))
	m.Bool("deleted again", e.KVDelete("other"))
	e.EmitRemoved(sdk.Project(e.Project(), "probe"), "key", m)
	sdk.Log(sdk.Debug, "handled")
}

func main() {}

// Package common has what both plugins use.
package common

import "horizon-realtime/sdk"

var id = sdk.WantCommon("/payload/id")

// Emit tells one field to everybody.
func Emit(e *sdk.Event, topic string, f sdk.Field) {
	o := e.Object()
	o.Value(topic, e.Get(f))
	e.Emit(sdk.Public(topic), e.Get(id).Text(), o)
}

// Package states is one plugin of the bundle.
package states

import (
	"horizon-realtime/router/plugin/testdata/bundle/common"
	"horizon-realtime/sdk"
)

var state = sdk.Want("/payload/state")

func init() {
	sdk.Register(sdk.Filter{
		Name: "states", On: []string{"compute.*"}, Topics: []string{"states"}, Grants: []string{"admin"},
		Handle: func(e *sdk.Event) { common.Emit(e, "states", state) },
	})
}

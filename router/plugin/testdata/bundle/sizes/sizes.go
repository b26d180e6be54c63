// Package sizes is one plugin of the bundle.
package sizes

import (
	"horizon-realtime/router/plugin/testdata/bundle/common"
	"horizon-realtime/sdk"
)

var size = sdk.Want("/payload/size")

func init() {
	sdk.Register(sdk.Filter{
		Name: "sizes", On: []string{"compute.*"}, Topics: []string{"sizes"}, Grants: []string{"admin"},
		Handle: func(e *sdk.Event) { common.Emit(e, "sizes", size) },
	})
}

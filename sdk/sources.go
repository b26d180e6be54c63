//go:build !wasip1

package sdk

import "embed"

// Sources are the files of this package and of those below it, tests among
// them. The command line writes them into a new filter's folder, so that making
// one takes no network. A filter itself does not carry them.
//
//go:embed *.go abi internal sdktest
var Sources embed.FS

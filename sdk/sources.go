//go:build !wasip1

package sdk

import "embed"

// Sources are the files of this package and of those below it, tests among
// them. The command line writes them into a new plugin's folder, so that making
// one takes no network. A plugin itself does not carry them.
//
//go:embed *.go abi internal sdktest
var Sources embed.FS

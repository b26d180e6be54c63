package fuel

import (
	"crypto/sha256"
	"embed"
	"io/fs"
	"sync"
)

// sources is the text of this package: what Instrument makes of a module depends
// on it and on nothing else.
//
//go:embed added.go charge.go custom.go doc.go emit.go flow.go identity.go info.go instrument.go landing.go
//go:embed limits.go module.go move.go opcode.go reader.go scan.go sections.go tank.go write.go
var sources embed.FS

// Identity changes whenever this package does, so that nobody uses a module that
// another version of it rewrote.
var Identity = sync.OnceValue(func() [sha256.Size]byte {
	h := sha256.New()
	names, err := fs.Glob(sources, "*.go")
	if err != nil {
		panic(err) // the pattern is good
	}
	for _, name := range names {
		text, err := sources.ReadFile(name)
		if err != nil {
			panic(err) // it is in the program
		}
		h.Write(text)
	}
	return [sha256.Size]byte(h.Sum(nil))
})

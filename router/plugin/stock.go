package plugin

import (
	"crypto/sha256"
	"encoding/hex"
)

// StockFile is the name under which the stock set is loaded. A file of that name
// in the folder takes its place; unless it is the very same, it is a file like any
// other.
const StockFile = "50-stock.wasm"

// asks are the grants and the topics that a plugin asks for.
type asks struct{ grants, topics []string }

// stock is the stock set that the program carries.
type stock struct {
	module func() []byte
	digest [sha256.Size]byte
}

// newStock returns nil if there is none.
func newStock(module func() []byte) *stock {
	if module == nil {
		return nil
	}
	code := module()
	if code == nil {
		return nil
	}
	return &stock{module, sha256.Sum256(code)}
}

// is reports whether a file is the stock set.
func (s *stock) is(name string, module []byte) bool {
	return s != nil && name == StockFile && sha256.Sum256(module) == s.digest
}

// among adds the stock set to what was found in the folder, unless a file takes
// its place. Files stay in the order of their names.
func (s *stock) among(files []found) []found {
	if s == nil {
		return files
	}
	at := 0
	for at < len(files) && files[at].name < StockFile {
		at++
	}
	if at < len(files) && files[at].name == StockFile {
		return files
	}
	carried := found{name: StockFile, stamp: hex.EncodeToString(s.digest[:]), module: s.module}
	return append(files[:at:at], append([]found{carried}, files[at:]...)...)
}

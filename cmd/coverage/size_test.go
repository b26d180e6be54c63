package main

import (
	"testing"

	"horizon-realtime/plugins"
)

// maxStock is how big the stock set may be, in bytes. An empty Go program is
// 1.8 MB.
const maxStock = 2_500_000

func TestStockSetIsSmall(t *testing.T) {
	if n := len(plugins.Stock()); n == 0 || n > maxStock {
		t.Errorf("the stock set has %d bytes, and the limit is %d; without any, build it with `make plugins`; a package like fmt or strconv may have come along", n, maxStock)
	}
}

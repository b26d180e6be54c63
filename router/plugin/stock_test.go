package plugin

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"horizon-realtime/router/plugin/guest/guesttest"
)

// asking is a plugin that asks for a grant and a topic.
const asking = "on compute.*\ngrant admin\ntopic ports\n"

// permits is what each plugin may do, why, and what it asks for in vain.
func permits(h *Host) string {
	var b strings.Builder
	for _, s := range h.Status() {
		fmt.Fprintln(&b, s.File, s.Stock, s.Grants, s.GrantsFrom, s.Topics, s.TopicsFrom, s.AsksGrants, s.AsksTopics)
	}
	return b.String()
}

func TestStockSetHasWhatItAsksFor(t *testing.T) {
	module := guesttest.Assemble(t, guesttest.Silent(asking))
	c := testConfig(t)
	c.Stock = func() []byte { return module }
	for name, step := range map[string]struct {
		settings map[string]Settings
		files    []any
		want     string
	}{
		"carried": {want: "50-stock.wasm true [admin] the stock set [ports] the stock set [] []\n"},
		"its table decides": {
			settings: map[string]Settings{"stock": {Grants: []string{"stop"}, Topics: []string{"x"}}},
			want:     "50-stock.wasm true [stop] [plugin.stock] [x] [plugin.stock] [admin] [ports]\n",
		},
		"its table takes everything": {
			settings: map[string]Settings{"stock": {Grants: []string{}}},
			want:     "50-stock.wasm true [] [plugin.stock] [ports] the stock set [admin] []\n",
		},
		"the same file": {
			files: []any{StockFile, module},
			want:  "50-stock.wasm true [admin] the stock set [ports] the stock set [] []\n",
		},
		"a stranger's file of that name": {
			files: []any{StockFile, guesttest.Silent(asking + "\n")},
			want:  "50-stock.wasm false []  [stock]  [admin] [ports]\n",
		},
		"the same module under another name, and the order": {
			files: []any{"40-a.wasm", module, "60-b.wasm", module},
			want: "40-a.wasm false []  [a]  [admin] [ports]\n50-stock.wasm true [admin] the stock set [ports] the stock set [] []\n" +
				"60-b.wasm false []  [b]  [admin] [ports]\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.Dir = t.TempDir()
			h := testHost(t, c, step.settings, step.files...)
			if diff := cmp.Diff(step.want, permits(h)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFolderThatNobodyNamedNeedNotExist(t *testing.T) {
	t.Chdir(t.TempDir())
	c := testConfig(t)
	c.Dir = DefaultConfig().Dir
	if err := newTestHost(t, c, nil, slog.New(slog.DiscardHandler)).Load(context.Background()); err == nil {
		t.Error("there is neither a folder nor a stock set, and nobody says so")
	}
	c.Stock = func() []byte { return guesttest.Assemble(t, guesttest.Saying("1")) }
	h := newTestHost(t, c, nil, slog.New(slog.DiscardHandler))
	reload(t, h)
	if got := payloads(t, testRunner(t, h)); got != "stock: public/a||1" {
		t.Error(got)
	}
	if err := os.Mkdir(c.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	install(t, c.Dir, "60-a.wasm", guesttest.Assemble(t, guesttest.Saying("2")))
	reload(t, h)
	if err := os.RemoveAll(c.Dir); err != nil {
		t.Fatal(err)
	}
	if err := h.Load(context.Background()); err == nil || len(h.Status()) != 2 {
		t.Errorf("a folder that vanished: %v, %s", err, states(h))
	}
	c.Dir = "named"
	if err := newTestHost(t, c, nil, slog.New(slog.DiscardHandler)).Load(context.Background()); err == nil {
		t.Error("a folder that somebody named is not there, and nobody says so")
	}
}

func TestStockSetNeedsNoSignature(t *testing.T) {
	c := testConfig(t)
	c.RequireSignature, c.PublicKeys = true, []string{strings.Repeat("A", 43) + "="}
	c.Stock = func() []byte { return guesttest.Assemble(t, guesttest.Silent(asking)) }
	h := testHost(t, c, nil)
	if s := h.Status(); len(s) != 1 || s[0].State != Running {
		t.Errorf("got %+v", s)
	}
	install(t, c.Dir, StockFile, guesttest.Assemble(t, guesttest.Silent(asking+"\n")))
	reload(t, h)
	if s := h.Status()[0]; !strings.Contains(s.Refused, "it has no signature") {
		t.Errorf("a stranger's file of that name needs none: %+v", s)
	}
}

func TestStockSetThatAFileReplaces(t *testing.T) {
	c := testConfig(t)
	c.Stock = func() []byte { return guesttest.Assemble(t, guesttest.Silent(asking)) }
	h, log := loggingHost(t, c, nil, StockFile, guesttest.Saying("1"))
	if want := "the folder has a stock set that is not the program's"; !strings.Contains(log.String(), want) {
		t.Errorf("the log lacks %q:\n%s", want, log)
	}
	if got := payloads(t, testRunner(t, h)); got != "stock: public/a||1" {
		t.Error(got)
	}
}

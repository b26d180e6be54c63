//go:build e2e

package server

import (
	"net/http"
	"testing"
)

// TestOfficialJavaScriptClientOnOptions runs interop/options.test.mjs: what an
// operator can turn on, used by the official client.
func TestOfficialJavaScriptClientOnOptions(t *testing.T) {
	cfg := testConfig()
	cfg.Compression = true
	cfg.HistoryChannels = []string{"project/*/history"}
	cfg.PresenceChannels = []string{"project/*/presence"}
	cfg.ConnectsPerSecond = 20
	w := startTokensWith(t, cfg)
	mux := w.control(t)
	mux.HandleFunc("POST /herd", func(http.ResponseWriter, *http.Request) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.arriving.left = 5
	})
	w.interop(t, "options.test.mjs", mux)
}

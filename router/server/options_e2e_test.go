//go:build e2e

package server

import (
	"net/http"
	"testing"

	"horizon-realtime/router/server/clienttest"
)

// TestOfficialJavaScriptClientOnOptions runs interop/options.test.mjs: what an
// operator can turn on, used by the official client.
func TestOfficialJavaScriptClientOnOptions(t *testing.T) {
	cfg := testConfig()
	cfg.Compression = true
	cfg.HistoryChannels = []string{"project/*/history"}
	cfg.PresenceChannels = []string{"project/*/presence"}
	cfg.ConnectsPerSecond = 20
	w := startWithTokens(t, cfg)
	mux := w.control(t)
	mux.HandleFunc("POST /herd", func(rw http.ResponseWriter, r *http.Request) { // so many come that one is refused
		token := r.URL.Query().Get("token")
		for refused := false; !refused; {
			c := clienttest.DialTCP(t, w.address())
			c.Say(`{"id":1,"connect":{"token":"` + token + `"}}`)
			m := c.Hear()
			refused = m.Error != nil && m.Error.Code == 111
			c.Conn.Close()
		}
	})
	w.interop(t, "options.test.mjs", mux)
}

package admin

import (
	_ "embed"
	"net/http"
)

//go:embed console.html
var consolePage []byte

// console serves one page that shows readiness, plugins and the counters that
// matter, read from the endpoints beside it.
func (s *Server) console(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; connect-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; frame-ancestors 'none'")
	w.Write(consolePage)
}

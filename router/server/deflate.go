package server

import (
	"encoding/binary"
	"net/http"
	"strconv"
	"strings"
)

// inflaters is how many compressed messages from clients can be inflated at a
// time; each takes some hundred kilobytes. A power of two.
const inflaters = 4

const extensions = "Sec-Websocket-Extensions"

// negotiateDeflate tells whether a client and the server can compress, and
// leaves of what the client offers only what gws is to answer. A frame is made
// once for all subscribers, so neither side keeps a window from one message to
// the next, and the window is the largest there is: a client that wants a
// smaller one is sent nothing compressed.
func (s *Server) negotiateDeflate(r *http.Request) bool {
	offers := strings.Split(strings.Join(r.Header.Values(extensions), ","), ",")
	r.Header.Del(extensions)
	if !s.cfg.Compression {
		return false
	}
	for _, offer := range offers {
		if acceptable(offer) {
			r.Header.Set(extensions, "permessage-deflate")
			return true
		}
	}
	return false
}

// acceptable judges one offer of an extension (RFC 7692, section 7.1).
func acceptable(offer string) bool {
	parts := strings.Split(offer, ";")
	if strings.TrimSpace(parts[0]) != "permessage-deflate" {
		return false
	}
	seen := map[string]bool{}
	for _, part := range parts[1:] {
		name, value, has := strings.Cut(strings.TrimSpace(part), "=")
		name, value = strings.TrimSpace(name), strings.Trim(strings.TrimSpace(value), `"`)
		if seen[name] {
			return false
		}
		seen[name] = true
		switch name {
		case "server_no_context_takeover", "client_no_context_takeover":
			if has {
				return false
			}
		case "server_max_window_bits":
			if value != "15" {
				return false
			}
		case "client_max_window_bits":
			if n, err := strconv.Atoi(value); has && (err != nil || n < 8 || n > 15) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// terminal changes what gws says to a client whose compressed message cannot be
// inflated, or is over [server] frame_bytes then: after 1011, an internal error,
// the official clients would come back with it for ever; after 1009 they do not.
func terminal(closeFrame []byte) {
	const internalError, tooBig = 1011, 1009
	if len(closeFrame) >= 4 && binary.BigEndian.Uint16(closeFrame[2:]) == internalError {
		binary.BigEndian.PutUint16(closeFrame[2:], tooBig)
	}
}

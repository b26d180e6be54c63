package transport

import (
	"encoding/binary"
	"net/http"
	"strings"

	"horizon-realtime/router/wire"
)

// inflaters is how many compressed messages from clients can be inflated at the
// same time; each takes some hundred kilobytes. A power of two.
const inflaters = 4

const extensions = "Sec-Websocket-Extensions"

// negotiateDeflate reports whether a client and the server can compress, and
// leaves in the request only the offer that gws is to accept. A frame is made
// once for all subscribers, so neither side keeps a window from one message to
// the next, and the window is the largest there is: a client that wants a
// smaller one is sent nothing compressed.
func negotiateDeflate(r *http.Request, enabled bool) bool {
	offers := strings.Split(strings.Join(r.Header.Values(extensions), ","), ",")
	r.Header.Del(extensions)
	if !enabled {
		return false
	}
	for _, offer := range offers {
		if wire.AcceptableDeflate(offer) {
			r.Header.Set(extensions, "permessage-deflate")
			return true
		}
	}
	return false
}

// makeTerminal changes the code that gws gives a client whose compressed message
// cannot be inflated, or is then over [server] frame_bytes: after 1011, an
// internal error, the official clients would come back with it forever; after
// 1009 they do not.
func makeTerminal(closeFrame []byte) {
	const internalError, tooBig = 1011, 1009
	if len(closeFrame) >= 4 && binary.BigEndian.Uint16(closeFrame[2:]) == internalError {
		binary.BigEndian.PutUint16(closeFrame[2:], tooBig)
	}
}

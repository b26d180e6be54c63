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

// correctClose changes the code that gws gives a client whose compressed message
// is no good: 1011, an internal error, though the fault is the client's. It is
// 1009 if the message is over [server] frame_bytes once inflated, after which
// official clients do not come back, and 1007 if it cannot be inflated.
func correctClose(closeFrame []byte) {
	const internalError, tooBig, invalid = 1011, 1009, 1007
	if len(closeFrame) < 4 || binary.BigEndian.Uint16(closeFrame[2:]) != internalError {
		return
	}
	code := uint16(invalid)
	if string(closeFrame[4:]) == "gws: message too large" {
		code = tooBig
	}
	binary.BigEndian.PutUint16(closeFrame[2:], code)
}

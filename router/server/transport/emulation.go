package transport

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"horizon-realtime/router/wire"
)

// Emulation answers POST …/emulation: commands of a session whose transport goes
// one way only. By the 404 a client knows that its session is on another server,
// or on one that has stopped.
func (t *Transports) Emulation(w http.ResponseWriter, r *http.Request) {
	b, ok := t.body(w, r)
	if !ok {
		return
	}
	var request struct {
		Session string `json:"session"`
		Node    string `json:"node"`
		Data    string `json:"data"`
	}
	if err := json.Unmarshal(b, &request); err != nil {
		http.Error(w, "the body is an object with session, node and data", http.StatusBadRequest)
		return
	}
	s, err := t.sessions.Emulated(request.Node, request.Session)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	if s != nil {
		s.Handle([]byte(request.Data))
	}
	w.WriteHeader(http.StatusNoContent)
}

// body reads what a client sends in one request, within the bounds of a frame, or
// answers what is wrong with it.
func (t *Transports) body(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	if r.Header.Get("Content-Type") == "application/octet-stream" {
		w.Header().Set("Accept-Post", "application/json")
		http.Error(w, wire.JSONOnly.Reason, http.StatusUnsupportedMediaType)
		return nil, false
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(t.cfg.FrameBytes)))
	if tooBig := (*http.MaxBytesError)(nil); errors.As(err, &tooBig) {
		http.Error(w, "the body is over [server] frame_bytes", http.StatusRequestEntityTooLarge)
	} else if err != nil {
		http.Error(w, "cannot read the body", http.StatusBadRequest)
	}
	return b, err == nil
}

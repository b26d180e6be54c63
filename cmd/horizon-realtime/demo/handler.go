package demo

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"net/http"
	"strings"
	"time"
)

// maxRequest bounds the body of a request, in bytes.
const maxRequest = 4 << 10

// Deps are the parts of the router that the page needs.
type Deps struct {
	// Mint makes the tokens of the page's connections.
	Mint Mint
	// Position is where the hub's stream stands.
	Position func() (epoch string, offset uint64)
	// Prefix is the path under which clients connect: [server] prefix.
	Prefix string
	Log    *slog.Logger
}

// handler serves the page and what its buttons do.
type handler struct {
	cloud *Cloud
	deps  Deps
}

// Handler serves /project/instances, its assets under /demo/assets/, and the
// simulated cloud's API under /demo/api/; / redirects to the page. Requests
// that change something are refused if they come from another origin.
func Handler(cloud *Cloud, deps Deps) http.Handler {
	if deps.Log == nil {
		deps.Log = slog.Default()
	}
	h := &handler{cloud, deps}
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", http.RedirectHandler("/project/instances", http.StatusFound))
	newAssets(deps).register(mux)
	mux.HandleFunc("GET /demo/api/instances", h.list)
	mux.HandleFunc("POST /demo/api/instances", h.launch)
	mux.HandleFunc("POST /demo/api/instances/{id}/{action}", h.act)
	mux.HandleFunc("POST /demo/api/token", h.token)
	mux.HandleFunc("POST /demo/api/life", h.life)
	mux.HandleFunc("GET /demo/api/notifications", h.notifications)
	return secureHeaders(http.NewCrossOriginProtection().Handler(mux))
}

// secureHeaders says what the page may do: run its own script, and talk to its
// own origin.
func secureHeaders(next http.Handler) http.Handler {
	const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("X-Frame-Options", "DENY")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		next.ServeHTTP(w, r)
	})
}

func (h *handler) list(w http.ResponseWriter, r *http.Request) {
	// The position first: what happens after it is told again, and does no harm.
	epoch, offset := h.deps.Position()
	view, err := h.cloud.Instances(r.FormValue("project"))
	view.Position = Position{epoch, offset}
	h.answer(w, http.StatusOK, view, err)
}

func (h *handler) launch(w http.ResponseWriter, r *http.Request) {
	var ask struct{ Project, Name, Flavor, Image string }
	if !h.read(w, r, &ask) {
		return
	}
	id, err := h.cloud.Launch(r.Context(), ask.Project, ask.Name, ask.Flavor, ask.Image)
	h.answer(w, http.StatusAccepted, map[string]string{"id": id}, err)
}

func (h *handler) act(w http.ResponseWriter, r *http.Request) {
	var ask struct{ Project string }
	if !h.read(w, r, &ask) {
		return
	}
	id, ctx := r.PathValue("id"), r.Context()
	var err error
	switch action := r.PathValue("action"); action {
	case "suspend":
		err = h.cloud.Suspend(ctx, ask.Project, id)
	case "resume":
		err = h.cloud.Resume(ctx, ask.Project, id)
	case "delete":
		err = h.cloud.Delete(ctx, ask.Project, id)
	default:
		err = fmt.Errorf("%w: action %q; there are suspend, resume and delete", ErrNotFound, action)
	}
	h.answer(w, http.StatusAccepted, struct{}{}, err)
}

// token logs the page in as the project's user. The demo asks for no password:
// that is what Horizon's session is for.
func (h *handler) token(w http.ResponseWriter, r *http.Request) {
	var ask struct{ Project string }
	if !h.read(w, r, &ask) {
		return
	}
	p, err := projectByName(ask.Project)
	var token string
	if err == nil {
		token, err = h.deps.Mint(p.ID, p.User.ID)
	}
	h.answer(w, http.StatusOK, map[string]string{"token": token}, err)
}

func (h *handler) life(w http.ResponseWriter, r *http.Request) {
	var ask struct{ On bool }
	if !h.read(w, r, &ask) {
		return
	}
	h.cloud.SetLife(ask.On)
	h.answer(w, http.StatusOK, map[string]bool{"on": h.cloud.Alive()}, nil)
}

// notifications shows what the cloud publishes, as server-sent events, until
// the page goes away or the cloud stops.
func (h *handler) notifications(w http.ResponseWriter, r *http.Request) {
	recent, live, cancel := h.cloud.tap.watch()
	defer cancel()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	control := http.NewResponseController(w)
	send := func(raw Raw) bool {
		data, err := json.Marshal(raw)
		if err != nil {
			return false
		}
		// A server without deadlines is fine: the write fails when the page has gone.
		_ = control.SetWriteDeadline(time.Now().Add(10 * time.Second))
		_, err = fmt.Fprintf(w, "data: %s\n\n", data)
		return err == nil && control.Flush() == nil
	}
	w.WriteHeader(http.StatusOK)
	if err := control.Flush(); err != nil {
		return
	}
	for _, raw := range recent {
		raw.Past = true
		if !send(raw) {
			return
		}
	}
	for {
		select {
		case raw := <-live:
			if !send(raw) {
				return
			}
		case <-h.cloud.stopped:
			return
		case <-r.Context().Done():
			return
		}
	}
}

// read decodes a request's body, or answers the request and returns false.
func (h *handler) read(w http.ResponseWriter, r *http.Request, into any) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		writeJSON(w, http.StatusUnsupportedMediaType, problem{"the body is application/json"})
		return false
	}
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		writeJSON(w, http.StatusBadRequest, problem{"read the request: " + err.Error()})
		return false
	}
	return true
}

// problem is the body of every refusal.
type problem struct {
	Error string `json:"error"`
}

func (h *handler) answer(w http.ResponseWriter, status int, body any, err error) {
	switch {
	case err == nil:
		writeJSON(w, status, body)
	case errors.Is(err, ErrNotFound):
		writeJSON(w, http.StatusNotFound, problem{err.Error()})
	case errors.Is(err, ErrConflict):
		writeJSON(w, http.StatusConflict, problem{err.Error()})
	case errors.Is(err, ErrQuota):
		writeJSON(w, http.StatusForbidden, problem{err.Error()})
	case errors.Is(err, ErrStopped):
		writeJSON(w, http.StatusServiceUnavailable, problem{err.Error()})
	default:
		h.deps.Log.Error("answer the demo page", "error", err)
		writeJSON(w, http.StatusInternalServerError, problem{"something went wrong; the log says what"})
	}
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil { // none of our bodies can fail
		http.Error(w, "{}", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n'))
}

// trimPrefix is the prefix as the page joins paths to it: without the last slash.
func trimPrefix(prefix string) string { return strings.TrimRight(prefix, "/") }

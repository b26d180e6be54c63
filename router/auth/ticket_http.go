package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
)

// maxTicketBody bounds a request for a ticket, in bytes.
const maxTicketBody = 4 << 10

// Position is the end of the hub's log. Later publications have larger offsets.
type Position func() (epoch string, offset uint64)

// ticketAnswer is the answer that Horizon's backend passes on to its page.
type ticketAnswer struct {
	Ticket    string   `json:"ticket"`
	ExpiresIn int      `json:"expires_in"` // seconds
	Channels  []string `json:"channels"`
	Position  struct {
		Epoch  string `json:"epoch"`
		Offset uint64 `json:"offset"`
	} `json:"position"`
}

// TicketHandler answers `POST …/ticket`. Horizon's backend sends it with the user's
// token in X-Auth-Token and the page's origin as JSON:
//
//	{"origin": "https://horizon.example"}
//
// The answer has a ticket for the page's connection, the channels that the page
// may subscribe to, and the position at which it is being rendered:
//
//	{"ticket": "hrt_…", "expires_in": 30, "channels": ["project/…/*"],
//	 "position": {"epoch": "…", "offset": 41}}
//
// Errors are `{"error": {"code": 101, "message": "unauthorized"}}` with the client
// protocol's codes. Answers must not be cached, and no token is logged. A user's
// address, if a trusted proxy names it, that keeps sending refused tokens has to
// wait; a backend never has to.
func (a *Authenticator) TicketHandler(position Position) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Read first, so that it is not later than anything the page shows.
		epoch, offset := position()
		var answer ticketAnswer
		answer.Position.Epoch, answer.Position.Offset = epoch, offset
		a.answerTicket(w, r, &answer)
	})
}

func (a *Authenticator) answerTicket(w http.ResponseWriter, r *http.Request, answer *ticketAnswer) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodPost {
		h.Set("Allow", http.MethodPost)
		a.refuseTicket(w, http.StatusMethodNotAllowed, 107, "a ticket is asked for with POST")
		return
	}
	origin, status := readOrigin(w, r)
	if status != 0 {
		a.refuseTicket(w, status, 107, `the body is empty or {"origin": "https://…"}`)
		return
	}
	id, err := a.bearer(r, r.Header.Get("X-Auth-Token"))
	if err != nil {
		a.refusals.Log(slog.LevelInfo, "ticket refused", "peer", r.RemoteAddr, "error", err)
		a.refuseToken(w, err)
		return
	}
	if answer.Ticket, err = a.Issue(id, origin); errors.Is(err, ErrTooMany) {
		a.refusals.Log(slog.LevelWarn, "ticket refused", "peer", r.RemoteAddr, "user", id.User, "error", err)
		h.Set("Retry-After", strconv.Itoa(int(a.cfg.Ticket.TTL.Seconds())))
		a.refuseTicket(w, http.StatusTooManyRequests, 111, "too many tickets")
		return
	} else if err != nil {
		a.refuseTicket(w, http.StatusBadRequest, 107, err.Error())
		return
	}
	answer.ExpiresIn = int(a.cfg.Ticket.TTL.Seconds())
	answer.Channels = id.Hearable()
	a.writeTicket(w, http.StatusOK, answer)
}

// bearer checks the token of a ticket request. A ticket does not buy another, and
// there are no anonymous tickets.
func (a *Authenticator) bearer(r *http.Request, token string) (*Identity, error) {
	method, id, err := methodNone, (*Identity)(nil), error(nil)
	switch {
	case token == "":
		err = fmt.Errorf("%w: no X-Auth-Token", ErrUnauthorized)
	case len(r.Header.Values("X-Auth-Token")) > 1:
		err = fmt.Errorf("%w: several X-Auth-Token", ErrUnauthorized)
	default:
		method, id, err = a.judgeToken(r.Context(), token, true, a.from(r, true))
	}
	a.metrics.attempts.WithLabelValues(method, result(err)).Inc()
	return id, err
}

func (a *Authenticator) refuseToken(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, errLockedOut):
		w.Header().Set("Retry-After", "60")
		a.refuseTicket(w, http.StatusTooManyRequests, 111, "too many refused tokens")
	case errors.Is(err, ErrUnavailable):
		w.Header().Set("Retry-After", "5")
		a.refuseTicket(w, http.StatusServiceUnavailable, 100, ErrUnavailable.Error())
	case errors.Is(err, ErrExpired):
		a.refuseTicket(w, http.StatusUnauthorized, 109, ErrExpired.Error())
	default:
		a.refuseTicket(w, http.StatusUnauthorized, 101, ErrUnauthorized.Error())
	}
}

func (a *Authenticator) refuseTicket(w http.ResponseWriter, status, code int, message string) {
	type problem struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
	a.writeTicket(w, status, struct {
		Error problem `json:"error"`
	}{problem{code, message}})
}

func (a *Authenticator) writeTicket(w http.ResponseWriter, status int, answer any) {
	a.metrics.tickets.WithLabelValues(strconv.Itoa(status)).Inc()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The client may have left.
	_ = json.NewEncoder(w).Encode(answer)
}

// readOrigin reads the request's body. A status other than 0 refuses it.
func readOrigin(w http.ResponseWriter, r *http.Request) (origin string, status int) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxTicketBody))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return "", http.StatusRequestEntityTooLarge
	}
	if err != nil {
		return "", http.StatusBadRequest
	}
	if len(body) == 0 {
		return "", 0
	}
	var asked struct {
		Origin string `json:"origin"`
	}
	if json.Unmarshal(body, &asked) != nil {
		return "", http.StatusBadRequest
	}
	if asked.Origin != "" {
		if _, err := parseOrigin(asked.Origin); err != nil {
			return "", http.StatusBadRequest
		}
	}
	return asked.Origin, 0
}

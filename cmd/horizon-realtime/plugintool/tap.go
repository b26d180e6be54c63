package plugintool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"horizon-realtime/cmd/horizon-realtime/cli"
	"horizon-realtime/router/regular"
)

// tapPath is where a router's admin listener streams its notifications.
const tapPath = "/api/notifications"

// maxAnswer bounds how much of an answer that is no stream is shown, in bytes.
const maxAnswer = 1024

// isTap reports whether the source of notifications is a running router.
func isTap(name string) bool {
	return strings.HasPrefix(name, "http://") || strings.HasPrefix(name, "https://")
}

// openTap reads the notifications that a running router's plugins get, until ctx
// is done or the router ends it. base is the address of its admin listener, and
// tokenFile holds the token that it wants, if any.
//
// # Errors
//
// Nothing answers there, it is something else, it permits no taps, or wants another
// token.
func openTap(ctx context.Context, base, tokenFile string) (io.ReadCloser, error) {
	address, err := url.Parse(base)
	if err != nil {
		return nil, cli.Mistake("%s: %w; give the address of [admin] listen, such as http://127.0.0.1:9090", base, err)
	}
	if strings.Trim(address.Path, "/") == "" {
		address.Path = tapPath
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", address, err)
	}
	if tokenFile != "" {
		token, err := regular.Read(tokenFile, regular.Most)
		if err != nil {
			return nil, cli.Mistake("--token-file: %w", err)
		}
		request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("tap the router: %w; is it running, and is that its [admin] listen?", err)
	}
	if kind := answer.Header.Get("Content-Type"); answer.StatusCode != http.StatusOK || kind != "application/x-ndjson" {
		defer answer.Body.Close()
		said, _ := io.ReadAll(io.LimitReader(answer.Body, maxAnswer)) // whatever there is
		if answer.StatusCode == http.StatusNotFound || answer.StatusCode == http.StatusOK {
			said = []byte("that is not a router's admin listener; see [admin] listen")
		}
		if answer.StatusCode == http.StatusUnauthorized {
			said = []byte("it wants a token; give --token-file, the file of [admin] token_file")
		}
		return nil, fmt.Errorf("tap the router: %s answers %s: %s", address, answer.Status, strings.TrimSpace(string(said)))
	}
	return &tapped{ctx, answer.Body}, nil
}

// tapped is the stream. If ctx is done, it ends without an error.
type tapped struct {
	ctx context.Context
	io.ReadCloser
}

func (t *tapped) Read(b []byte) (int, error) {
	n, err := t.ReadCloser.Read(b)
	switch {
	case err == nil:
	case t.ctx.Err() != nil:
		err = io.EOF
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = errors.New("the router ended it: it stopped, or this program did not keep up (horizon_realtime_admin_taps_slow_total)")
	}
	return n, err
}

package clienttest

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"horizon-realtime/router/auth"
)

// People is an authenticator whose tokens are made up: `user` or `user@project`,
// followed by `/` and how long it is good, such as `ann@p1/30s`. The user root is
// an administrator, nobody is refused. Its zero value is ready to use.
type People struct {
	mu      sync.Mutex
	expired map[string]bool
	down    bool
	// meanwhile runs when a token has been judged, before the answer.
	meanwhile func()
}

// Meanwhile has something happen while each token is checked; nil: nothing.
func (p *People) Meanwhile(do func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.meanwhile = do
}

func (p *People) happen() {
	p.mu.Lock()
	do := p.meanwhile
	p.mu.Unlock()
	if do != nil {
		do()
	}
}

// Expire makes a token, or a user when it is checked again, no longer good.
func (p *People) Expire(who string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.expired == nil {
		p.expired = map[string]bool{}
	}
	p.expired[who] = true
}

// TakeDown has every question go unanswered.
func (p *People) TakeDown() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = true
}

// Authenticate says who has a token.
func (p *People) Authenticate(_ context.Context, _ *http.Request, token string) (*auth.Identity, error) {
	defer p.happen()
	p.mu.Lock()
	defer p.mu.Unlock()
	who, life, _ := strings.Cut(token, "/")
	user, project, _ := strings.Cut(who, "@")
	switch {
	case p.down:
		return nil, fmt.Errorf("ask: %w", auth.ErrUnavailable)
	case p.expired[token]:
		return nil, fmt.Errorf("token: %w", auth.ErrExpired)
	case user == "" || user == "nobody":
		return nil, fmt.Errorf("token: %w", auth.ErrUnauthorized)
	}
	id := &auth.Identity{User: user, Project: project, Admin: user == "root"}
	if life != "" {
		d, err := time.ParseDuration(life)
		if err != nil {
			return nil, err
		}
		id.Expires = time.Now().Add(d)
	}
	return id, nil
}

// Revalidate confirms who is not expired.
func (p *People) Revalidate(_ context.Context, id *auth.Identity) (*auth.Identity, error) {
	defer p.happen()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.expired[id.User] {
		return nil, auth.ErrUnauthorized
	}
	return id, nil
}

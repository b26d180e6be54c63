package auth

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

// churn makes Keystone tell of changes while it answers each question.
func churn(t *testing.T, a *Authenticator, k *fakeKeystone, texts ...string) {
	k.set(func() {
		k.during = func() {
			for _, text := range texts {
				a.Revocation(notification(t, text))
			}
		}
	})
}

// Changes of what others depend on do not keep anybody from logging in: an answer
// is asked for again only if a change that matches it came meanwhile.
func TestChurnBlocksNobody(t *testing.T) {
	for name, c := range map[string]struct {
		change    string
		questions int
		recheck   time.Duration
	}{
		"credentials":    {`{"event_type":"identity.application_credential.deleted","payload":{"resource_info":"credential-7"}}`, 1, maxCacheTTL},
		"trusts":         {`{"event_type":"identity.OS-TRUST:trust.deleted","payload":{"resource_info":"trust-7"}}`, 1, maxCacheTTL},
		"other users":    {`{"event_type":"identity.user.updated","payload":{"resource_info":"u7"}}`, 1, maxCacheTTL},
		"other projects": {`{"event_type":"identity.project.deleted","payload":{"resource_info":"p7"}}`, 1, maxCacheTTL},
		"other roles":    {`{"event_type":"identity.role_assignment.deleted","payload":{"user":"u7","project":"p7"}}`, 1, maxCacheTTL},
		"groups":         {`{"event_type":"identity.group.deleted","payload":{"resource_info":"g"}}`, 2, sweepPause},
		"one's project":  {`{"event_type":"identity.project.updated","payload":{"resource_info":"p1"}}`, 3, hastyCheck},
		"oneself":        {`{"event_type":"identity.user.updated","payload":{"resource_info":"u1"}}`, 3, hastyCheck},
	} {
		t.Run(name, func(t *testing.T) {
			a, k, clock := withKeystone(t, nil)
			many := make([]string, 40)
			for i := range many {
				many[i] = c.change
			}
			churn(t, a, k, many...)
			if status := backend(a, "192.0.2.1")(goodToken); status != http.StatusOK || k.questions() != c.questions {
				t.Fatalf("%d after %d questions, want %d", status, k.questions(), c.questions)
			}
			id, err := a.Authenticate(t.Context(), nil, goodToken)
			if err != nil || k.questions() != c.questions {
				t.Fatalf("%v after %d questions", err, k.questions())
			}
			if got := id.RevalidateAt().Sub(clock.now()); got != c.recheck {
				t.Errorf("checked again after %s, want %s", got, c.recheck)
			}
		})
	}
}

// An answer is compared with changes however many there are.
func TestMoreChangesThanAreRemembered(t *testing.T) {
	a, k, _ := withKeystone(t, nil)
	var first atomic.Bool
	other := notification(t, `{"event_type":"identity.user.updated","payload":{"resource_info":"u7"}}`)
	k.set(func() {
		k.during = func() {
			if first.CompareAndSwap(false, true) {
				for range maxRevocations + 1 {
					a.Revocation(other)
				}
			}
		}
	})
	if _, err := a.Authenticate(t.Context(), nil, goodToken); err != nil || k.questions() != 2 {
		t.Fatalf("%v after %d questions; what was forgotten may have matched", err, k.questions())
	}
}

// Changes that may affect everybody have everybody checked at once, and then once
// in a while, however many there are.
func TestChangesForEverybodyArePaced(t *testing.T) {
	a, k, c := withKeystone(t, nil)
	change := func() time.Duration {
		r, ok := a.Revocation(notification(t, `{"event_type":"identity.group.updated","payload":{"resource_info":"g"}}`))
		if !ok {
			t.Fatal("nobody affected")
		}
		return r.At.Sub(c.now())
	}
	ask := func() *Identity {
		id, err := a.Authenticate(t.Context(), nil, goodToken)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	ask()
	for i, step := range []struct {
		after, want time.Duration
		questions   int
	}{
		{0, 0, 2},
		{time.Second, 9 * time.Second, 2},
		{time.Second, 8 * time.Second, 2},
		{8 * time.Second, sweepPause, 3}, // the one that was put off is due
		{5 * time.Second, 5 * time.Second, 3},
		{time.Minute, 0, 4},
	} {
		c.move(step.after)
		if got := change(); got != step.want {
			t.Errorf("step %d: checked after %s, want %s", i, got, step.want)
		}
		before := k.questions()
		id := ask()
		if k.questions() != step.questions {
			t.Errorf("step %d: %d questions, want %d", i, k.questions(), step.questions)
		}
		if due := id.RevalidateAt().Sub(c.now()); k.questions() == before && due != step.want {
			t.Errorf("step %d: who is known is due after %s, want %s", i, due, step.want)
		}
	}
}

// A token that is refused when it is checked again is out at once, whatever was
// remembered of it.
func TestChurnHidesNoRevocation(t *testing.T) {
	a, k, c := withKeystone(t, nil)
	id, err := a.Authenticate(t.Context(), nil, goodToken)
	if err != nil {
		t.Fatal(err)
	}
	k.set(func() { delete(k.tokens, goodToken) })
	for i := range 100 {
		a.Revocation(notification(t, fmt.Sprintf(`{"event_type":"identity.group.updated","payload":{"resource_info":"g%d"}}`, i)))
	}
	r, ok := a.Revocation(notification(t, `{"event_type":"identity.user.updated","payload":{"resource_info":"u1"}}`))
	if !ok || !r.Matches(id) || r.At.After(c.now()) {
		t.Fatal("the user is not checked at once")
	}
	_, err = a.Revalidate(t.Context(), id)
	wantError(t, err, ErrUnauthorized)
}

package auth

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// The payloads are Keystone 22's, cut to what matters.
func TestRevocation(t *testing.T) {
	keystones := func(user, project string, dependencies ...string) *Identity {
		return &Identity{User: user, Project: project, proof: &proof{method: methodKeystone, token: "t", dependencies: dependencies}}
	}
	people := []struct {
		name string
		id   *Identity
	}{
		{"ann", keystones("u1", "p1", "d1")},
		{"bob", keystones("u2", "p1", "d1")},
		{"cat", keystones("u3", "p2", "d2", "trust1", "u1", "cred1")},
		{"jwt", &Identity{User: "u1", Project: "p1", proof: &proof{method: methodJWT, token: "t", dependencies: []string{""}}}},
		{"anon", &Identity{User: "me", Project: "demo"}},
	}
	const cadf = `"initiator":{"id":"u2","user_id":"u2","project_id":"p2"},"observer":{"id":"u3"},"target":{"id":"%s"}`
	for name, c := range map[string]struct{ typ, payload, want string }{
		"user updated":              {"identity.user.updated", `"resource_info":"u2"`, "bob"},
		"user deleted, CADF":        {"identity.user.deleted", fmt.Sprintf(cadf, "u2") + `,"resource_info":"u2"`, "bob"},
		"user, target only":         {"identity.user.updated", fmt.Sprintf(cadf, "u2"), "bob"},
		"user with a trust":         {"identity.user.updated", `"resource_info":"u1"`, "ann cat jwt"},
		"user unknown":              {"identity.user.updated", `"resource_info":"u9"`, ""},
		"user of no id":             {"identity.user.updated", `"resource_info":""`, ""},
		"user created":              {"identity.user.created", `"resource_info":"u2"`, ""},
		"project deleted":           {"identity.project.deleted", `"resource_info":"p1"`, "ann bob jwt"},
		"project updated":           {"identity.project.updated", `"resource_info":"p2"`, "cat"},
		"domain disabled":           {"identity.domain.disabled", `"resource_info":"d1"`, "ann bob"},
		"trust deleted":             {"identity.OS-TRUST:trust.deleted", `"resource_info":"trust1"`, "cat"},
		"trust created":             {"identity.OS-TRUST:trust.created", `"resource_info":"trust1"`, ""},
		"credential deleted":        {"identity.application_credential.deleted", `"resource_info":"cred1"`, "cat"},
		"EC2 credential deleted":    {"identity.credential.deleted", `"resource_info":"u1"`, ""},
		"member removed":            {"identity.group.updated", `"resource_info":"g","actor_id":"u2","actor_type":"user","actor_operation":"removed"`, "bob"},
		"group updated, CADF":       {"identity.group.updated", fmt.Sprintf(cadf, "g") + `,"resource_info":"g"`, "ann bob cat"},
		"group deleted":             {"identity.group.deleted", `"resource_info":"g"`, "ann bob cat"},
		"role deleted":              {"identity.role.deleted", `"resource_info":"r"`, "ann bob cat"},
		"role updated":              {"identity.role.updated", `"resource_info":"r"`, ""},
		"role given to a user":      {"identity.role_assignment.created", fmt.Sprintf(cadf, "x") + `,"project":"p1","user":"u2","role":"r"`, "bob"},
		"role taken from a user":    {"identity.role_assignment.deleted", fmt.Sprintf(cadf, "x") + `,"project":"p1","user":"u2","role":"r"`, "bob"},
		"role given to a group":     {"identity.role_assignment.created", fmt.Sprintf(cadf, "x") + `,"project":"p1","group":"g","role":"r"`, ""},
		"role taken from a group":   {"identity.role_assignment.deleted", fmt.Sprintf(cadf, "x") + `,"project":"p1","group":"g","role":"r"`, "ann bob jwt"},
		"group, in a domain":        {"identity.role_assignment.deleted", fmt.Sprintf(cadf, "x") + `,"domain":"d1","group":"g","role":"r"`, "ann bob cat"},
		"login":                     {"identity.authenticate", fmt.Sprintf(cadf, "u1"), ""},
		"another service":           {"compute.instance.deleted", `"resource_info":"u1"`, ""},
		"not quite":                 {"identity.", `"resource_info":"u1"`, ""},
		"an id that is not text":    {"identity.user.updated", `"resource_info":{"id":"u1"}`, ""},
		"an id with escapes in it":  {"identity.user.updated", `"resource_info":"\u00751"`, "ann cat jwt"},
		"one that only looks alike": {"identity.users.updated", `"resource_info":"u1"`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			a, _, _ := withKeystone(t, nil)
			n := notification(t, fmt.Sprintf(`{"event_type":%q,"payload":{%s}}`, c.typ, c.payload))
			r, _ := a.Revocation(n)
			n.Reset() // what it said must not be needed any more
			var hit []string
			for _, p := range people {
				if r.Matches != nil && r.Matches(p.id) {
					hit = append(hit, p.name)
				}
			}
			if got := strings.Join(hit, " "); got != c.want {
				t.Fatalf("%q, want %q", got, c.want)
			}
		})
	}
}

// Losing a role counts at once, not when the cache entry ends.
func TestRevocationForgets(t *testing.T) {
	a, k, c := withKeystone(t, nil)
	k.tokens[fernet("root")] = subjectJSON(c.now().Add(time.Hour), "u2", `"project":{"id":"p1"},"roles":[{"name":"admin"}]`)
	root, err := a.Authenticate(t.Context(), nil, fernet("root"))
	if err != nil || !root.Admin {
		t.Fatalf("%+v %v", root, err)
	}
	if _, err := a.Authenticate(t.Context(), nil, goodToken); err != nil {
		t.Fatal(err)
	}
	k.set(func() { k.tokens[fernet("root")] = subjectJSON(c.now().Add(time.Hour), "u2", memberOf) })
	r, _ := a.Revocation(notification(t, `{"event_type":"identity.role_assignment.deleted","payload":{"user":"u2","project":"p1"}}`))
	if !r.Matches(root) {
		t.Fatal("not affected")
	}
	root, err = a.Revalidate(t.Context(), root)
	if err != nil || root.Admin {
		t.Fatalf("%+v %v", root, err)
	}
	if _, err := a.Authenticate(t.Context(), nil, goodToken); err != nil || k.questions() != 3 {
		t.Fatalf("somebody else was forgotten too: %v, %d questions", err, k.questions())
	}
}

// A JWT does not outlive its user, project or domain.
func TestJWTOfTheDeleted(t *testing.T) {
	a, c := newTest(t, func(cfg *Config) { cfg.JWT.HMACSecret = testSecret })
	claims := with(with(goodClaims(c), "iat", c.now().Unix()), "domain_id", "d1")
	token := sign(t, "HS256", "hmac", claims)
	undated := sign(t, "HS256", "hmac", with(goodClaims(c), "sub", "u2"))
	id, err := a.Authenticate(t.Context(), nil, token)
	if err != nil {
		t.Fatal(err)
	}
	c.move(time.Second)
	gone := func(kind, what string) {
		if _, ok := a.Revocation(notification(t, fmt.Sprintf(`{"event_type":"identity.%s.deleted","payload":{"resource_info":%q}}`, kind, what))); !ok {
			t.Fatal("nobody affected")
		}
	}
	gone("user", "u1")
	gone("user", "u2")
	_, err = a.Revalidate(t.Context(), id)
	wantError(t, err, ErrUnauthorized)
	for _, token := range []string{token, undated} {
		_, err = a.Authenticate(t.Context(), nil, token)
		wantError(t, err, ErrUnauthorized)
	}
	c.move(time.Second)
	again := with(claims, "iat", c.now().Unix())
	if _, err := a.Authenticate(t.Context(), nil, sign(t, "HS256", "hmac", again)); err != nil {
		t.Fatalf("issued after a user of that id came back: %v", err)
	}
	gone("domain", "d1")
	_, err = a.Authenticate(t.Context(), nil, sign(t, "HS256", "hmac", again))
	wantError(t, err, ErrUnauthorized)
}

func TestDeletionsAreBounded(t *testing.T) {
	a, _ := newTest(t, func(cfg *Config) { cfg.JWT.HMACSecret = testSecret })
	g := a.jwt.deleted
	for i := range maxDeletions + 5 {
		g.add(fmt.Sprint(i))
		g.add(fmt.Sprint(i))
	}
	if g.when.len() != maxDeletions || a.limited(limitDeletions) != 5 || g.covers("4", nil) || !g.covers("5", nil) {
		t.Fatalf("%d remembered, limit reached %v times", g.when.len(), a.limited(limitDeletions))
	}
}

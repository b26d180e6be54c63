package demo

import (
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// User is someone who can log in to the simulated cloud.
type User struct {
	ID, Name string
}

// Project is a tenant of the simulated cloud, with the one user who works in it.
type Project struct {
	ID, Name string
	User     User
	subnet   string
}

// Projects are the tenants. Their ids are fixed, so that a subscription typed
// by hand outlives a restart.
var Projects = []Project{
	{"8f2c61d0a3f94b7e9d51c07a4e6b2d13", "alpha", User{"3d9a7c52e81f4605b2c4d6e8f0a1b3c5", "alice"}, "10.0.0."},
	{"e47b90c5162d4a83a0f3b8d7c9e1f264", "beta", User{"b60f1e2d3c4a59687b8c9d0e1f2a3b4c", "bob"}, "10.1.0."},
}

// projectByName finds a tenant by its name.
func projectByName(name string) (*Project, error) {
	for i := range Projects {
		if Projects[i].Name == name {
			return &Projects[i], nil
		}
	}
	return nil, fmt.Errorf("%w: project %q; there are alpha and beta", ErrNotFound, name)
}

// Mint makes the token by which a page's connection is known to be user, in
// project. Both are ids.
type Mint func(project, user string) (string, error)

// NewMint makes tokens that live for ttl and are signed with HS256 and secret,
// with the claims that the router reads: sub, project_id, roles, name and exp.
//
// # Errors
//
// The Mint returned fails only if the secret cannot sign.
func NewMint(secret []byte, ttl time.Duration) Mint {
	return func(project, user string) (string, error) {
		now := time.Now()
		claims := jwt.MapClaims{
			"sub":        user,
			"project_id": project,
			"roles":      []string{"member", "reader"},
			"iat":        now.Unix(),
			"exp":        now.Add(ttl).Unix(),
		}
		for _, p := range Projects {
			if p.User.ID == user {
				claims["name"] = p.User.Name
			}
		}
		token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(secret)
		if err != nil {
			return "", fmt.Errorf("sign the page's token: %w", err)
		}
		return token, nil
	}
}

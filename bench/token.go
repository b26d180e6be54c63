package main

import (
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// secret signs the clients' tokens; every server under test verifies them.
const secret = "a secret that only the benchmarks know, of 32 bytes and more"

// token is a JWT of a user of a project.
func token(user int, project string) string {
	text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"sub": fmt.Sprintf("user-%d", user), "project_id": project, "roles": []string{"member"},
		"exp": time.Now().Add(time.Hour).Unix(),
	}).SignedString([]byte(secret))
	if err != nil {
		panic(err) // an HMAC over a map of strings does not fail
	}
	return text
}

// tokenUser is the other side, for the peers that leave tokens to the program.
func tokenUser(text string) (string, error) {
	t, err := jwt.Parse(text, func(*jwt.Token) (any, error) { return []byte(secret), nil },
		jwt.WithValidMethods([]string{"HS256"}), jwt.WithExpirationRequired())
	if err != nil {
		return "", err
	}
	return t.Claims.GetSubject()
}

package oslo

import (
	"strconv"
	"strings"
	"testing"

	"horizon-realtime/router/event"
)

func TestIsSecretName(t *testing.T) {
	for _, key := range []string{
		"auth_token", "AUTH_TOKEN", "authToken", "X-Auth-Token", "X-Subject-Token", "service_token", "token", "auth_token_info", "token_id",
		"service_catalog", "catalog", "password", "adminPassword", "ipmi_password", "admin_pass", "adminPass", "new_pass", "rescue_pass",
		"user_passwd", "key_passphrase", "passcode", "secret", "client_secret", "secret_key", "credentials", "private_key", "privateKey",
		"ca_private_key", "user_data", "userdata", "injected_files", "personality", "connection_info", "provider_auth", "access_key",
		"encryption_key", "psk", "Authorization", "Set-Cookie", "_context", "context", "kubeconfig",
		"_context_auth_token", "_context_service_catalog", "_context_remote_address", "_context_whatever_comes_next", "_context_",
	} {
		if !isSecretName([]byte(key)) {
			t.Errorf("%s is no secret", key)
		}
	}
	for _, key := range []string{
		"key_name", "public_key", "fingerprint", "keypairs", "encryption_key_id", "id", "uuid", "name", "metadata", "user_id", "project_id",
		"auth_plugin", "user_auth_plugin", "image_ref", "passthrough_delay", "config_drive_id", "context_id", "data", "user", "key", "",
		"_context_request_id", "_context_project_id", "_context_user_id", "_context_roles", "_context_timestamp", "_context_is_admin",
	} {
		if isSecretName([]byte(key)) {
			t.Errorf("%s is a secret", key)
		}
	}
}

func TestSecretsAreGone(t *testing.T) {
	fernet := "gAAAAABl" + strings.Repeat("x", 90)
	jws := "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0." + strings.Repeat("s", 40)
	for name, tc := range map[string]struct{ member, secret string }{
		"plain":                    {`"auth_token":"hush"`, "hush"},
		"escaped key":              {`"auth\u005ftoken":"hush"`, "hush"},
		"wholly escaped key":       {`"\u0070\u0061\u0073\u0073\u0077\u006f\u0072\u0064":"hush"`, "hush"},
		"first of two":             {`"password":"hush","password":"x"`, "hush"},
		"second of two":            {`"password":"x","password":"hush"`, "hush"},
		"a whole object":           {`"credentials":{"a":{"b":["hush"]}}`, "hush"},
		"in a list of objects":     {`"l":[{"a":1},[{"adminPass":"hush"}]]`, "hush"},
		"a Fernet token":           {`"description":"` + fernet + `"`, fernet},
		"a Fernet token inside":    {`"description":"token is ` + fernet + `!"`, fernet},
		"an escaped Fernet token":  {`"description":"\u0067` + fernet[1:] + `"`, fernet[1:]},
		"a Fernet token in a list": {`"l":["a","` + fernet + `"]`, fernet},
		"a short Fernet token":     {`"description":"gAAAAA` + strings.Repeat("x", minToken-5) + `"`, "gAAAAA"},
		"short, escaped JSON":      {`"info":"\u007b\"token\": \"hush\"}"`, "hush"},
		"a JWS token":              {`"description":"Bearer ` + jws + `"`, jws},
		"a private key":            {`"content":"-----BEGIN OPENSSH PRIVATE KEY-----\nhush00000000000000000000000000000"`, "hush"},
		"JSON in a string":         {`"info":"{\"data\": {\"auth_password\": \"hush\"}}"`, "hush"},
		"compact JSON in a string": {`"info":"[{\"password\":\"hush\"}]"`, "hush"},
		"escaped JSON in a string": {`"info":"{\"p\u0061ssword\":\"hush\"}"`, "hush"},
		"a Python dict":            {`"exception":"{'kwargs': {'password': 'hush'}}"`, "hush"},
		"the context":              {`"pci_requests":{"_context":{"user":"hush"}}`, "hush"},
		"a number":                 {`"passcode":123456`, "123456"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, place := range []string{`{"event_type":"x","payload":{%}}`, `{"event_type":"x",%}`, `{"event_type":"x","payload":[{"a":{%}}]}`} {
				message := strings.Replace(place, "%", tc.member, 1)
				for _, body := range []string{message, `{"oslo.version": "2.0", "oslo.message": ` + strconv.Quote(message) + `}`} {
					var n event.Notification
					if err := NewDecoder(Config{}).Decode(&n, []byte(body), ""); err != nil {
						t.Fatal(err)
					}
					if strings.Contains(string(n.Raw()), tc.secret) {
						t.Errorf("still there: %s", n.Raw())
					}
				}
			}
		})
	}
}

// A text is looked at once, however often a part of it begins like a token.
func TestIsJWSIsLinear(t *testing.T) {
	const word = "eyJ"
	for _, text := range []string{strings.Repeat(word, 1<<20), strings.Repeat("eyJaaaaaaaaaa.b.", 1<<18)} {
		if isJWS([]byte(text)) {
			t.Errorf("%.40s… is a token", text)
		}
	}
	if !isJWS([]byte(strings.Repeat(word, 9) + "." + strings.Repeat(word, 9) + ".x")) {
		t.Error("a token is not found")
	}
}

func TestHarmlessStaysAsItWas(t *testing.T) {
	const body = `{"event_type":"x","payload":{"key_name":"mine","display_name":"token and password","description":"{not: secret, key: a}",` +
		`"note":"[x] keep: this","metadata":{"a":"eyJust a text. With two dots. And no token in it at all, however long it is"},"image":"gAAAAA"},"_context_request_id":"req-1"}`
	var n event.Notification
	if err := NewDecoder(Config{}).Decode(&n, []byte(body), ""); err != nil {
		t.Fatal(err)
	}
	if string(n.Raw()) != body {
		t.Errorf("got  %s\nwant %s", n.Raw(), body)
	}
}

// A judge that has seen a key must not take another for it.
func TestJudgeRemembersTheRightKey(t *testing.T) {
	var j judge
	keys := []string{"auth_token", "auth_tokem", "password", "passvord", "secret", "sacret", strings.Repeat("a", 47) + "token", strings.Repeat("a", 53)}
	for i := range 4 * len(j.known) {
		keys = append(keys, strings.Repeat("k", i%40)+string(rune('a'+i%26)))
	}
	for range 2 {
		for _, key := range keys {
			if got, want := j.secretKey([]byte(key), uint32(len(key))), isSecretName([]byte(key)); got != want {
				t.Fatalf("%s: %v, want %v", key, got, want)
			}
		}
	}
}

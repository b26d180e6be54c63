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
		"ca_private_key", "signature", "aws_access_key", "Proxy-Authorization", "user_data", "userdata", "injected_files", "personality", "connection_info", "provider_auth", "access_key",
		"encryption_key", "psk", "Authorization", "Set-Cookie", "_context", "context", "kubeconfig",
		"_context_auth_token", "_context_service_catalog", "_context_remote_address", "_context_whatever_comes_next", "_context_",
	} {
		if !isSecretName([]byte(key)) {
			t.Errorf("%s is no secret", key)
		}
	}
	for _, key := range []string{
		"key_name", "public_key", "fingerprint", "keypairs", "encryption_key_id", "id", "uuid", "name", "metadata", "user_id", "project_id",
		"auth_plugin", "user_auth_plugin", "image_ref", "passthrough_delay", "context_id", "data", "user", "key", "",
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

// TestSecretsInTexts gives what stays of a text: its beginning, and what is behind it is
// a secret.
func TestSecretsInTexts(t *testing.T) {
	fernet := "gAAAAABl" + strings.Repeat("x", 90)
	jws := "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0." + strings.Repeat("s", 40)
	for text, stays := range map[string]string{
		"password=hush":                                "password=",
		"db failed: Password = hush, retrying":         "db failed: Password =",
		"--os-password hush":                           "--os-password ",
		"['--token', 'hush']":                          "['--token',",
		"<adminPass>hush</adminPass>":                  "<adminPass>",
		"X-Auth-Token: hush":                           "X-Auth-Token:",
		"X-Subject-Token-Id:hush":                      "X-Subject-Token-",
		"Authorization: Basic aHVzaA==":                "Authorization:",
		"GET http://h/v3?a=b&token=hush":               "GET http://h/v3?a=b&token=",
		"?X-Amz-Signature=hush":                        "?X-Amz-Signature=",
		"rabbit://nova:hush@mq1:5672,nova:x@mq2/":      "rabbit://nova:",
		"mysql+pymysql://nova:hush@db/nova":            "mysql+pymysql://nova:",
		"rabbit://ab:cd@ef":                            "rabbit://ab:",
		"see http://h:80/ and amqp://u:p:hush@mq":      "see http://h:80/ and amqp://u:",
		`{"data": {"auth_password": "hush"}}`:          `{"data": {"auth_password":`,
		`[{"password":"hush"}]`:                        `[{"password":`,
		`got {"a": 1, "passwd": "hush"} from it`:       `got {"a": 1, "passwd":`,
		`{"x": "{\"api_key\": \"hush\"}"}`:             `{"x": "{\"api_key\":`,
		`{"x": "{\\\"token\\\": \\\"hush\\\"}"}`:       `{"x": "{\\\"token\\\":`,
		`b'{"secret": "hush"}'`:                        `b'{"secret":`,
		`b'token="hush"'`:                              `b'token=`,
		"{'kwargs': {'password': u'hush'}}":            "{'kwargs': {'password':",
		"{'user_data' : b'hush'}":                      "{'user_data' :",
		"Cookie : sessionid=hush":                      "Cookie :",
		"rescue_pass: hush":                            "rescue_pass:",
		"password 'hush' is wrong":                     "password '",
		"token -f hush":                                "token -",
		"Bearer " + jws:                                "Bearer ",
		"token is " + fernet + "!":                     "token is ",
		"-----BEGIN RSA PRIVATE KEY-----\nhush hush":   "",
		"hush\n-----END RSA PRIVATE KEY----- and more": "",
		"PASSWORD\u00a0= hush":                         "PASSWORD\u00a0=",
		"schön: Passwort und pa\u017fſword=hush":       "schön: Passwort und pa\u017fſword=",

		// These stay as they are.
		"token and password":                               "",
		"the secrets of a password manager":                "",
		"password":                                         "",
		"tokens, passwords":                                "",
		"[x] keep: this":                                   "",
		"{not: secret, key: a}":                            "",
		"http://glance:9292/images/a@b":                    "",
		"http://glance:9292/v2/images?owner=me@x":          "",
		"cloud1@fake#fake":                                 "",
		"user@host:22":                                     "",
		"nova-compute:cloud1":                              "",
		"at 2026-11-23T14:51:20.600574+0000, by: nobody":   "",
		"eyJust a text. With two dots. And no token in it": "",
		"gAAAAA":            "",
		"aa:bb:cc:dd:ee:ff": "",
		"passthrough: 1":    "",
		"contexts: 1":       "",
		"5 tokens-1":        "",
	} {
		want := stays + "***"
		if stays == "" && !strings.Contains(text, "PRIVATE KEY") {
			want = text
		} else if stays == "" {
			want = ""
		}
		if got := decodedMember(t, "text", text); got != want {
			t.Errorf("%q has become %q, want %q", text, got, want)
		}
	}
}

// What somebody has called something is no option of a command.
func TestNamesMayHaveDashes(t *testing.T) {
	for _, key := range []string{"name", "display_name", "key_name", "hostname"} {
		for text, want := range map[string]string{
			"token-server":       "token-server",
			"my-secret--santa":   "my-secret--santa",
			"token -x hush":      "token -***",
			"token=hush":         "token=***",
			"token-a-password=x": "token-a-password=*",
		} {
			if got := decodedMember(t, key, text); got != want {
				t.Errorf("the %s %q has become %q, want %q", key, text, got, want)
			}
		}
	}
}

func TestEveryNameHasALetterThatIsLookedFor(t *testing.T) {
	for _, list := range [][]string{maskedKeys, secretWords, secretEndings, secretNames} {
		for _, name := range list {
			if !mayTell([]byte(name+"= hush hush")) || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz") != "" {
				t.Errorf("%s is not looked for", name)
			}
		}
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

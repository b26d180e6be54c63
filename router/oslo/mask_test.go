package oslo

import (
	"bytes"
	stdjson "encoding/json"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"horizon-realtime/router/event"
)

// masked is what oslo.utils makes of texts, and of values under the same texts as keys.
func masked(t *testing.T, texts []string) (values, keys []string) {
	t.Helper()
	const python = "/usr/bin/python3" // Debian's, which has Debian's packages
	if exec.Command(python, "-c", "import oslo_utils.strutils").Run() != nil {
		t.Fatal("oslo.utils is missing: install it, on Debian with apt-get install python3-oslo.utils")
	}
	in, err := stdjson.Marshal(texts)
	if err != nil {
		t.Fatal(err)
	}
	mask := exec.Command(python, "-c", `
import json, sys
from oslo_utils.strutils import mask_dict_password, mask_password
texts = json.load(sys.stdin)
json.dump([[mask_password(t) for t in texts], [mask_dict_password({t: "hush"})[t] for t in texts]], sys.stdout)`)
	mask.Stdin = bytes.NewReader(in)
	out, err := mask.Output()
	if err != nil {
		t.Fatal(err)
	}
	var answer [2][]string
	if err := stdjson.Unmarshal(out, &answer); err != nil {
		t.Fatal(err)
	}
	return answer[0], answer[1]
}

// decoded gives the payload's one member as a plugin sees it.
func decodedMember(t *testing.T, key, value string) string {
	t.Helper()
	body, err := stdjson.Marshal(map[string]any{"event_type": "x", "payload": map[string]string{key: value}})
	if err != nil {
		t.Fatal(err)
	}
	var n event.Notification
	if err := NewDecoder(Config{}).Decode(&n, body, ""); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	if !stdjson.Valid(n.Raw()) {
		t.Fatalf("no longer JSON: %s", n.Raw())
	}
	return n.Root().Member("payload").Member(key).Text()
}

// Whatever oslo.utils would not let into a log must not reach a browser: of a text that
// it masks, at most what stands in front of the first mask.
func TestNothingThatOsloMasksPasses(t *testing.T) {
	texts := tellingTexts(5000)
	values, keys := masked(t, texts)
	found := 0
	for i, text := range texts {
		if values[i] != text {
			found++
			got := strings.TrimRight(decodedMember(t, "text", text), "*")
			if !strings.HasPrefix(text, got) || !strings.HasPrefix(values[i], got) || got == text {
				t.Errorf("%q has become %q, and in oslo.utils %q", text, got, values[i])
			}
		}
		if got := decodedMember(t, text, "hush"); got != "" && keys[i] != "hush" {
			t.Errorf("the value under %q has become %q, and in oslo.utils %q", text, got, keys[i])
		}
	}
	if found < len(texts)/4 {
		t.Errorf("only %d of %d texts tell secrets", found, len(texts))
	}
}

// tellingTexts are made of what oslo.utils' expressions look for, in any order.
func tellingTexts(n int) []string {
	r := rand.New(rand.NewPCG(7, 8))
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	key := func() string {
		key := pick("adminPass", "admin_pass", "password", "admin_password", "auth_token", "new_pass", "auth_password", "secret_uuid", "secret",
			"sys_pswd", "token", "configdrive", "CHAPPASSWORD", "encrypted_key", "private_key", "fernetkey", "sslkey", "passphrase",
			"cephclusterfsid", "octaviaheartbeatkey", "rabbitcookie", "cephmanilaclientkey", "pacemakerremoteauthkey",
			"designaterndckey", "cephadminkey", "heatauthencryptionkey", "cephclientkey", "keystonecredential",
			"barbicansimplecryptokek", "cephrgwkey", "swifthashsuffix", "migrationsshkey", "cephmdskey", "cephmonkey")
		switch r.IntN(8) {
		case 0:
			key = strings.ToUpper(key)
		case 1:
			key = strings.ReplaceAll(key, "k", "\u212a")
		case 2:
			key += " " + strings.NewReplacer("s", "ſ", "i", pick("ı", "İ")).Replace(key)
		}
		return pick("", "", "", "original_", "X-", "--", "os", "x ", "é") + key + pick("", "", "", "0", "12", "s", "_id")
	}
	quote := func() string { return pick(`"`, `"`, `'`, `'`, `\"`, `"'`, "") }
	blank := func() string { return pick("", "", " ", " ", "  ", "\t", "\n", "\u00a0", "\u2003", "\x1c", "\u0085") }
	word := func() string {
		return pick("hush", "hush", "hu sh", "h", "", "a=b", "hush\nhush", "é", "***", "'", `"`, "a,b", "<", "--x", "-")
	}
	texts := make([]string, n)
	for i := range texts {
		var b strings.Builder
		for range 1 + r.IntN(3) {
			b.WriteString(pick("", "", "see ", "{", "b'", "<", "--", "'x', ", `{"a": `, "http://h/?", "ключ "))
			switch r.IntN(8) {
			case 0:
				k := key()
				fmt.Fprintf(&b, "<%s>%s</%s>", k, word(), k)
			case 1:
				fmt.Fprintf(&b, "%s%s%s%s%s", key(), blank(), pick("-", "--", "---"), pick("x", "_", "Xyz", "9", "ſ"), blank()+word())
			case 2:
				q := quote()
				fmt.Fprintf(&b, "%s%s%s%s,%s'-%s'%s,%s%s%s'", q, key(), q, blank(), blank(), pick("x", "-foo", "_"), blank(), blank(), pick("", "u")+"'", word())
			case 3:
				fmt.Fprintf(&b, "--%s%s%s", key(), blank(), word())
			default:
				q, v := quote(), quote()
				fmt.Fprintf(&b, "%s%s%s%s%s%s%s%s%s", q, key(), q, blank(), pick(":", "=", ":", "=", "", ">", ",", "-"), blank(), pick("", "", "u", "b")+v, word(), v)
			}
			b.WriteString(pick("", " ", "}", "\n", "; ", ", ", "&"))
		}
		texts[i] = b.String()
	}
	return texts
}

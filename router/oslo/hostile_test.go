package oslo

import (
	stdjson "encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"horizon-realtime/router/event"
)

// hostile are payloads of about that many bytes, each a way to make decoding dear.
var hostile = map[string]func(size int) string{
	"eyJ":                  inText("eyJ"),
	"eyJ, longer":          inText("eyJeyJeyJeyJ."),
	"gAAAA":                inText("gAAAAgAAAA"),
	"base64":               inText("SGVsbG8gd29ybGQgZXlK"),
	"backslashes":          inText(`\`),
	"quotes":               inText(`"`),
	"apostrophes":          inText(`'`),
	"white space":          inText(" "),
	"dashes":               inText("-"),
	"equals":               inText("="),
	"colons":               inText(":"),
	"schemes":              inText("://"),
	"schemes and colons":   inText("x://:"),
	"keys":                 inText("token"),
	"keys and white space": inText("token  "),
	"keys and digits":      inText("token123 "),
	"beginnings of keys":   inText("pacemakerremoteauthke"),
	"quoted keys":          inText(`"token" `),
	"options":              inText("--x "),
	"b'":                   inText("b'"),
	"b'{":                  inText(`b'{"a": 1}', `),
	"PEM":                  inText("-----BEGIN PRIVATE "),
	"what Python folds":    inText("\u212aſıİ"),
	"other letters":        inText("я"),
	"control characters":   inText("\x01"),
	"JSON":                 inText(`{"a":[{"b":"c"}]},`),
	"JSON, twice":          inText(`{\"a\":[{\"b\":\"c\"}]},`),
	"colons after words":   inText("a:"),
	"short texts":          func(size int) string { return "[" + repeated(`"a-k=",`, size) + `""]` },
	"short texts, escaped": func(size int) string { return "[" + repeated(`"\u0061-",`, size) + `""]` },
	"numbers":              func(size int) string { return "[" + repeated("1,", size) + "1]" },
	"long number":          func(size int) string { return repeated("1", size) },
	"NaN":                  func(size int) string { return "[" + repeated("NaN,", size) + "1]" },
	"nested": func(size int) string {
		return "[" + repeated(strings.Repeat("[", 60)+strings.Repeat("]", 60)+",", size) + "1]"
	},
	"too deep":           func(size int) string { return repeated("[", size) },
	"blanks between":     func(size int) string { return "[1" + repeated(" ", size) + "]" },
	"one member, again":  func(size int) string { return "{" + repeated(`"a":1,`, size) + `"a":2}` },
	"the same, escaped":  func(size int) string { return "{" + repeated(`"\u0061":1,"a":1,`, size) + `"a":2}` },
	"owner, again":       func(size int) string { return "{" + repeated(`"tenant_id":"p",`, size) + `"tenant_id":"p"}` },
	"members":            members(`"%x":1,`),
	"members, escaped":   members(`"\u0061%x":1,`),
	"members, long":      members(`"%0200x":1,`),
	"secrets":            members(`"token%x":"",`),
	"members of objects": members(`"%x":{"a":1},`),
	"networks": func(size int) string {
		return `{"networks":[` + repeated(`{"project_id":"p","id":"i"},`, size) + `{}]}`
	},
}

func repeated(text string, size int) string { return strings.Repeat(text, max(size/len(text), 1)) }

func inText(text string) func(int) string {
	return func(size int) string {
		quoted, _ := stdjson.Marshal(repeated(text, size))
		return string(quoted)
	}
}

func members(format string) func(int) string {
	return func(size int) string {
		var b strings.Builder
		for i := 0; b.Len() < size; i++ {
			fmt.Fprintf(&b, format, i)
		}
		return "{" + b.String() + `"end":1}`
	}
}

// hostileBodies are the payload in each form that a body can have.
func hostileBodies(payload string) map[string][]byte {
	message := `{"event_type": "network.create.end", "payload": ` + payload + `}`
	quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(message)
	return map[string][]byte{
		"bare":     []byte(message),
		"envelope": []byte(`{"oslo.version": "2.0", "oslo.message": "` + quoted + `"}`),
		"reversed": []byte(`{"oslo.message": "` + quoted + `", "oslo.version": "2.0"}`),
	}
}

// cpuTime is what the calling thread has computed.
func cpuTime(t testing.TB) time.Duration {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &now); err != nil {
		t.Fatal(err)
	}
	return time.Duration(now.Nano())
}

// least is the least time that f takes of the processor, in a few attempts, or the first
// below enough.
func least(t testing.TB, enough time.Duration, f func()) time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	best := time.Duration(1<<63 - 1)
	for n := 0; n < 5 && best > enough; n++ {
		began := cpuTime(t)
		f()
		best = min(best, cpuTime(t)-began)
	}
	return best
}

// A body 16 times as long takes 16 times as long, and some more for memory that is not
// kept. The square of it would be 256 times. None of that depends on the machine.
func TestDecodingIsLinear(t *testing.T) {
	const small, large, most = 4 << 10, 64 << 10, 128
	d := NewDecoder(DefaultConfig())
	for name, payload := range hostile {
		t.Run(name, func(t *testing.T) {
			larger := hostileBodies(payload(large))
			for form, body := range hostileBodies(payload(small)) {
				decode := func(body []byte, enough time.Duration) time.Duration {
					var n event.Notification
					return least(t, enough, func() { d.Decode(&n, body, "") })
				}
				one := decode(body, 0)
				if longer := decode(larger[form], most*one); longer > most*one {
					t.Errorf("%s: %s for %d bytes, %s for %d", form, one, len(body), longer, len(larger[form]))
				}
			}
		})
	}
}

func BenchmarkHostile(b *testing.B) {
	d := NewDecoder(DefaultConfig())
	for name, payload := range hostile {
		for _, size := range []int{1 << 10, 16 << 10, 256 << 10, DefaultMaxBodyBytes / 2} {
			body := hostileBodies(payload(size))["envelope"]
			b.Run(fmt.Sprintf("%s/%dK", name, size>>10), func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(body)))
				var n event.Notification
				for b.Loop() {
					d.Decode(&n, body, "")
				}
			})
		}
	}
}

// FuzzDecodingBudget looks for a text of which many make a body dear. The budget is a
// hundred times what decoding takes, per byte.
func FuzzDecodingBudget(f *testing.F) {
	for _, text := range []string{"eyJ", `\"`, `{"a":`, "token ", "://:", "b'{", "-----BEGIN PRIVATE "} {
		f.Add(text)
	}
	d := NewDecoder(DefaultConfig())
	f.Fuzz(func(t *testing.T, text string) {
		if text == "" || len(text) > 1<<10 {
			return
		}
		many := repeated(text, 32<<10)
		for _, payload := range []string{many, inText(many)(1)} {
			for form, body := range hostileBodies(payload) {
				var n event.Notification
				budget := time.Duration(len(body)) * 2 * time.Microsecond
				if took := least(t, budget, func() { d.Decode(&n, body, "") }); took > budget {
					t.Errorf("%s: %s for %d bytes of %q", form, took, len(body), text)
				}
			}
		}
	})
}

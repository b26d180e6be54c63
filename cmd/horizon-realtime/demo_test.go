package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/lxzan/gws"

	"horizon-realtime/cmd/horizon-realtime/cli"
	"horizon-realtime/cmd/horizon-realtime/clitest"
	"horizon-realtime/cmd/horizon-realtime/demo"
	"horizon-realtime/router/plugin"
	"horizon-realtime/router/rabbit/rabbittest"
	"horizon-realtime/router/testwait"
)

// TestRunningDemoTakesUpAPlugin starts a demo without any plugin, builds one into
// its folder, then another version of it, and hears both from the same process.
func TestRunningDemoTakesUpAPlugin(t *testing.T) {
	d := clitest.NewDesk(t)
	d.Must("", "horizon-realtime plugin new boxes")
	d.Must("", "mkdir plugins")
	live := startDemo(t, d)
	page := live.connect("project/" + demo.Projects[0].ID + "/boxes")

	build := "horizon-realtime plugin build --out ../plugins"
	d.Must("boxes", build)
	first := live.waitForPlugin("boxes", "")
	live.launch("one")
	if got := page.next(t); !strings.Contains(got, `"name":"one"`) || !strings.Contains(got, `"id":"`) {
		t.Error(got)
	}

	changed := strings.Replace(d.Read("boxes/main.go"), `m.String("event", e.Type())`, `m.Int("edition", 2)`, 1)
	d.Write("boxes/main.go", changed)
	d.Must("boxes", build)
	live.waitForPlugin("boxes", first)
	live.launch("two")
	testwait.Until(t, "a message of the second version", func() bool {
		return strings.Contains(page.next(t), `"edition":2`)
	})

	// The same plugin beside the router, reading along.
	d.Must("boxes", "horizon-realtime plugin build")
	if got, want := readAlong(t, d, live), "  emits    project/"+demo.Projects[0].ID+"/boxes "; !strings.HasPrefix(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	d.Fails("boxes", "horizon-realtime plugin run 50-boxes.wasm http://"+live.base, cli.Failure, "that is not a router's admin listener; see [admin] listen")
	d.Fails("boxes", "horizon-realtime plugin run 50-boxes.wasm http://127.0.0.1:1", cli.Failure, "is it running, and is that its [admin] listen?")
}

// readAlong runs the plugin on what the demo's plugins get, gives the first line
// about an emission, and interrupts it.
func readAlong(t *testing.T, d *clitest.Desk, live *liveDemo) string {
	t.Helper()
	cmd := exec.Command("sh", "-c", "exec horizon-realtime plugin run 50-boxes.wasm http://"+live.admin)
	cmd.Dir, cmd.Env = filepath.Join(d.Dir, "boxes"), d.Env
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	diagnosis, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	said := bufio.NewReader(diagnosis)
	if line, err := said.ReadString('\n'); !strings.HasPrefix(line, "reading along at ") {
		t.Fatalf("%q, %v", line, err)
	}
	live.launch("three")
	lines := bufio.NewReader(out)
	line := ""
	for !strings.HasPrefix(line, "  emits ") {
		if line, err = lines.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, lines); err != nil {
		t.Fatal(err)
	}
	summary, err := io.ReadAll(said)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || !strings.Contains(string(summary), " heard, ") {
		t.Errorf("%v\n%s", err, summary)
	}
	return line
}

// liveDemo is a demo process.
type liveDemo struct {
	t           *testing.T
	base, admin string
	http        http.Client
}

func startDemo(t *testing.T, d *clitest.Desk) *liveDemo {
	t.Helper()
	ports, err := rabbittest.FreePorts(2)
	if err != nil {
		t.Fatal(err)
	}
	live := &liveDemo{t: t, base: fmt.Sprintf("127.0.0.1:%d", ports[0]), admin: fmt.Sprintf("127.0.0.1:%d", ports[1])}
	live.http.Timeout = testwait.Limit
	d.Write("demo.toml", fmt.Sprintf("[server]\nlisten = %q\n[admin]\nlisten = %q\n[plugins]\ndir = \"plugins\"\nsettle = \"50ms\"\n[router]\ndrain_timeout = \"2s\"\n", live.base, live.admin))
	d.Background("", "horizon-realtime demo --config-file demo.toml", "open http://"+live.base)
	return live
}

// waitForPlugin waits until the plugin runs in another version than the one of
// the digest, and returns its digest.
func (l *liveDemo) waitForPlugin(name, digest string) string {
	l.t.Helper()
	found := ""
	testwait.Until(l.t, "the demo takes up "+name, func() bool {
		answer, err := l.http.Get("http://" + l.admin + "/api/plugins")
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		var list []plugin.Status
		if err := json.NewDecoder(answer.Body).Decode(&list); err != nil {
			l.t.Fatal(err)
		}
		for _, s := range list {
			if s.Name == name && s.State == plugin.Running && s.Digest != digest {
				found = s.Digest
			}
		}
		return found != ""
	})
	return found
}

// post sends JSON to the demo's own API and gives the answer's members.
func (l *liveDemo) post(path string, body any) map[string]string {
	l.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		l.t.Fatal(err)
	}
	answer, err := l.http.Post("http://"+l.base+path, "application/json", bytes.NewReader(text))
	if err != nil {
		l.t.Fatal(err)
	}
	defer answer.Body.Close()
	var members map[string]string
	if err := json.NewDecoder(answer.Body).Decode(&members); err != nil || answer.StatusCode > 299 {
		l.t.Fatalf("%s: %s %v %v", path, answer.Status, members, err)
	}
	return members
}

// launch makes a server in the first project.
func (l *liveDemo) launch(name string) {
	l.t.Helper()
	l.post("/demo/api/instances", map[string]string{"project": demo.Projects[0].Name, "name": name, "flavor": "m1.tiny", "image": "debian-13"})
}

// subscriber is a page's connection.
type subscriber struct {
	gws.BuiltinEventHandler
	frames chan string
}

func (s *subscriber) OnMessage(socket *gws.Conn, message *gws.Message) {
	for line := range strings.Lines(message.Data.String()) {
		if line = strings.TrimSpace(line); line == "{}" {
			_ = socket.WriteString("{}") // a ping, and its answer
			continue
		}
		s.frames <- line
	}
	message.Close()
}

// connect subscribes to a channel as a member of the first project.
func (l *liveDemo) connect(channel string) *subscriber {
	l.t.Helper()
	testwait.Until(l.t, "the demo listens", func() bool {
		answer, err := l.http.Get("http://" + l.base + "/")
		if err == nil {
			answer.Body.Close()
		}
		return err == nil
	})
	token := l.post("/demo/api/token", map[string]string{"project": demo.Projects[0].Name})["token"]
	s := &subscriber{frames: make(chan string, 1000)}
	socket, _, err := gws.NewClient(s, &gws.ClientOption{Addr: "ws://" + l.base + "/realtime/connection/websocket"})
	if err != nil {
		l.t.Fatal(err)
	}
	read := make(chan struct{})
	go func() { socket.ReadLoop(); close(read) }()
	l.t.Cleanup(func() { socket.NetConn().Close(); <-read })
	if err := socket.WriteString(fmt.Sprintf("{\"id\":1,\"connect\":{\"token\":%q}}\n{\"id\":2,\"subscribe\":{\"channel\":%q}}", token, channel)); err != nil {
		l.t.Fatal(err)
	}
	for _, want := range []string{`"connect":{`, `"subscribe":{`} {
		if got := s.next(l.t); !strings.Contains(got, want) {
			l.t.Fatalf("want %s in %s", want, got)
		}
	}
	return s
}

// next is the next line that the server sends.
func (s *subscriber) next(t *testing.T) string {
	t.Helper()
	return testwait.Receive(t, "the server's next line", s.frames)
}

//go:build e2e

// Package e2e starts the program the way an operator does, with everything real
// around it: a private RabbitMQ, oslo.messaging as the publisher, the official
// Centrifuge client in Node, and Debian's Chromium. Each test asserts on what
// comes out at the far end.
package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"horizon-realtime/router/rabbit/rabbittest"
	"horizon-realtime/router/testwait"
)

const (
	binary  = "../../../bin/horizon-realtime"
	plugins = "../../../plugins"
	secret  = "a secret that only these tests know, of 32 bytes and more"
)

// process is a program that talks in lines.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines chan string
	done  chan struct{}

	mu     sync.Mutex
	stderr bytes.Buffer
}

// start runs a program until the test ends. Its own process group goes with it.
func start(t *testing.T, name string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(name, args...), lines: make(chan string, 4096), done: make(chan struct{})}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	p.cmd.Stderr = p
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	go func() {
		defer close(p.done)
		defer close(p.lines)
		scan := bufio.NewScanner(out)
		scan.Buffer(nil, 1<<20)
		for scan.Scan() {
			p.lines <- scan.Text()
		}
		p.cmd.Wait()
	}()
	t.Cleanup(func() {
		syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.done
		if t.Failed() {
			t.Logf("%s %s\n%s", filepath.Base(name), strings.Join(args, " "), p.log())
		}
	})
	return p
}

// Write keeps the last of what the program writes to its standard error.
func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stderr.Len() > 1<<20 {
		p.stderr.Reset()
	}
	return p.stderr.Write(b)
}

func (p *process) log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stderr.String()
}

func (p *process) say(format string, args ...any) {
	p.t.Helper()
	if _, err := fmt.Fprintf(p.in, format+"\n", args...); err != nil {
		p.t.Fatalf("%s: %v\n%s", p.cmd, err, p.log())
	}
}

// line waits for the next line of output.
func (p *process) line() string {
	p.t.Helper()
	select {
	case l, ok := <-p.lines:
		if !ok {
			p.t.Fatalf("%s ended\n%s", p.cmd, p.log())
		}
		return l
	case <-time.After(testwait.Limit):
		p.t.Fatalf("%s said nothing\n%s", p.cmd, p.log())
	}
	panic("unreachable")
}

// routerProcess is `horizon-realtime run`.
type routerProcess struct {
	*process
	server, admin string
}

// runRouter starts the program with a configuration of its own and waits until
// its readiness says so.
func runRouter(t *testing.T, amqpURL string, more ...string) *routerProcess {
	t.Helper()
	r := launchRouter(t, amqpURL, more...)
	testwait.Succeeds(t, "readiness", func() error { return r.ready() })
	return r
}

func launchRouter(t *testing.T, amqpURL string, more ...string) *routerProcess {
	t.Helper()
	ports, err := rabbittest.FreePorts(2)
	if err != nil {
		t.Fatal(err)
	}
	r := &routerProcess{server: fmt.Sprintf("127.0.0.1:%d", ports[0]), admin: fmt.Sprintf("127.0.0.1:%d", ports[1])}
	config := fmt.Sprintf(`
[amqp]
urls = [%q]
exchange_retry = "200ms"
exchange_retry_max = "200ms"
exchanges = ["nova", "neutron", "openstack", "glance", "keystone"]
[amqp.reconnect]
max = "1s"
[plugins]
dir = %q
[server]
listen = %q
drain = "1s"
[admin]
listen = %q
[auth.jwt]
hmac_secret = %q
[log]
level = "debug"
`, amqpURL, plugins, r.server, r.admin, secret) + strings.Join(more, "\n")
	file := filepath.Join(t.TempDir(), "router.toml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	r.process = start(t, binary, "run", "--config-file", file)
	return r
}

// ready asks /readyz.
func (r *routerProcess) ready() error {
	_, err := get("http://" + r.admin + "/readyz")
	return err
}

// metric reads one sample, such as `horizon_realtime_notifications_total{outcome="routed"}`.
func (r *routerProcess) metric(name string) float64 {
	r.t.Helper()
	text, err := get("http://" + r.admin + "/metrics")
	if err != nil {
		r.t.Fatal(err)
	}
	for line := range strings.SplitSeq(text, "\n") {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			var v float64
			if _, err := fmt.Sscan(rest, &v); err != nil {
				r.t.Fatalf("metric %q: %v", line, err)
			}
			return v
		}
	}
	return 0
}

// outcomes counts the notifications that have ended, in any way.
func (r *routerProcess) outcomes() (byName map[string]float64, sum float64) {
	byName = map[string]float64{}
	for _, o := range []string{"routed", "silent", "unmatched", "denied", "faulted", "duplicate", "malformed"} {
		byName[o] = r.metric(`horizon_realtime_notifications_total{outcome="` + o + `"}`)
		sum += byName[o]
	}
	return byName, sum
}

func get(url string) (string, error) {
	resp, err := http.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", url, resp.Status, bytes.TrimSpace(text))
	}
	return string(text), err
}

// token is a JWT of a member of the project.
func token(t *testing.T, user, project string, roles ...string) string {
	t.Helper()
	return tokenUntil(t, user, project, time.Now().Add(time.Hour), roles...)
}

func tokenUntil(t *testing.T, user, project string, until time.Time, roles ...string) string {
	t.Helper()
	text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"sub": user, "project_id": project, "roles": append([]string{"member"}, roles...), "exp": until.Unix(),
	}).SignedString([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// node is the official client in a process of its own.
type node struct{ *process }

// clientEvent is one line that client.mjs prints.
type clientEvent struct {
	Event     string
	Channel   string
	Transport string
	Code      int
	Message   string
	Reason    string
	Recovered bool
	Offset    uint64
	Data      panelMessage
	Tags      map[string]string
}

// panelMessage is what a stock plugin emits.
type panelMessage struct {
	V         int
	Event     string
	Kind      string
	Action    string
	ID        string
	Name      string
	ProjectID string `json:"project_id"`
	Status    string
	Task      *string
}

// connect starts a client, and waits until it is subscribed to every channel.
func connect(t *testing.T, r *routerProcess, token string, channels ...string) *node {
	t.Helper()
	url := "ws://" + r.server + "/realtime/connection/websocket"
	n := &node{start(t, "node", append([]string{"client.mjs", url, token}, channels...)...)}
	for range channels {
		n.expect("subscribed")
	}
	return n
}

// next is the next event of the client.
func (n *node) next() clientEvent {
	n.t.Helper()
	line := n.line()
	var e clientEvent
	if err := json.Unmarshal([]byte(line), &e); err != nil {
		n.t.Fatalf("the client said %q: %v", line, err)
	}
	return e
}

// expect waits for the next event of that kind, and passes over others but
// errors.
func (n *node) expect(event string) clientEvent {
	n.t.Helper()
	var passed []clientEvent
	for began := time.Now(); time.Since(began) < testwait.Limit; {
		e := n.next()
		if e.Event == event {
			return e
		}
		passed = append(passed[max(0, len(passed)-20):], e)
		if strings.HasSuffix(e.Event, "error") && e.Code >= 100 {
			n.t.Fatalf("waiting for %s, the client got %+v", event, e)
		}
	}
	n.t.Fatalf("waiting for %s, the client got %+v", event, passed)
	panic("unreachable")
}

// heard takes what the client has been told so far and has not yet been looked
// at.
func (n *node) heard() (events []clientEvent) {
	for {
		select {
		case line := <-n.lines:
			var e clientEvent
			json.Unmarshal([]byte(line), &e)
			events = append(events, e)
		default:
			return events
		}
	}
}

// publisher is publish.py: oslo.messaging's notifier.
type publisher struct{ *process }

type order struct {
	Step     string   `json:"step"`
	Formats  []string `json:"formats"`
	Instance string   `json:"instance"`
	Project  string   `json:"project"`
	User     string   `json:"user"`
	Name     string   `json:"name"`
}

func startPublisher(t *testing.T, amqpURL string) *publisher {
	t.Helper()
	p := &publisher{start(t, "/usr/bin/python3", "publish.py", strings.Replace(amqpURL, "amqp://", "rabbit://", 1))}
	if line := p.line(); line != "ready" {
		t.Fatalf("publish.py said %q", line)
	}
	return p
}

// publish has nova's notifications of one step sent, and returns their number.
func (p *publisher) publish(o order) (sent int) {
	p.t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		p.t.Fatal(err)
	}
	p.say("%s", text)
	line := p.line()
	if _, err := fmt.Sscanf(line, "ok %d", &sent); err != nil || sent == 0 {
		p.t.Fatalf("publish.py said %q\n%s", line, p.log())
	}
	return sent
}

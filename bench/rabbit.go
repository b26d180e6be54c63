package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"horizon-realtime/router/rabbit"
	"horizon-realtime/router/rabbit/rabbittest"
)

// bus is a private RabbitMQ node with nova's exchange, the router's queue bound
// to it, and a connection to publish on.
type bus struct {
	node  *rabbittest.Node
	dir   string
	queue string // the router's queue
	conn  *amqp.Connection
	ch    *amqp.Channel
}

const (
	exchange   = "nova"
	routingKey = "notifications.info"
	prefetch   = 512 // the router's default
)

func startBus() (b *bus, err error) {
	if _, err := os.Stat(binaryPath); err != nil {
		return nil, fmt.Errorf("find the program: %w; make it with `make build plugins`", err)
	}
	b = &bus{}
	defer func() {
		if err != nil {
			b.stop()
		}
	}()
	if b.dir, err = os.MkdirTemp("", "bench-rabbit"); err != nil {
		return b, err
	}
	if b.node, err = rabbittest.New(filepath.Join(b.dir, "node")); err != nil {
		return b, err
	}
	if b.conn, err = amqp.Dial(b.node.URL()); err != nil {
		return b, err
	}
	if b.ch, err = b.conn.Channel(); err != nil {
		return b, err
	}
	if err = b.ch.ExchangeDeclare(exchange, "topic", false, false, false, false, nil); err != nil {
		return b, err
	}
	cfg := rabbit.DefaultConfig()
	cfg.Exchanges = []string{exchange}
	b.queue = cfg.QueueName()
	// The router makes its queue and leaves it behind.
	r, err := b.startRouter()
	if err != nil {
		return b, err
	}
	return b, r.stop()
}

func (b *bus) stop() {
	if b.conn != nil {
		b.conn.Close()
	}
	if b.node != nil {
		b.node.Close()
	}
	if b.dir != "" {
		os.RemoveAll(b.dir)
	}
}

// othersOff are the tables that switch all stock plugins off but one.
func othersOff(one string) (string, error) {
	folders, err := filepath.Glob("../plugins/*/testdata")
	if err != nil || len(folders) != stockCount {
		return "", fmt.Errorf("there are %d stock plugins and should be %d (%v)", len(folders), stockCount, err)
	}
	var tables strings.Builder
	for _, folder := range folders {
		if name := filepath.Base(filepath.Dir(folder)); name != one {
			fmt.Fprintf(&tables, "[plugin.%s]\nenabled = false\n", name)
		}
	}
	return tables.String(), nil
}

// routerProcess is `horizon-realtime run`.
type routerProcess struct {
	cmd           *exec.Cmd
	server, admin string
	log           bytes.Buffer
	ended         chan struct{}
}

// startRouter runs the program and returns when it is ready.
func (b *bus) startRouter() (*routerProcess, error) {
	ports, err := rabbittest.FreePorts(2)
	if err != nil {
		return nil, err
	}
	r := &routerProcess{server: fmt.Sprintf("127.0.0.1:%d", ports[0]), admin: fmt.Sprintf("127.0.0.1:%d", ports[1]), ended: make(chan struct{})}
	empty, err := emptyDir()
	if err != nil {
		return nil, err
	}
	others, err := othersOff("instances")
	if err != nil {
		return nil, err
	}
	config := fmt.Sprintf(`
[amqp]
urls = [%q]
exchanges = [%q]
[plugins]
dir = %q
%s[server]
listen = %q
drain = "0s"
ping = "5m"
[admin]
listen = %q
[auth.jwt]
hmac_secret = %q
`, b.node.URL(), exchange, empty, others, r.server, r.admin, secret)
	file := filepath.Join(b.dir, "router.toml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return nil, err
	}
	r.cmd = exec.Command(binaryPath, "run", "--config-file", file)
	r.cmd.Stderr = &r.log
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := r.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", binaryPath, err)
	}
	go func() { r.cmd.Wait(); close(r.ended) }()
	if err := r.await(); err != nil {
		r.cmd.Process.Kill()
		<-r.ended
		return nil, fmt.Errorf("%w; its log:\n%s", err, r.log.String())
	}
	return r, nil
}

func (r *routerProcess) await() (err error) {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		select {
		case <-r.ended:
			return errors.New("the router ended before it was ready")
		default:
		}
		if _, err = get("http://" + r.admin + "/readyz"); err == nil {
			return nil
		}
	}
	return fmt.Errorf("wait for the router: %w", err)
}

// stop lets it drain, so that what it has handled is acknowledged.
func (r *routerProcess) stop() error {
	r.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-r.ended:
		return nil
	case <-time.After(40 * time.Second):
		r.cmd.Process.Kill()
		<-r.ended
		return errors.New("the router did not stop")
	}
}

func (r *routerProcess) cpu() time.Duration { return processCPU(r.cmd.Process.Pid) }

var outcome = regexp.MustCompile(`(?m)^horizon_realtime_notifications_total\{outcome="([a-z]+)"\} (\S+)$`)

// outcomes counts the notifications it has handled, by how they ended.
func (r *routerProcess) outcomes() (byName map[string]int, sum int, err error) {
	text, err := get("http://" + r.admin + "/metrics")
	if err != nil {
		return nil, 0, err
	}
	byName = map[string]int{}
	for _, m := range outcome.FindAllStringSubmatch(text, -1) {
		n, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			return nil, 0, fmt.Errorf("read the metrics: %w", err)
		}
		byName[m[1]] = int(n)
		sum += int(n)
	}
	return byName, sum, nil
}

func (r *routerProcess) count() (int, error) {
	_, sum, err := r.outcomes()
	return sum, err
}

// plainClient asks for nothing compressed: that would be the router's work.
var plainClient = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableCompression: true}}

func get(url string) (string, error) {
	resp, err := plainClient.Get(url)
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

// template is a message whose parts change from one to the next: the router
// would drop what has the same message id. A part keeps its length.
type template struct {
	body  []byte
	parts map[string][]int // where each placeholder stands
}

func newTemplate(body string, placeholders ...string) (*template, error) {
	t := &template{body: []byte(body), parts: map[string][]int{}}
	for _, p := range placeholders {
		for from := 0; ; {
			at := strings.Index(body[from:], p)
			if at < 0 {
				break
			}
			t.parts[p] = append(t.parts[p], from+at)
			from += at + len(p)
		}
		if len(t.parts[p]) == 0 {
			return nil, fmt.Errorf("a message without %q: %.300s", p, body)
		}
	}
	return t, nil
}

// set replaces a part wherever it stands, in place.
func (t *template) set(placeholder, value string) {
	if len(placeholder) != len(value) {
		panic(fmt.Sprintf("%q for %q", value, placeholder))
	}
	for _, at := range t.parts[placeholder] {
		copy(t.body[at:], value)
	}
}

// messageID is a different one for each number, of the usual length.
func messageID(n int) string { return fmt.Sprintf("%08x-0000-4000-8000-%012x", n>>16, n) }

// publish sends a body as oslo.messaging does.
func (b *bus) publish(body []byte, confirmed bool) (*amqp.DeferredConfirmation, error) {
	p := amqp.Publishing{ContentType: "application/json", ContentEncoding: "utf-8", DeliveryMode: 2, Body: body}
	if confirmed {
		return b.ch.PublishWithDeferredConfirm(exchange, routingKey, false, false, p)
	}
	return nil, b.ch.Publish(exchange, routingKey, false, false, p)
}

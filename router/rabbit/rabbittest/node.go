// Package rabbittest runs a private RabbitMQ node on loopback, with its own name,
// ports, port mapper (epmd), data folder and Erlang cookie, so that it does not meet
// a RabbitMQ that the machine already runs.
//
// In: an installed rabbitmq-server, or the one in the folder $RABBITTEST_BIN, and an
// empty folder; $RABBITTEST_CONF are further lines of rabbitmq.conf. Out: a broker at URL
// that can be stopped and started again with its data. The integration tests
// of router/rabbit, the end-to-end tests and the benchmarks start one; starting
// takes several seconds, so a test package shares one from its TestMain.
package rabbittest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// ErrNotInstalled is what New returns on a machine without RabbitMQ.
var ErrNotInstalled = errors.New("no rabbitmq-server found; install it with: apt-get install rabbitmq-server")

const (
	// Far more than it takes: rabbitmqctl alone starts an Erlang machine.
	startTimeout = 3 * time.Minute
	stopTimeout  = time.Minute
	ctlTimeout   = 3 * time.Minute
)

// Node is one RabbitMQ node. Its user guest (password guest) is an
// administrator. Ctl may be called concurrently; Stop, Start and Close not.
type Node struct {
	dir      string
	bin      string // folder of rabbitmq-server and rabbitmqctl
	conf     []string
	port     int
	distPort int
	epmdPort int

	mu     sync.Mutex
	epmd   *process
	server *process
}

// Start runs a node in a temporary folder for as long as t runs. It fails t if
// RabbitMQ is missing or does not come up.
func Start(t testing.TB) *Node {
	t.Helper()
	n, err := New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// New starts a node that keeps everything in dir, which it makes if missing,
// and returns once it accepts AMQP connections. Each conf is a further line of
// rabbitmq.conf. The caller owes a Close.
//
// # Errors
//
// ErrNotInstalled; a node that does not come up, with the end of its log.
func New(dir string, conf ...string) (*Node, error) {
	bin, err := findServer()
	if err != nil {
		return nil, err
	}
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("resolve the node's folder: %w", err)
	}
	ports, err := FreePorts(3)
	if err != nil {
		return nil, err
	}
	n := &Node{dir: dir, bin: bin, conf: conf, port: ports[0], distPort: ports[1], epmdPort: ports[2]}
	if err := n.prepare(); err != nil {
		return nil, err
	}
	if err := n.Start(); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

// FreePorts chooses below the ports that Linux gives to outgoing connections, so
// that none of these takes one before its server does.
const firstPort, lastPort = 20_000, 32_000

// FreePorts finds n different TCP ports that nothing on loopback listens on.
//
// # Errors
//
// Hardly a port is free.
func FreePorts(n int) ([]int, error) {
	ports := make([]int, 0, n)
	for range 1000 {
		if len(ports) == n {
			return ports, nil
		}
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", firstPort+rand.IntN(lastPort-firstPort)))
		if err != nil {
			continue
		}
		defer l.Close() // only then, so that all are different
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return nil, fmt.Errorf("find %d free ports between %d and %d: too many are taken", n, firstPort, lastPort)
}

// URL is the amqp:// URL of the node's default vhost, as its administrator.
func (n *Node) URL() string { return n.URLFor("guest", "guest") }

// URLFor is URL for another user, whom the caller has added with Ctl.
func (n *Node) URLFor(user, password string) string {
	return fmt.Sprintf("amqp://%s:%s@%s/", user, password, n.Addr())
}

// Addr is the host:port that the node accepts AMQP on.
func (n *Node) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(n.port)) }

// LogFile is where the node writes its log.
func (n *Node) LogFile() string { return filepath.Join(n.dir, "log", "node.log") }

// findServer finds the folder with RabbitMQ's own scripts: $RABBITTEST_BIN, or what is
// installed. Debian's wrappers on the PATH change to the user rabbitmq and the
// system's data, so its inner folder goes first.
func findServer() (string, error) {
	if bin := os.Getenv("RABBITTEST_BIN"); bin != "" {
		return bin, nil
	}
	const debian = "/usr/lib/rabbitmq/bin"
	if _, err := os.Stat(filepath.Join(debian, "rabbitmq-server")); err == nil {
		return debian, nil
	}
	path, err := exec.LookPath("rabbitmq-server")
	if err != nil {
		return "", ErrNotInstalled
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return "", fmt.Errorf("resolve rabbitmq-server: %w", err)
	}
	return filepath.Dir(path), nil
}

func (n *Node) prepare() error {
	for _, sub := range []string{"home", "log", "mnesia"} {
		if err := os.MkdirAll(filepath.Join(n.dir, sub), 0o700); err != nil {
			return fmt.Errorf("make the node's folder: %w", err)
		}
	}
	lines := append([]string{
		"listeners.tcp.1 = 127.0.0.1:" + strconv.Itoa(n.port),
		"loopback_users.guest = true",
		"disk_free_limit.absolute = 50MB",
	}, n.conf...)
	if more := os.Getenv("RABBITTEST_CONF"); more != "" {
		lines = append(lines, more)
	}
	files := map[string]string{
		"rabbitmq.conf":   strings.Join(lines, "\n") + "\n",
		"enabled_plugins": "[].\n",
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(n.dir, name), []byte(text), 0o600); err != nil {
			return fmt.Errorf("write the node's configuration: %w", err)
		}
	}
	return nil
}

// environment is the caller's without its RABBITMQ_… and ERL_… variables.
func (n *Node) environment() []string {
	var env []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "RABBITMQ_") && !strings.HasPrefix(kv, "ERL_") &&
			!strings.HasPrefix(kv, "HOME=") && !strings.HasPrefix(kv, "NOTIFY_SOCKET=") {
			env = append(env, kv)
		}
	}
	in := func(name string) string { return filepath.Join(n.dir, name) }
	return append(env,
		"HOME="+in("home"), // the Erlang cookie is made here
		"LC_ALL=C.UTF-8",
		fmt.Sprintf("RABBITMQ_NODENAME=hr%d@localhost", n.port),
		"RABBITMQ_NODE_IP_ADDRESS=127.0.0.1",
		fmt.Sprintf("RABBITMQ_NODE_PORT=%d", n.port),
		fmt.Sprintf("RABBITMQ_DIST_PORT=%d", n.distPort),
		fmt.Sprintf("ERL_EPMD_PORT=%d", n.epmdPort),
		"ERL_EPMD_ADDRESS=127.0.0.1",
		"RABBITMQ_MNESIA_BASE="+in("mnesia"),
		"RABBITMQ_LOG_BASE="+in("log"),
		"RABBITMQ_LOGS="+n.LogFile(),
		"RABBITMQ_PID_FILE="+in("pid"),
		"RABBITMQ_ENABLED_PLUGINS_FILE="+in("enabled_plugins"),
		"RABBITMQ_CONFIG_FILE="+in("rabbitmq"),
		"RABBITMQ_CONF_ENV_FILE=/dev/null",
		// The schedulers' busy waiting would take cores from the tests.
		"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-start_epmd false -kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none",
		"RABBITMQ_CTL_ERL_ARGS=+sbwt none -start_epmd false",
	)
}

// Start starts a node that was stopped, with the data it had, and returns once
// it accepts AMQP connections. A node that runs is left alone.
//
// # Errors
//
// A node that does not come up, with the end of its log.
func (n *Node) Start() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.server != nil {
		return nil
	}
	if n.epmd == nil {
		epmd, err := findEpmd()
		if err != nil {
			return err
		}
		n.epmd, err = start(n.environment(), n.dir, epmd, "-port", strconv.Itoa(n.epmdPort), "-address", "127.0.0.1")
		if err != nil {
			return fmt.Errorf("start epmd: %w", err)
		}
	}
	if err := poll(startTimeout, n.epmd, func() error {
		return accepts(net.JoinHostPort("127.0.0.1", strconv.Itoa(n.epmdPort)))
	}); err != nil {
		return fmt.Errorf("wait for epmd: %w", err)
	}
	var err error
	n.server, err = start(n.environment(), n.dir, filepath.Join(n.bin, "rabbitmq-server"))
	if err != nil {
		return fmt.Errorf("start rabbitmq-server: %w", err)
	}
	if err := poll(startTimeout, n.server, n.answers); err != nil {
		return fmt.Errorf("wait for rabbitmq-server: %w; its output ends:\n%s\nits log ends:\n%s", err,
			tail(filepath.Join(n.dir, "log", "rabbitmq-server.out"), 2000), tail(n.LogFile(), 2000))
	}
	return nil
}

// findEpmd finds Erlang's port mapper, which some packages keep off the PATH.
func findEpmd() (string, error) {
	if path, err := exec.LookPath("epmd"); err == nil {
		return path, nil
	}
	found, _ := filepath.Glob("/usr/lib/erlang/erts-*/bin/epmd")
	if len(found) == 0 {
		return "", fmt.Errorf("no epmd found, which is part of Erlang: %w", ErrNotInstalled)
	}
	return found[len(found)-1], nil
}

func accepts(addr string) error {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return err
	}
	return c.Close()
}

// answers reports whether the node finishes an AMQP handshake: its port is open
// before it is ready.
func (n *Node) answers() error {
	if err := accepts(n.Addr()); err != nil {
		return err
	}
	c, err := amqp.DialConfig(n.URL(), amqp.Config{Dial: amqp.DefaultDial(2 * time.Second)})
	if err != nil {
		return err
	}
	return c.Close()
}

// Stop stops the node in good order, as a service manager does; its data stays.
// A node that does not stop in time is killed.
//
// # Errors
//
// Says that it had to be killed.
func (n *Node) Stop() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.server == nil {
		return nil
	}
	if err := n.end(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop rabbitmq-server: %w", err)
	}
	return nil
}

// Kill ends the node at once, as a power cut does; its data stays.
func (n *Node) Kill() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.server != nil {
		_ = n.end(syscall.SIGKILL)
	}
}

// end ends the server, and waits until nothing listens on its port: the process
// that does is not the one that was waited for, and a node that is still dying must
// not be taken for the next one.
func (n *Node) end(s syscall.Signal) error {
	err := n.server.stop(s, stopTimeout)
	n.server = nil
	for deadline := time.Now().Add(stopTimeout); accepts(n.Addr()) == nil && err == nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			err = fmt.Errorf("something listens on %s after %s", n.Addr(), stopTimeout)
		}
	}
	return err
}

// Close stops the node and its port mapper for good. The folder stays. It may
// be called twice.
//
// # Errors
//
// Those of Stop.
func (n *Node) Close() error {
	err := n.Stop()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.epmd != nil {
		// Nothing depends on a port mapper without nodes.
		_ = n.epmd.stop(syscall.SIGKILL, stopTimeout)
		n.epmd = nil
	}
	return err
}

// Ctl runs rabbitmqctl on the node and returns what it prints. It takes a
// second or two.
//
// # Errors
//
// Names the arguments and holds what rabbitmqctl printed.
func (n *Node) Ctl(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), ctlTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(n.bin, "rabbitmqctl"), append([]string{"-q"}, args...)...)
	cmd.Env, cmd.Dir = n.environment(), n.dir
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("run rabbitmqctl %s: %w: %s%s", strings.Join(args, " "), err, out.String(), errOut.String())
	}
	return out.String(), nil
}

func tail(file string, size int) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-size):])
}

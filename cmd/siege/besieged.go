package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/lxzan/gws"
	"github.com/prometheus/client_golang/prometheus"

	"horizon-realtime/router"
	"horizon-realtime/router/plugin"
)

// stockFile is the plugin whose deliveries are counted. The misbehaving ones run
// before it, so that everything they do is in its way.
const stockFile = "50-instances.wasm"

// ground is what a siege is about.
type ground struct {
	root   string
	rate   int  // notifications per second
	rabbit bool // through a RabbitMQ of its own
	// files are the plugins that are there from the beginning.
	files map[string][]byte
	// configure changes the configuration that all sieges share.
	configure func(*router.Config)
	// heard says that there are a listener per project, and one that should hear
	// nothing; forced, that Go's collector has to run all the time.
	heard, forced bool
}

// besieged is a running router with its listeners.
type besieged struct {
	dir    string // of the plugins
	ledger *ledger
	log    *logBook
	admin  string
	// address is that of the client endpoints.
	address string
	// sendOne hands a notification to the router. Its callers take turns.
	sending sync.Mutex
	sendOne func(ctx context.Context, body []byte) error
	// kept is the process's resident memory when it was measured last.
	kept int64
	stop func() error
}

// besiege starts the whole router with the plugins, the traffic and the listeners.
//
// # Errors
//
// Any of these does not start.
func besiege(ctx context.Context, g ground) (_ *besieged, err error) {
	home, err := os.MkdirTemp("", "siege")
	if err != nil {
		return nil, err
	}
	b := &besieged{dir: filepath.Join(home, "plugins"), ledger: newLedger(), log: new(logBook)}
	ctx, cancel := context.WithCancel(ctx)
	var sending, work sync.WaitGroup
	var sent, failed error
	sendCtx, stopSending := context.WithCancel(ctx)
	notifications := way(newInProcess())
	b.stop = sync.OnceValue(func() error {
		stopSending()
		sending.Wait()
		if g.heard {
			b.ledger.drain()
		}
		cancel()
		work.Wait()
		return errors.Join(sent, failed, notifications.close(), os.RemoveAll(home))
	})
	defer func() {
		if err != nil {
			err = errors.Join(err, b.stop())
		}
	}()
	if err = os.Mkdir(b.dir, 0o700); err != nil {
		return nil, err
	}
	for name, module := range g.files {
		if err = b.install(name, module); err != nil {
			return nil, err
		}
	}
	if g.rabbit {
		broker, err := startBroker(filepath.Join(home, "rabbitmq"))
		if err != nil {
			return nil, err
		}
		notifications = broker
	}
	traffic, err := newTraffic(g.root, g.rate, b.ledger)
	if err != nil {
		return nil, err
	}
	cfg := router.DefaultConfig()
	g.configure(&cfg)
	b.settle(&cfg, home)
	log, reg := slog.New(slog.NewJSONHandler(b.log, nil)), prometheus.NewRegistry()
	source, err := notifications.source(cfg, log, reg)
	if err != nil {
		return nil, err
	}
	r, err := router.New(ctx, cfg, router.Parts{Source: source, Log: log, Registry: reg})
	if err != nil {
		return nil, err
	}
	b.admin, b.address = "http://"+r.AdminAddr(), r.Addr()
	work.Go(func() { failed = r.Run(ctx) })
	if g.heard {
		conns, ended, err := listenAll(r.Addr(), b.ledger)
		work.Go(func() {
			<-ctx.Done()
			for i, conn := range conns {
				_ = conn.NetConn().SetReadDeadline(time.Now().Add(drain))
				<-ended[i]
			}
		})
		if err != nil {
			return nil, err
		}
	}
	if err := untilReady(ctx, source); err != nil {
		return nil, err
	}
	if g.forced {
		work.Go(func() { collect(ctx) })
	}
	b.sendOne = notifications.send
	sending.Go(func() { sent = traffic.run(sendCtx, b.send) })
	return b, nil
}

// collect makes Go collect garbage every 50 ms: while it begins to, everything in
// the process waits for what cannot be interrupted.
func collect(ctx context.Context) {
	for pace := time.NewTicker(50 * time.Millisecond); ; {
		select {
		case <-ctx.Done():
			pace.Stop()
			return
		case <-pace.C:
			runtime.GC()
		}
	}
}

// drain bounds how long the router may take to stop.
const drain = 20 * time.Second

// send hands a notification to the router.
func (b *besieged) send(ctx context.Context, body []byte) error {
	b.sending.Lock()
	defer b.sending.Unlock()
	return b.sendOne(ctx, body)
}

// settle changes a configuration to what a test machine needs.
func (b *besieged) settle(cfg *router.Config, home string) {
	cfg.Plugins.Dir, cfg.Plugins.CacheDir = b.dir, filepath.Join(home, "cache")
	cfg.Plugins.Settle = 20 * time.Millisecond // so that it is over sooner
	cfg.Plugins.KVKeep = 0                     // and a store, too
	cfg.Server.Listen, cfg.Admin.Listen = "127.0.0.1:0", "127.0.0.1:0"
	cfg.Server.Drain = 100 * time.Millisecond
	cfg.Router.DrainTimeout = drain
}

// listenAll connects the listeners: one per project, and a stranger.
func listenAll(address string, l *ledger) (conns []*gws.Conn, ended []<-chan struct{}, err error) {
	for i := range projects + 1 {
		id, number := project(i), i
		channels := []string{"project/" + id + "/*"}
		if i == projects {
			id, number = "stranger", -1
			channels = []string{"project/stranger/*", "user/stranger/*", "public/*"}
		}
		conn, done, err := listen(address, l, number, jwt.MapClaims{"sub": id, "project_id": id}, channels...)
		if conn != nil {
			conns, ended = append(conns, conn), append(ended, done)
		}
		if err != nil {
			return conns, ended, err
		}
	}
	return conns, ended, nil
}

// install puts a file into the folder as an operator should: under another name
// first.
func (b *besieged) install(name string, module []byte) error {
	path := filepath.Join(b.dir, name)
	if err := os.WriteFile(path+".part", module, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".part", path)
}

// status asks the admin listener about a file; ok is false if it does not know it.
func (b *besieged) status(ctx context.Context, file string) (s plugin.Status, ok bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.admin+"/api/plugins", nil)
	if err != nil {
		return s, false, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return s, false, fmt.Errorf("ask the router about its plugins: %w", err)
	}
	defer resp.Body.Close()
	var all []plugin.Status
	if err := json.NewDecoder(resp.Body).Decode(&all); err != nil {
		return s, false, fmt.Errorf("read /api/plugins: %w", err)
	}
	for _, s := range all {
		if s.File == file {
			return s, true, nil
		}
	}
	return s, false, nil
}

// patience bounds every wait.
const patience = 30 * time.Second

// until asks about the file until the condition holds.
//
// # Errors
//
// It does not hold within patience.
func (b *besieged) until(ctx context.Context, file string, holds func(s plugin.Status, ok bool) bool) (plugin.Status, error) {
	for deadline := time.Now().Add(patience); ; {
		s, ok, err := b.status(ctx, file)
		if err != nil || holds(s, ok) {
			return s, err
		}
		if time.Now().After(deadline) {
			return s, fmt.Errorf("it is %q after %s", s.State, patience)
		}
		if err := wait(ctx, 20*time.Millisecond); err != nil {
			return s, err
		}
	}
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

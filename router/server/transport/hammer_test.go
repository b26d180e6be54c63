package transport

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"horizon-realtime/router/hub"
	"horizon-realtime/router/server/clienttest"
	"horizon-realtime/router/testwait"
	"horizon-realtime/router/wire"
)

// wanderer is a client that loses its connection again and again, and remembers
// where it was in each of its channels, as the official clients do.
type wanderer struct {
	address   string
	transport string
	epoch     string
	since     map[string]uint64 // where its first subscription began, by what it subscribes to
	offsets   map[string]uint64 // the last it has seen
	heard     map[string][]int  // numbers of publications
}

// visitor is one connection of a wanderer, over which it has sent its first
// commands.
type visitor struct {
	next  func() ([]byte, error)
	leave func()
}

// connect connects.
func (v *wanderer) connect(t *testing.T, commands []string) (visitor, error) {
	if v.transport != "websocket" {
		return v.connectByStream(t, commands)
	}
	conn, err := dialNarrow(context.Background(), "tcp", v.address)
	if err != nil {
		return visitor{}, err
	}
	c := clienttest.Dial(t, conn)
	c.Say(commands...)
	return visitor{next: c.Next, leave: func() {
		if rand.IntN(2) == 0 {
			conn.(*net.TCPConn).SetLinger(0) // a reset
		}
		conn.Close()
	}}, nil
}

// dialNarrow connects with a small receive buffer, so that what a client does not
// read soon has to wait in the server.
func dialNarrow(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err == nil {
		err = conn.(*net.TCPConn).SetReadBuffer(64 << 10)
	}
	return conn, err
}

func (v *wanderer) connectByStream(t *testing.T, commands []string) (visitor, error) {
	text := strings.Join(commands, "\n")
	r := clienttest.StreamRequest(t, "http://"+v.address, v.transport, text)
	own := &http.Transport{DisableKeepAlives: true, DialContext: dialNarrow}
	answer, err := own.RoundTrip(r)
	if err != nil {
		return visitor{}, err
	}
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 64<<20)
	next := func() ([]byte, error) {
		for lines.Scan() {
			if line := bytes.TrimSpace(bytes.TrimPrefix(lines.Bytes(), []byte("data: "))); len(line) > 0 {
				return line, nil
			}
		}
		return nil, errors.Join(io.ErrUnexpectedEOF, lines.Err())
	}
	return visitor{next: next, leave: func() { answer.Body.Close() }}, nil
}

// visit connects, recovers, and listens until it has heard so many publications
// or, at the end of the test, all. dawdle comes before it listens.
func (v *wanderer) visit(t *testing.T, stay int, total *atomic.Int64, dawdle func()) error {
	lines := []string{`{"id":1,"connect":{"token":"ann@p1"}}`}
	for channel, offset := range v.offsets {
		lines = append(lines, fmt.Sprintf(`{"id":%d,"subscribe":{"channel":%q,"recover":%t,"epoch":%q,"offset":%d}}`,
			len(lines)+1, channel, v.epoch != "", v.epoch, offset))
	}
	asked := lines[1:]
	c, err := v.connect(t, lines)
	if err != nil {
		return err
	}
	defer c.leave()
	dawdle()
	for n := 0; n < stay || total.Load() > 0; {
		if last := int(total.Load()); last > 0 && v.complete(last) {
			break
		}
		line, err := c.next()
		if err != nil {
			return err
		}
		var m clienttest.Message
		if err := json.Unmarshal(line, &m); err != nil {
			return err
		}
		switch {
		case m.Error != nil:
			return fmt.Errorf("%s", line)
		case m.Subscribe != nil:
			var ask wire.Command
			json.Unmarshal([]byte(asked[m.ID-2]), &ask)
			if ask.Subscribe.Recover && !m.Subscribe.Recovered {
				return fmt.Errorf("not recovered: %s", line)
			}
			v.epoch = m.Subscribe.Epoch
			if !ask.Subscribe.Recover {
				v.since[ask.Subscribe.Channel] = m.Subscribe.Offset
				v.offsets[ask.Subscribe.Channel] = m.Subscribe.Offset
			}
			for _, p := range m.Subscribe.Publications {
				v.take(ask.Subscribe.Channel, p)
				n++
			}
		case m.Push != nil && m.Push.Pub != nil:
			v.take(m.Push.Channel, *m.Push.Pub)
			n++
		case m.Connect == nil && string(line) != "{}":
			return fmt.Errorf("unexpected: %s", line)
		}
	}
	return nil
}

func (v *wanderer) take(channel string, p clienttest.Publication) {
	var n int
	fmt.Sscanf(string(p.Data), "[%d,", &n)
	v.offsets[channel] = p.Offset
	v.heard[channel] = append(v.heard[channel], n)
}

func (v *wanderer) complete(last int) bool {
	for _, numbers := range v.heard {
		if len(numbers) == 0 || numbers[len(numbers)-1] != last {
			return false
		}
	}
	return true
}

// TestHammer has clients of all transports lose their connections while a channel
// is published to, and checks that each hears every publication since its first
// subscription once and in order, on the channel and on its wildcard.
func TestHammer(t *testing.T) {
	const clients, visits, patience = 12, 10, 150
	padding := strings.Repeat("x", 2<<10)
	cfg := testConfig()
	cfg.OutboxBytes = 512 << 20                              // whatever was missed has to fit
	cfg.Ping, cfg.PongTimeout = 9*time.Minute, 8*time.Minute // a machine that is busy may take that long
	hubConfig := hub.DefaultConfig()
	hubConfig.HistorySize, hubConfig.HistoryBytes = 100_000, 1<<30
	w := startWith(t, cfg, hubConfig)
	var total, visited, done, published, dawdling atomic.Int64
	dawdle := func() { // until more waits than the sockets hold
		dawdling.Add(1)
		defer dawdling.Add(-1)
		for from := published.Load(); published.Load() < from+patience && total.Load() == 0 && done.Load() < clients; {
			time.Sleep(time.Millisecond)
		}
	}
	var wg sync.WaitGroup
	people := make([]*wanderer, clients)
	for i := range people {
		v := &wanderer{
			address:   w.address(),
			transport: []string{"websocket", "http_stream", "sse"}[i%3],
			since:     map[string]uint64{},
			offsets:   map[string]uint64{"project/p1/a": 0, "project/p1/*": 0},
			heard:     map[string][]int{"project/p1/a": nil, "project/p1/*": nil},
		}
		people[i] = v
		wg.Go(func() {
			stays := rand.New(rand.NewPCG(uint64(i), 3))
			for range visits {
				before := func() {}
				if stays.IntN(8) == 0 {
					before = dawdle
				}
				if err := v.visit(t, 1+stays.IntN(30), &total, before); err != nil {
					t.Errorf("client %d: %v", i, err)
					break
				}
				visited.Add(1)
			}
			done.Add(1)
			testwait.Until(t, "the publisher is done", func() bool { return total.Load() > 0 })
			if err := v.visit(t, 0, &total, func() {}); err != nil {
				t.Errorf("client %d: %v", i, err)
			}
		})
	}
	n := 0
	for done.Load() < clients && !t.Failed() {
		for range 20 {
			n++
			data := fmt.Sprintf(`[%d,""]`, n)
			if dawdling.Load() > 0 {
				data = fmt.Sprintf(`[%d,%q]`, n, padding)
			}
			w.hub.Say(t, "project/p1/a", data)
			published.Add(1)
		}
		// Go on when somebody has come and gone, or waits to hear more.
		before := visited.Load()
		for patience := time.Now().Add(25 * time.Millisecond); visited.Load() == before && time.Now().Before(patience); {
			runtime.Gosched()
		}
	}
	total.Store(int64(n))
	wg.Wait()
	for i, v := range people {
		for channel, numbers := range v.heard {
			// The only publications there are: the n-th has the offset n.
			first := int(v.since[channel]) + 1
			for j, number := range numbers {
				if number != first+j {
					t.Fatalf("client %d over %s on %s since %d: %d is the %d-th", i, v.transport, channel, first-1, number, j+1)
				}
			}
			if want := n - first + 1; len(numbers) != want {
				t.Errorf("client %d over %s on %s heard %d of %d", i, v.transport, channel, len(numbers), want)
			}
		}
	}
	t.Logf("%d clients, %d connections, %d publications", clients, clients*(visits+1), n)
	w.nobodyIsLeft(t)
}

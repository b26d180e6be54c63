package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/centrifugal/centrifuge"
)

// children are the servers under test by name.
var children = map[string]func(args []string) error{
	"fan-ours":       serveFanOurs,
	"fan-centrifuge": serveFanCentrifuge,
	"fan-write":      serveFanWrite,
	"amqp-acks":      serveAcks,
}

// fanFlood is the channel that only the clients of fan_slow.go listen to.
const fanFlood = fanChannel + "-flood"

// fanChannelNumber is the name of one of many channels.
func fanChannelNumber(i int) string { return fmt.Sprintf("%s-%d", fanChannel, i) }

// fan is a server of the fan-out rows, as its commands see it.
type fan struct {
	publish func(channel string, data []byte) error
	// slow is how many clients were sent away for not reading; may be nil.
	slow func() int
}

// serveFan answers the commands of the fan-out rows:
//
//	collect                                        give garbage back to the system
//	slow                                           how many clients were too slow
//	publish MESSAGES BYTES PACE CHANNELS [FLOOD]   a message every PACE ns, on fanChannel,
//	    or in turn on many; with each, one of FLOOD bytes on fanFlood
func serveFan(addr string, f fan) error {
	return serveChild(addr, func(args []string) any {
		switch args[0] {
		case "collect":
			runtime.GC()
			debug.FreeOSMemory()
			return "ok"
		case "slow":
			return f.slow()
		}
		var n [5]int
		for i, arg := range args[1:] {
			n[i], _ = strconv.Atoi(arg)
		}
		if err := f.run(n[0], n[1], time.Duration(n[2]), n[3], n[4]); err != nil {
			return err.Error()
		}
		return "ok"
	})
}

func (f fan) run(messages, size int, pace time.Duration, channels, flood int) error {
	names := []string{fanChannel}
	if channels > 1 {
		names = names[:0]
		for i := range channels {
			names = append(names, fanChannelNumber(i))
		}
	}
	next := time.Now()
	for i := range messages {
		if err := f.publish(names[i%len(names)], payload(size)); err != nil {
			return err
		}
		if flood > 0 {
			if err := f.publish(fanFlood, payload(flood)); err != nil {
				return err
			}
		}
		if pace > 0 {
			next = next.Add(pace)
			time.Sleep(time.Until(next))
		}
	}
	return nil
}

// payload is a JSON object of so many bytes, with the present moment in it.
func payload(size int) []byte {
	b := fmt.Appendf(make([]byte, 0, size), `{"t":"%d","text":"`, time.Now().UnixNano())
	for len(b) < size-2 {
		b = append(b, 'x')
	}
	return append(b, `"}`...)
}

// serveFanCentrifuge is the centrifuge library as its documentation sets it up,
// with history as the router has it, and a queue long enough for the burst. Its
// arguments are those of serveFanOurs.
func serveFanCentrifuge(args []string) error {
	ping, err := pingInterval(args)
	if err != nil {
		return err
	}
	node, err := centrifuge.New(centrifuge.Config{ClientQueueMaxSize: 64 << 20})
	if err != nil {
		return err
	}
	node.OnConnecting(func(_ context.Context, e centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		user, err := tokenUser(e.Token)
		if err != nil {
			return centrifuge.ConnectReply{}, centrifuge.DisconnectInvalidToken
		}
		return centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{UserID: user}}, nil
	})
	node.OnConnect(func(client *centrifuge.Client) {
		client.OnSubscribe(func(_ centrifuge.SubscribeEvent, done centrifuge.SubscribeCallback) {
			done(centrifuge.SubscribeReply{Options: centrifuge.SubscribeOptions{EnableRecovery: true}}, nil)
		})
	})
	if err := node.Run(); err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/realtime/connection/websocket", centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{
		CheckOrigin:    func(*http.Request) bool { return true },
		PingPongConfig: centrifuge.PingPongConfig{PingInterval: ping, PongTimeout: ping / 2},
	}))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go http.Serve(ln, mux)
	return serveFan(ln.Addr().String(), fan{publish: func(channel string, data []byte) error {
		_, err := node.Publish(channel, data, centrifuge.WithHistory(256, 5*time.Minute))
		return err
	}})
}

// pingInterval is the second argument of a server, or so long that nobody is pinged.
func pingInterval(args []string) (time.Duration, error) {
	if len(args) < 2 {
		return 5 * time.Minute, nil
	}
	return time.ParseDuration(args[1])
}

// serveFanWrite is the floor: it answers the handshake and the two commands,
// then writes one ready frame to each connection by a system call.
func serveFanWrite([]string) error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	var mu sync.Mutex
	listeners := map[string][]net.Conn{}
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				channel := bareHandshake(conn)
				mu.Lock()
				listeners[channel] = append(listeners[channel], conn)
				mu.Unlock()
				conn.Write(textFrame([]byte(`{"id":1,"connect":{}}` + "\n" + `{"id":2,"subscribe":{}}`)))
			}()
		}
	}()
	return serveFan(ln.Addr().String(), fan{publish: func(channel string, data []byte) error {
		frame := textFrame(fmt.Appendf(nil, `{"push":{"channel":%q,"pub":{"data":%s,"offset":1}}}`, channel, data))
		mu.Lock()
		defer mu.Unlock()
		for _, conn := range listeners[channel] {
			conn.Write(frame)
		}
		return nil
	}})
}

// bareHandshake reads what clients.go sends, and returns the channel in it.
func bareHandshake(conn net.Conn) (channel string) {
	buf := make([]byte, 4<<10)
	conn.Read(buf)
	fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
	n, _ := conn.Read(buf)
	_, rest, _ := bytes.Cut(buf[:n], []byte(`"channel":"`))
	name, _, _ := bytes.Cut(rest, []byte(`"`))
	return string(name)
}

// textFrame is one unmasked text frame of up to 64 KiB, as a server sends it.
func textFrame(payload []byte) []byte {
	return append([]byte{0x81, 126, byte(len(payload) >> 8), byte(len(payload))}, payload...)
}

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
}

// fanServer answers the commands of the fan-out rows by publish.
func fanServer(addr string, publish func(data []byte)) error {
	return serveChild(addr, func(args []string) any {
		if args[0] == "collect" {
			runtime.GC()
			debug.FreeOSMemory()
			return "ok"
		}
		messages, _ := strconv.Atoi(args[1])
		size, _ := strconv.Atoi(args[2])
		pace, _ := strconv.ParseInt(args[3], 10, 64)
		data := payload(size)
		next := time.Now()
		for range messages {
			publish(data)
			if pace > 0 {
				next = next.Add(time.Duration(pace))
				time.Sleep(time.Until(next))
			}
		}
		return "ok"
	})
}

// payload is a JSON object of so many bytes.
func payload(size int) []byte {
	const frame = `{"v":1,"text":""}`
	return []byte(`{"v":1,"text":"` + string(bytes.Repeat([]byte("x"), size-len(frame))) + `"}`)
}

// serveFanCentrifuge is the centrifuge library as its documentation sets it up,
// with history as the router has it, and a queue long enough for the burst.
func serveFanCentrifuge([]string) error {
	node, err := centrifuge.New(centrifuge.Config{ClientQueueMaxSize: 64 << 20})
	if err != nil {
		return err
	}
	node.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{UserID: "bench"}}, nil
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
		CheckOrigin: func(*http.Request) bool { return true },
	}))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go http.Serve(ln, mux)
	return fanServer(ln.Addr().String(), func(data []byte) {
		node.Publish(fanChannel, data, centrifuge.WithHistory(256, 5*time.Minute))
	})
}

// serveFanWrite is the floor: it answers the handshake and the two commands,
// then writes one ready frame to each connection by a system call.
func serveFanWrite([]string) error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	var mu sync.Mutex
	var conns []net.Conn
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				buf := make([]byte, 4<<10)
				conn.Read(buf)
				fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
					"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
				conn.Read(buf)
				mu.Lock()
				conns = append(conns, conn)
				mu.Unlock()
				conn.Write(textFrame([]byte(`{"id":1,"connect":{}}` + "\n" + `{"id":2,"subscribe":{}}`)))
			}()
		}
	}()
	return fanServer(ln.Addr().String(), func(data []byte) {
		frame := textFrame([]byte(fmt.Sprintf(`{"push":{"channel":%q,"pub":{"data":%s,"offset":1}}}`, fanChannel, data)))
		mu.Lock()
		defer mu.Unlock()
		for _, conn := range conns {
			conn.Write(frame)
		}
	})
}

// textFrame is one unmasked text frame of up to 64 KiB, as a server sends it.
func textFrame(payload []byte) []byte {
	return append([]byte{0x81, 126, byte(len(payload) >> 8), byte(len(payload))}, payload...)
}

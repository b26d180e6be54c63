package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// scene is where attacks take place.
type scene struct {
	b       *besieged
	address string
	round   int // how many attacks there were
	// Attackers are not where Horizon's backend is. All of them are at one address, as
	// behind a NAT.
	dialer net.Dialer
	client *http.Client
}

func newScene(b *besieged) *scene {
	s := &scene{b: b, address: b.address, dialer: net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}}
	s.client = &http.Client{Transport: &http.Transport{DialContext: s.dialer.DialContext}}
	return s
}

// attackOfStrangers goes on until ctx is done.
type attackOfStrangers struct {
	name string
	run  func(ctx context.Context, s *scene)
}

func attacksOfStrangers() []attackOfStrangers {
	return []attackOfStrangers{
		{"nobody", func(ctx context.Context, _ *scene) { <-ctx.Done() }},
		// Tenants, who have projects.
		{"images of eyJ…", func(ctx context.Context, s *scene) { s.notify(ctx, 2, images) }},
		{"a tenant's extremes", func(ctx context.Context, s *scene) { s.notify(ctx, 5, extremes) }},
		{"credentials deleted", func(ctx context.Context, s *scene) { s.notify(ctx, 30, credentials) }},
		// Strangers, who have no account.
		{"100 sockets", func(ctx context.Context, s *scene) { s.sockets(ctx, 100, 100) }},
		{"3000 sockets", func(ctx context.Context, s *scene) { s.sockets(ctx, 3000, 400) }},
		{"stale tokens for tickets", func(ctx context.Context, s *scene) {
			paced(ctx, 32, 200, func(n int) { _, _ = askTicket(ctx, s.client, s.address, fernet(fmt.Sprintf("stale%d", rand.Uint64()))) })
		}},
		{"400 idle handshakes", func(ctx context.Context, s *scene) { s.idle(ctx, 400) }},
		{"slow bodies", slowBodies},
		{"protobuf", protobuf},
		{"corrupt compression", corruptCompression},
		// Users, who have an account.
		{"one stale token", func(ctx context.Context, s *scene) {
			paced(ctx, 8, 45, func(int) { _, _ = askTicket(ctx, http.DefaultClient, s.address, fernet("stale_of_one_user")) })
		}},
		{"slow readers", func(ctx context.Context, s *scene) { s.members(ctx, 40, func(io.Writer, int) error { return nil }) }},
		{"subscribe storms", func(ctx context.Context, s *scene) { s.members(ctx, 40, storm) }},
		{"getState floods", func(ctx context.Context, s *scene) { s.members(ctx, 40, states) }},
	}
}

// paced calls do so often per second, by so many goroutines, until ctx is done.
func paced(ctx context.Context, workers, perSecond int, do func(n int)) {
	turns := make(chan int)
	var work sync.WaitGroup
	for range workers {
		work.Go(func() {
			for n := range turns {
				do(n)
			}
		})
	}
	pace := time.NewTicker(time.Second / time.Duration(perSecond))
	defer pace.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			close(turns)
			work.Wait()
			return
		case <-pace.C:
		}
		select {
		case turns <- n:
		default: // all are busy
		}
	}
}

// notify has the cloud say something so often per second.
func (s *scene) notify(ctx context.Context, perSecond int, note func(n int) (eventType, publisher string, payload any)) {
	paced(ctx, 1, perSecond, func(n int) {
		kind, publisher, payload := note(n)
		body, err := json.Marshal(map[string]any{
			"message_id": fmt.Sprintf("%d-%d", s.round, n), "publisher_id": publisher, "event_type": kind, "priority": "INFO",
			"timestamp": time.Now().UTC().Format("2006-01-02 15:04:05.000000"), "payload": payload,
		})
		if err == nil {
			_ = s.b.send(ctx, body) // the siege is over
		}
	})
}

type object = map[string]any

// images have properties that look like the beginning of a signed token, 2.6 MB of it.
func images(int) (string, string, any) {
	properties := object{}
	for i := range 40 {
		properties[fmt.Sprintf("p%d", i)] = strings.Repeat("eyJ", 65535/3)
	}
	return "image.update", "image.g1", object{"id": serialUUID(7), "owner": "mallory", "name": "x", "status": "active", "visibility": "private", "properties": properties}
}

// extremes are as long as the services let a tenant write.
func extremes(n int) (string, string, any) {
	switch n % 4 {
	case 0:
		return "image.update", "image.g1", object{"id": serialUUID(7), "owner": "mallory", "name": "x", "status": "active", "visibility": "private",
			"properties": object{"image_type": strings.Repeat("A", 65535)}}
	case 1:
		ports := make([]object, 60)
		for i := range ports {
			text := strings.Repeat(`"`, 255)
			if i%2 == 0 {
				text = strings.Repeat("Ж", 255)
			}
			ports[i] = object{"id": serialUUID(1000 + i), "name": text, "description": text, "network_id": serialUUID(1), "tenant_id": "mallory", "project_id": "mallory",
				"mac_address": "fa:16:3e:00:00:01", "admin_state_up": true, "status": "DOWN", "device_id": "", "device_owner": "", "security_groups": []string{serialUUID(3)},
				"fixed_ips": []object{{"subnet_id": serialUUID(2), "ip_address": "10.0.0.7"}}}
		}
		return "port.create.end", "network.n1", object{"ports": ports}
	case 2:
		attachments := make([]object, 1000)
		for i := range attachments {
			attachments[i] = object{"id": serialUUID(3000 + i), "instance_uuid": serialUUID(5000 + i), "attach_status": "attached", "mountpoint": "/dev/vdb"}
		}
		return "volume.attach.end", "volume.h1@b#p", object{"volume_id": serialUUID(20), "tenant_id": "mallory", "user_id": "u1", "display_name": "v", "size": 20,
			"status": "in-use", "volume_type": serialUUID(21), "created_at": "2026-11-01T10:00:00+00:00", "volume_attachment": attachments}
	}
	addresses := make([]object, 2000)
	for i := range addresses {
		addresses[i] = object{"address": fmt.Sprintf("10.%d.0.%d", i/250, i%250), "label": "n", "version": 4, "meta": object{}}
	}
	return "compute.instance.update", "compute.h1", object{"instance_id": serialUUID(30), "tenant_id": "mallory", "user_id": "u1", "display_name": "s", "state": "active", "fixed_ips": addresses}
}

func serialUUID(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

// credentials are deleted, which needs no role.
func credentials(n int) (string, string, any) {
	return "identity.application_credential.deleted", "identity.k1", object{"resource_info": fmt.Sprintf("credential-%d", n)}
}

// socket opens a websocket.
func (s *scene) socket(ctx context.Context, headers string) (net.Conn, error) {
	conn, err := s.dialer.DialContext(ctx, "tcp", s.address)
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(patience))
	_, err = io.WriteString(conn, "GET /realtime/connection/websocket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"+headers+"\r\n")
	if err == nil {
		var answer *http.Response
		if answer, err = http.ReadResponse(bufio.NewReader(conn), nil); err == nil && answer.StatusCode != http.StatusSwitchingProtocols {
			err = fmt.Errorf("handshake: %s", answer.Status)
		}
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// frame is one as a client has to send it.
func frame(first byte, payload []byte) []byte {
	b := []byte{first, 0x80 | byte(len(payload))}
	if len(payload) > 125 {
		b = binary.BigEndian.AppendUint16([]byte{first, 0x80 | 126}, uint16(len(payload)))
	}
	return append(append(b, 0, 0, 0, 0), payload...) // masked with zeros
}

const (
	textFrame       = 0x81
	binaryFrame     = 0x82
	compressedFrame = 0xc1
)

// sockets keeps so many open, and connects so many per second, each with another
// token that nobody has.
func (s *scene) sockets(ctx context.Context, open, perSecond int) {
	conns := make(chan net.Conn, open)
	paced(ctx, 64, perSecond, func(int) {
		conn, err := s.socket(ctx, "")
		if err != nil {
			return
		}
		_, _ = conn.Write(frame(textFrame, fmt.Appendf(nil, `{"id":1,"connect":{"token":%q}}`, fernet(fmt.Sprintf("nobody%d", rand.Uint64())))))
		for {
			select {
			case conns <- conn:
				return
			case oldest := <-conns:
				oldest.Close()
			}
		}
	})
	close(conns)
	for conn := range conns {
		conn.Close()
	}
}

// idle keeps so many sockets open that never say who they are.
func (s *scene) idle(ctx context.Context, open int) {
	var work sync.WaitGroup
	for range open {
		work.Go(func() {
			for ctx.Err() == nil {
				conn, err := s.socket(ctx, "")
				if err != nil {
					_ = wait(ctx, 100*time.Millisecond)
					continue
				}
				untilClosed(ctx, conn)
			}
		})
	}
	work.Wait()
}

// untilClosed reads until the router closes the connection, or ctx is done.
func untilClosed(ctx context.Context, conn net.Conn) {
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	_ = conn.SetDeadline(time.Time{})
	_, _ = io.Copy(io.Discard, conn)
	conn.Close()
}

// slowBodies are 200 requests whose bodies come a byte per second.
func slowBodies(ctx context.Context, s *scene) {
	var work sync.WaitGroup
	paths := []string{"/realtime/ticket", "/realtime/emulation", "/realtime/connection/http_stream"}
	for i := range 200 {
		work.Go(func() {
			for ctx.Err() == nil {
				s.drip(ctx, paths[i%len(paths)])
				_ = wait(ctx, 100*time.Millisecond)
			}
		})
	}
	work.Wait()
}

func (s *scene) drip(ctx context.Context, path string) {
	conn, err := s.dialer.DialContext(ctx, "tcp", s.address)
	if err != nil {
		return
	}
	defer conn.Close()
	_, err = io.WriteString(conn, "POST "+path+" HTTP/1.1\r\nHost: localhost\r\nX-Auth-Token: "+fernet("nobody")+"\r\nContent-Length: 4000\r\n\r\n{")
	for err == nil && wait(ctx, time.Second) == nil {
		_, err = conn.Write([]byte(" "))
	}
}

// protobuf is clients that speak it.
func protobuf(ctx context.Context, s *scene) {
	paced(ctx, 16, 50, func(n int) {
		if n%2 == 0 {
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.address+"/realtime/connection/http_stream", strings.NewReader("\x08\x01\x22\x00"))
			if err != nil {
				return
			}
			r.Header.Set("Content-Type", "application/octet-stream")
			if resp, err := s.client.Do(r); err == nil {
				resp.Body.Close()
			}
			return
		}
		if conn, err := s.socket(ctx, "Sec-WebSocket-Protocol: centrifuge-protobuf\r\n"); err == nil {
			_, _ = conn.Write(frame(binaryFrame, []byte{8, 1, 34, 0}))
			untilClosed(ctx, conn)
		}
	})
}

// corruptCompression sends what says that it is compressed, and is not.
func corruptCompression(ctx context.Context, s *scene) {
	paced(ctx, 16, 100, func(n int) {
		conn, err := s.socket(ctx, "Sec-WebSocket-Extensions: permessage-deflate\r\n")
		if err != nil {
			return
		}
		garbage := make([]byte, 1+n%2000)
		for i := range garbage {
			garbage[i] = byte(rand.Uint32())
		}
		_, _ = conn.Write(frame(compressedFrame, garbage))
		untilClosed(ctx, conn)
	})
}

// members are so many users of one project each who log in, subscribe to it, say
// something again and again, and never read.
func (s *scene) members(ctx context.Context, n int, say func(w io.Writer, n int) error) {
	var work sync.WaitGroup
	for i := range n {
		work.Go(func() {
			for ctx.Err() == nil {
				if s.misbehave(ctx, fmt.Sprintf("mallory%d", i), i%projects, say) != nil {
					_ = wait(ctx, 200*time.Millisecond)
				}
			}
		})
	}
	work.Wait()
}

func (s *scene) misbehave(ctx context.Context, name string, number int, say func(w io.Writer, n int) error) error {
	ticket, err := askTicket(ctx, http.DefaultClient, s.address, member(name, project(number)))
	if err != nil {
		return err
	}
	conn, err := s.socket(ctx, "")
	if err != nil {
		return err
	}
	defer conn.Close()
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(4 << 10)
	}
	if _, err = conn.Write(frame(textFrame, connectAndSubscribe(ticket, []string{"project/" + project(number) + "/instances"}))); err != nil {
		return err
	}
	for n := 0; wait(ctx, 5*time.Millisecond) == nil; n++ {
		_ = conn.SetWriteDeadline(time.Now().Add(time.Second))
		if err := say(conn, n); err != nil {
			return err
		}
	}
	return nil
}

// storm subscribes to channels and unsubscribes from them.
func storm(w io.Writer, n int) error {
	channel := fmt.Sprintf("project/%s/topic%d", project(n%projects), n%100)
	_, err := w.Write(frame(textFrame, fmt.Appendf(nil, "{\"id\":%d,\"subscribe\":{\"channel\":%q}}\n{\"id\":%d,\"unsubscribe\":{\"channel\":%q}}", 100+2*n, channel, 101+2*n, channel)))
	return err
}

// states asks for what the router does not have, recoveries and histories included.
func states(w io.Writer, n int) error {
	channel := fmt.Sprintf("project/%s/instances", project(n%projects))
	_, err := w.Write(frame(textFrame, fmt.Appendf(nil, "{\"id\":%d,\"subscribe\":{\"channel\":%q,\"flag\":2,\"recover\":true,\"epoch\":\"x\",\"offset\":1}}\n{\"id\":%d,\"history\":{\"channel\":%q,\"limit\":1000}}",
		100+2*n, channel, 101+2*n, channel)))
	return err
}

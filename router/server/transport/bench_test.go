package transport

import (
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"horizon-realtime/router/event"
	"horizon-realtime/router/hub"
	"horizon-realtime/router/server/clienttest"
	"horizon-realtime/router/testwait"
)

// BenchmarkDeliver is one publication, through the hub, gws's connection and the
// kernel, to so many clients that read.
func BenchmarkDeliver(b *testing.B) {
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := start(b, testConfig())
			var readers sync.WaitGroup
			for range n {
				c := w.connected(b, "ann@p1")
				c.Subscribe("project/p1/instances")
				c.Conn.SetReadDeadline(time.Time{})
				readers.Go(func() { io.Copy(io.Discard, c.Reader) })
			}
			ch, err := event.ParseChannel("project/p1/instances")
			if err != nil {
				b.Fatal(err)
			}
			p := hub.Publication{Channel: ch, Data: []byte(`"` + strings.Repeat("x", 300) + `"`)}
			b.ReportAllocs()
			for b.Loop() {
				if err := w.hub.Publish(p); err != nil {
					b.Fatal(err)
				}
			}
			b.StopTimer()
			w.closeAll()
			readers.Wait()
		})
	}
}

// BenchmarkIdleConnection reports what a connection that has nothing to do costs
// in memory, the kernel's aside.
func BenchmarkIdleConnection(b *testing.B) {
	const n = 5000
	cfg := testConfig()
	cfg.MaxConnectionsPerUser = 0
	for b.Loop() {
		w := start(b, cfg)
		before := resident(b)
		to := &syscall.SockaddrInet4{Port: w.http.Listener.Addr().(*net.TCPAddr).Port, Addr: [4]byte{127, 0, 0, 1}}
		var conns []int
		for i := range n {
			conns = append(conns, bareClient(b, to, clienttest.Handshake+"\r\n"+string(clienttest.MaskedFrame(0x81, fmt.Appendf(nil,
				`{"id":1,"connect":{"token":"ann@p%d"}}`+"\n"+`{"id":2,"subscribe":{"channel":"project/p%d/instances"}}`, i, i)))))
		}
		testwait.Until(b, "all are subscribed", func() bool { return w.subscriptions(b) == n })
		for range 3 { // pools let go after two
			runtime.GC()
		}
		debug.FreeOSMemory()
		b.ReportMetric(float64(resident(b)-before)/n, "RSS-bytes/conn")
		for _, conn := range conns {
			syscall.Close(conn)
		}
		testwait.Until(b, "all are gone", func() bool { return w.sessions.Len() == 0 })
	}
}

// bareClient opens a connection that is nothing but a descriptor, and sends on
// it.
func bareClient(b *testing.B, to syscall.Sockaddr, text string) int {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err == nil {
		err = syscall.Connect(fd, to)
	}
	if err == nil {
		_, err = syscall.Write(fd, []byte(text))
	}
	if err != nil {
		b.Fatal(err)
	}
	return fd
}

// resident is how many bytes of the process are in memory.
func resident(b *testing.B) int {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Fatal(err)
	}
	var size, pages int
	if _, err := fmt.Sscan(string(text), &size, &pages); err != nil {
		b.Fatal(err)
	}
	return pages * os.Getpagesize()
}

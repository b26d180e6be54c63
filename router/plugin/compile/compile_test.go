//go:build linux

package compile

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"horizon-realtime/router/plugin/guest"
	"horizon-realtime/router/plugin/guest/guesttest"
)

func TestMain(m *testing.M) {
	if os.Getenv(compileForever) != "" {
		c, m := forever()
		_, _ = c.Load(context.Background(), m)
		return
	}
	goleak.VerifyTestMain(m)
}

// generous are limits that no ordinary module reaches.
var generous = Limits{Memory: 4 << 30, CPU: time.Minute, Time: time.Minute, Loaded: 1 << 30}

func newCompiler(t testing.TB, dir string, l Limits) (*Compiler, *guesttest.Log) {
	t.Helper()
	log := new(guesttest.Log)
	cache, err := OpenCache(dir, 1<<30, log.Logger())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cache.Close)
	return New(cache, l, log.Logger()), log
}

func moduleOf(code []byte) Module {
	return Module{File: "50-x.wasm", Code: code, Digest: sha256.Sum256(code), Options: guest.Options{
		Name: "x", Compilers: 1,
		Limits: guest.Limits{
			ModuleBytes: 32 << 20, Fuel: 1 << 30, InitFuel: 1 << 30, MemoryBytes: 16 << 20, Emissions: 8,
			EmissionBytes: 1 << 10, ResultBytes: 1 << 10, HostCalls: 8, StartTimeout: time.Minute, CallTimeout: time.Minute,
		},
	}}
}

// works loads a module, and makes sure that it can be called.
func works(t *testing.T, c *Compiler, code []byte) {
	t.Helper()
	m, err := c.Load(context.Background(), moduleOf(code))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	in, err := m.Start(&guest.Env{Name: "x", Store: guest.NewStore(1, 1, time.Hour), Log: guest.NewLog(slog.New(slog.DiscardHandler), 1, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if fault := in.Handle(guesttest.Notification(t, "compute.x", "{}")); fault != nil || len(in.Result().Emissions) != 1 {
		t.Errorf("got %v, %+v", fault, in.Result())
	}
}

// entries are the cache's, those that are being made too.
func entries(t *testing.T, c *Compiler) (names []string) {
	t.Helper()
	found, err := os.ReadDir(c.cache.modules())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		names = append(names, f.Name())
	}
	return names
}

func TestModulesAreCompiledOnce(t *testing.T) {
	c, log := newCompiler(t, filepath.Join(t.TempDir(), "cache"), generous)
	code := guesttest.Assemble(t, guesttest.Saying("1"))
	works(t, c, code)
	if got := entries(t, c); len(got) != 1 {
		t.Fatalf("got %v", got)
	}
	// What is in the cache takes no process, as this one would be cut off at once.
	c.limits.Time = time.Nanosecond
	works(t, c, code)
	if log.String() != "" {
		t.Error(log)
	}
}

func TestNothingIsKeptWithoutACache(t *testing.T) {
	c, log := newCompiler(t, "none", generous)
	works(t, c, guesttest.Assemble(t, guesttest.Saying("1")))
	if got := entries(t, c); len(got) != 0 {
		t.Errorf("got %v", got)
	}
	c.cache.Close()
	if _, err := os.Stat(c.cache.dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the temporary folder is still there: %v", err)
	}
	if state, err := c.cache.State("x"); state != "" || err != nil {
		t.Errorf("got %q, %v", state, err)
	}
	if log.String() != "" {
		t.Error(log)
	}
}

// An entry that somebody, or a full disk, has damaged costs time, not a plugin.
func TestDamagedEntriesAreMadeAnew(t *testing.T) {
	c, log := newCompiler(t, filepath.Join(t.TempDir(), "cache"), generous)
	code := guesttest.Assemble(t, guesttest.Saying("1"))
	works(t, c, code)
	whole := make(map[string][]byte)
	entry := filepath.Join(c.cache.modules(), entries(t, c)[0])
	err := filepath.WalkDir(entry, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			whole[path], err = os.ReadFile(path)
		}
		return err
	})
	if err != nil || len(whole) != 3 {
		t.Fatal(err, len(whole))
	}
	flip := func(at int) func([]byte) []byte {
		return func(b []byte) []byte {
			b[at%len(b)] ^= 0xff
			return b
		}
	}
	// In the machine code, byte 14 and those that follow say how much is to be
	// allocated.
	for what, damage := range map[string]func([]byte) []byte{
		"empty": func([]byte) []byte { return nil }, "nonsense": func([]byte) []byte { return []byte("x") },
		"half": func(b []byte) []byte { return b[:len(b)/2] }, "cut": func(b []byte) []byte { return b[:len(b)-1] },
		"longer": func(b []byte) []byte { return append(b, b...) }, "first": flip(0), "count": flip(14), "more": flip(17), "middle": flip(60),
	} {
		for path, text := range whole {
			if err := os.WriteFile(path, damage(bytes.Clone(text)), 0o600); err != nil {
				t.Fatal(err)
			}
			works(t, c, code)
			if !strings.Contains(log.String(), "a plugin in the cache cannot be used, and is compiled again") {
				t.Errorf("%s %s: the log has %s", what, filepath.Base(path), log)
			}
			*log = guesttest.Log{}
		}
	}
	for path := range whole {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		works(t, c, code)
	}
	// Another module's entry in its place.
	works(t, c, guesttest.Assemble(t, guesttest.Saying("2")))
	if got := entries(t, c); len(got) != 2 {
		t.Errorf("got %v", got)
	}
}

func TestCacheIsBounded(t *testing.T) {
	c, _ := newCompiler(t, filepath.Join(t.TempDir(), "cache"), generous)
	for _, what := range []string{"1", "2"} {
		works(t, c, guesttest.Assemble(t, guesttest.Saying(what)))
	}
	both := entries(t, c)
	age := func(name string, by time.Duration) {
		at := time.Now().Add(-by)
		if err := os.Chtimes(filepath.Join(c.cache.modules(), name), at, at); err != nil {
			t.Fatal(err)
		}
	}
	age(both[0], time.Hour)
	size, err := sizeOf(filepath.Join(c.cache.modules(), both[1]))
	if err != nil {
		t.Fatal(err)
	}
	for _, left := range []string{".new-old", ".new-young"} {
		if err := os.Mkdir(filepath.Join(c.cache.modules(), left), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	age(".new-old", 2*time.Hour)
	if err := os.Mkdir(filepath.Join(c.cache.dir, "wazero-1"), 0o700); err != nil {
		t.Fatal(err)
	}
	c.cache.bytes = size
	if err := c.cache.Tidy(); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(entries(t, c), " "); got != ".new-young "+both[1] {
		t.Errorf("left are %s", got)
	}
	if _, err := os.Stat(filepath.Join(c.cache.dir, "wazero-1")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what version 0.1 kept is still there: %v", err)
	}
}

func TestCacheIsPrivate(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	dir := filepath.Join(t.TempDir(), "cache")
	open := func() error {
		c, err := OpenCache(dir, 1<<30, log)
		if err == nil {
			c.Close()
		}
		return err
	}
	mode := func(path string, mode fs.FileMode) {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := open(); err != nil {
		t.Fatal(err)
	}
	// That others may read it does no harm, but is nobody's business.
	mode(dir, 0o755)
	if err := open(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("got %v, %v", info.Mode(), err)
	}
	for _, each := range []string{dir, filepath.Join(dir, modules)} {
		mode(each, 0o770)
		want := "the cache of compiled plugins " + each + " has mode 0770, so that others could plant machine code there; chmod 700 it, or set [plugins] cache_dir"
		if err := open(); err == nil || err.Error() != want {
			t.Errorf("got %v", err)
		}
		mode(each, 0o700)
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(dir, 12345, -1); err != nil {
			t.Fatal(err)
		}
		want := "the cache of compiled plugins " + dir + " belongs to another user, who could plant machine code there; chown it to the router's user, or set [plugins] cache_dir"
		if err := open(); err == nil || err.Error() != want {
			t.Errorf("got %v", err)
		}
	}
	// If there can be none, there is a temporary one.
	dir = "/dev/null/cache"
	if err := open(); err != nil {
		t.Error(err)
	}
}

// uleb is n as WebAssembly writes it.
func uleb(n int) []byte { return binary.AppendUvarint(nil, uint64(n)) }

func vector(items ...[]byte) []byte { return append(uleb(len(items)), bytes.Join(items, nil)...) }

func name(s string) []byte { return append(uleb(len(s)), s...) }

func body(groups, code []byte) []byte {
	b := append(append(bytes.Clone(groups), code...), 0x0b)
	return append(uleb(len(b)), b...)
}

// with makes a plugin with more functions, each given as its body, of the type
// () -> ().
func with(functions ...[]byte) []byte {
	section := func(id byte, content []byte) []byte {
		return append(append([]byte{id}, uleb(len(content))...), content...)
	}
	const declaration = "on compute.*\n"
	start := append([]byte{0x41, 0, 0x41, byte(len(declaration)), 0x10, 0}, "\x42\x80\x80\x81\x80\x80\x80\x10"...)
	own := [][]byte{body([]byte{0}, nil), body([]byte{0}, start), body([]byte{0}, []byte{0x42, 0})}
	types := [][]byte{uleb(1), uleb(2), uleb(2)}
	for range functions {
		types = append(types, uleb(1))
	}
	m := []byte("\x00asm\x01\x00\x00\x00")
	m = append(m, section(1, vector([]byte("\x60\x02\x7f\x7f\x00"), []byte("\x60\x00\x00"), []byte("\x60\x00\x01\x7e")))...)
	m = append(m, section(2, vector(bytes.Join([][]byte{name("hr"), name("subscribe"), {0, 0}}, nil)))...)
	m = append(m, section(3, vector(types...))...)
	m = append(m, section(5, []byte{1, 0, 1})...)
	exports := [][]byte{append(name("memory"), 2, 0)}
	for i, each := range []string{"hr_abi_1", "hr_init", "hr_event"} {
		exports = append(exports, append(name(each), 0, byte(i+1)))
	}
	m = append(m, section(7, vector(exports...))...)
	m = append(m, section(10, vector(append(own, functions...)...))...)
	return append(m, section(11, vector(append([]byte{0, 0x41, 0, 0x0b}, name(declaration)...)))...)
}

// manyLocals are functions of 10,000 locals that do nothing.
func manyLocals(functions int) []byte {
	all := make([][]byte, functions)
	for i := range all {
		all[i] = body(bytes.Join([][]byte{{1}, uleb(10_000), {0x7f}}, nil), nil)
	}
	return with(all...)
}

// manyValues is a function with values on its stack across blocks.
func manyValues(values, blocks int) []byte {
	var code []byte
	for i := range values {
		code = append(append(code, 0x41, 0, 0x28, 2), uleb(4*(i%16000))...)
	}
	code = append(code, bytes.Repeat([]byte{0x41, 0, 0x28, 2, 0, 4, 0x40, 0x0b}, blocks)...)
	code = append(append(code, bytes.Repeat([]byte{0x6a}, values-1)...), 0x1a)
	return with(body([]byte{0}, code))
}

func TestDearModulesAreRefused(t *testing.T) {
	for _, c := range []struct {
		what   string
		code   []byte
		limits Limits
		want   string
	}{
		{"locals", manyLocals(15_000), Limits{Memory: 96 << 20, CPU: time.Minute, Time: time.Minute, Loaded: 1 << 30},
			"compiling it took more than 96 MB; build it smaller, or raise [plugins] compile_memory"},
		{"values", manyValues(6_000, 6_000), Limits{Memory: 96 << 20, CPU: time.Minute, Time: time.Minute, Loaded: 1 << 30},
			"compiling it took more than 96 MB; build it smaller, or raise [plugins] compile_memory"},
		{"processor time", manyValues(60_000, 12_000), Limits{Memory: 8 << 30, CPU: time.Second, Time: 15 * time.Second, Loaded: 1 << 30},
			"compiling it took more than 1s of processor time; build it smaller, or raise [plugins] compile_cpu"},
		{"time", manyValues(60_000, 12_000), Limits{Memory: 8 << 30, CPU: time.Minute, Time: 300 * time.Millisecond, Loaded: 1 << 30},
			"compiling it took longer than 300ms; build it smaller, or raise [plugins] compile_timeout"},
		{"weight", manyLocals(3_000), Limits{Memory: 8 << 30, CPU: time.Minute, Time: time.Minute, Loaded: 16 << 20},
			"build it smaller, or raise [plugins] compiled_bytes"},
	} {
		t.Run(c.what, func(t *testing.T) {
			compiler, log := newCompiler(t, filepath.Join(t.TempDir(), "cache"), c.limits)
			_, err := compiler.Load(context.Background(), moduleOf(c.code))
			if err == nil || !strings.HasSuffix(err.Error(), c.want) {
				t.Errorf("got %v", err)
			}
			if got := entries(t, compiler); len(got) != 0 {
				t.Errorf("left are %v", got)
			}
			if log.String() != "" {
				t.Error(log)
			}
		})
	}
}

func TestCompilingEndsWithTheContext(t *testing.T) {
	c, _ := newCompiler(t, "none", Limits{Memory: 8 << 30, CPU: time.Hour, Time: time.Hour, Loaded: 1 << 30})
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	if _, err := c.Load(ctx, moduleOf(manyValues(60_000, 12_000))); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestNoProcessIsSaid(t *testing.T) {
	c, _ := newCompiler(t, "none", generous)
	m := moduleOf(guesttest.Assemble(t, guesttest.Saying("1")))
	m.File = "\x00" // which no process can be given
	_, err := c.Load(context.Background(), m)
	want := "start a process to compile it in: fork/exec /proc/self/exe: invalid argument; allow the router to start itself again (its executable, TasksMax=, SystemCallFilter=)"
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

// A cache that is full, or that nobody may write to any more, costs time, not a plugin.
func TestCacheThatCannotBeWrittenIsPassedBy(t *testing.T) {
	c, log := newCompiler(t, filepath.Join(t.TempDir(), "cache"), generous)
	if err := os.RemoveAll(c.cache.modules()); err != nil {
		t.Fatal(err)
	}
	works(t, c, guesttest.Assemble(t, guesttest.Saying("1")))
	if !strings.Contains(log.String(), "compiled a plugin without the cache; look after it") {
		t.Errorf("the log has %s", log)
	}
}

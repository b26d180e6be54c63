//! hr.rs is what a plugin for horizon-realtime is written with in Rust: this one
//! module, without `std` and without an allocator. README.md beside it says how to
//! build; the ABI underneath is docs/plugin-abi.md, version 1.
//!
//! ```ignore
//! #![no_std]
//! #[path = "hr.rs"]
//! mod hr;
//!
//! hr::filter! {
//!     on: ["volume.resize.end"],
//!     want: { VOLUME = "/payload/volume_id", SIZE = "/payload/size" },
//!     handle: resized,
//! }
//! hr::on_panic!();
//!
//! fn resized(e: &hr::Event) {
//!     let volume = e.get(VOLUME).text().unwrap_or("");
//!     let mut m = e.object();
//!     m.string("volume", volume);
//!     m.value("gigabytes", e.get(SIZE));
//!     e.emit(hr::project(e.project(), "sizes"), volume, &m);
//! }
//! ```
//!
//! What an event hands out lives as long as the event, and the compiler sees to
//! it. A plugin's statics are those of one of its copies: what has to be
//! remembered goes into the store (`Event::kv_set`). Apache License 2.0.
#![allow(dead_code, unused_macros, unused_imports)] // no plugin uses all of it

use core::arch::wasm32;
use core::cell::{Cell, UnsafeCell};
use core::marker::PhantomData;
use core::{mem, ptr, slice, str};

/// Makes the module. `on` lists event types, each one or the beginning of several
/// followed by `*`; `want` gives names to the fields that each event shall bring, by
/// their JSON Pointers. `start`, which may be left out, is
/// `fn(hr::Value) -> Result<(), &str>`: an error keeps the plugin from
/// being loaded and is told to the operator. `handle` is `fn(&hr::Event)`.
macro_rules! filter {
    (on: [$($on:literal),+ $(,)?], want: {$($name:ident = $pointer:literal),* $(,)?}, handle: $handle:expr $(,)?) => {
        hr::filter! { on: [$($on),+], want: {$($name = $pointer),*}, start: |_: hr::Value| Ok(()), handle: $handle }
    };
    (on: [$($on:literal),+ $(,)?], want: {$($name:ident = $pointer:literal),* $(,)?}, start: $start:expr, handle: $handle:expr $(,)?) => {
        #[allow(non_camel_case_types)]
        enum HrWant { $($name),* }
        $(const $name: hr::Field = hr::Field::new(HrWant::$name as u32, $pointer);)*

        #[no_mangle]
        pub extern "C" fn hr_abi_1() {}

        #[no_mangle]
        pub extern "C" fn hr_init() -> u64 {
            hr::init(concat!($("on ", $on, "\n",)+ $("want ", $pointer, "\n"),*), $start)
        }

        #[no_mangle]
        pub extern "C" fn hr_event() -> u64 {
            hr::event($handle)
        }
    };
}
pub(crate) use filter;

/// Makes the handler that a crate without `std` needs: a panic tells the log where
/// it happened, and the notification is given up.
macro_rules! on_panic {
    () => {
        #[panic_handler]
        fn hr_panic(info: &core::panic::PanicInfo) -> ! {
            hr::panicked(info.location())
        }
    };
}
pub(crate) use on_panic;

/// What a value is. Absent: there is no such member, or it was a secret.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    Absent,
    Null,
    False,
    True,
    Number,
    String,
    Object,
    Array,
}

const KINDS: [Kind; 8] =
    [Kind::Absent, Kind::Null, Kind::False, Kind::True, Kind::Number, Kind::String, Kind::Object, Kind::Array];

/// A value of the notification, of the configuration, or of some JSON.
#[derive(Clone, Copy)]
pub struct Value<'a> {
    kind: Kind,
    /// A string's text, decoded; a number's literal; an object's or array's JSON.
    text: &'a str,
}

impl<'a> Value<'a> {
    /// No value.
    pub const ABSENT: Value<'static> = Value { kind: Kind::Absent, text: "" };

    pub fn kind(self) -> Kind {
        self.kind
    }

    /// The content of a string.
    pub fn text(self) -> Option<&'a str> {
        (self.kind == Kind::String).then(|| self.text)
    }

    /// A number without fraction that fits into 64 bits.
    pub fn int(self) -> Option<i64> {
        self.number()?.parse().ok()
    }

    /// Any number.
    pub fn float(self) -> Option<f64> {
        self.number()?.parse().ok()
    }

    pub fn bool(self) -> Option<bool> {
        matches!(self.kind, Kind::True | Kind::False).then(|| self.kind == Kind::True)
    }

    /// A number as the notification spells it.
    pub fn number(self) -> Option<&'a str> {
        (self.kind == Kind::Number).then(|| self.text)
    }

    /// An object's member of that name, the last of several.
    pub fn member(self, name: &str) -> Value<'a> {
        match self.kind {
            Kind::Object => self.items().filter(|(key, _)| *key == name).last().map_or(Value::ABSENT, |(_, v)| v),
            _ => Value::ABSENT,
        }
    }

    /// An object's members, or an array's elements with empty names.
    pub fn items(self) -> Items<'a> {
        let nested = matches!(self.kind, Kind::Object | Kind::Array);
        Items { text: if nested { self.text } else { "" }, at: 0, object: self.kind == Kind::Object }
    }
}

/// A field that each event brings; `filter!` makes them.
#[derive(Clone, Copy)]
pub struct Field {
    index: u32,
    pointer: &'static str,
}

impl Field {
    pub const fn new(index: u32, pointer: &'static str) -> Field {
        Field { index, pointer }
    }
}

/// One notification, and the answer to it.
pub struct Event {
    result: UnsafeCell<Buffer>,
}

impl Event {
    pub fn event_type(&self) -> &str {
        self.standard(0)
    }

    /// The service and its host: for admins' eyes only.
    pub fn publisher(&self) -> &str {
        self.standard(1)
    }

    pub fn priority(&self) -> &str {
        self.standard(2)
    }

    pub fn message_id(&self) -> &str {
        self.standard(3)
    }

    /// When it was sent: RFC 3339, UTC, with milliseconds.
    pub fn time(&self) -> &str {
        self.standard(4)
    }

    /// The project that owns what it is about, empty where it names none.
    pub fn project(&self) -> &str {
        self.standard(5)
    }

    /// The user who owns what it is about, empty where it names none.
    pub fn user(&self) -> &str {
        self.standard(6)
    }

    /// The request that caused it, empty if there was none.
    pub fn request_id(&self) -> &str {
        self.standard(7)
    }

    fn standard(&self, n: u32) -> &str {
        entry(n).and_then(Value::text).unwrap_or("")
    }

    /// When it was sent, in nanoseconds since 1970.
    pub fn now(&self) -> i64 {
        unsafe { import::now() }
    }

    /// A wanted field.
    pub fn get(&self, field: Field) -> Value<'_> {
        entry(STANDARD + field.index).unwrap_or_else(|| self.field(field.pointer))
    }

    /// Any field, by its JSON Pointer, at the price of a call. A pointer that is
    /// none fails the filter.
    pub fn field(&self, pointer: &str) -> Value<'_> {
        let (word, text) = fetch(|buffer, limit| unsafe {
            let word = import::field(pointer.as_ptr(), pointer.len(), buffer, limit);
            (word as u64, (word & LENGTH) as usize)
        });
        Value { kind: KINDS[(word as u32 >> LENGTH_BITS) as usize], text: utf8(text) }
    }

    /// The whole notification as JSON, without its secrets.
    pub fn raw(&self) -> &str {
        utf8(fetch(|buffer, limit| unsafe { (0, import::raw(buffer, limit)) }).1)
    }

    /// The plugin's configuration, an object.
    pub fn config(&self) -> Value<'_> {
        config()
    }

    /// Reads JSON of the plugin's own. What is none is absent.
    pub fn parse<'a>(&'a self, json: &'a str) -> Value<'a> {
        parse(json)
    }

    /// One text made of several.
    pub fn concat(&self, parts: &[&str]) -> &str {
        let mut b = Buffer::EMPTY;
        parts.iter().for_each(|part| b.append(part.as_bytes()));
        utf8(b.bytes())
    }

    /// Begins the payload of an emission.
    pub fn object(&self) -> Object<'_> {
        let place = alloc(mem::size_of::<Buffer>()) as *mut Buffer;
        unsafe { place.write(Buffer::EMPTY) };
        Object(Container::begin(place, b'{', 1))
    }

    /// Publishes the payload. The key is the id of the resource, or empty. To a
    /// project or user without an id, nothing is sent. The payload can be written
    /// on for the next.
    pub fn emit(&self, to: Channel, key: &str, payload: &Object) {
        self.send(to, key, payload, 0);
    }

    /// Is `emit`, and says that the resource named by the key is gone.
    pub fn emit_removed(&self, to: Channel, key: &str, payload: &Object) {
        self.send(to, key, payload, 1);
    }

    fn send(&self, to: Channel, key: &str, payload: &Object, flags: u32) {
        let owned = to.scope == "project/" || to.scope == "user/";
        if owned && to.id.is_empty() {
            return;
        }
        let channel = to.scope.len() + to.id.len() + owned as usize + to.topic.len();
        if channel > u16::MAX as usize || key.len() > u16::MAX as usize {
            fail("hr.rs: a channel or key of more than 65535 bytes");
        }
        let payload = payload.0.buffer().bytes();
        let b = self.result();
        b.append(&TAG_EMIT.to_le_bytes());
        b.append(&((8 + channel + key.len() + payload.len() + 1) as u32).to_le_bytes());
        b.append(&(channel as u16).to_le_bytes());
        b.append(&(key.len() as u16).to_le_bytes());
        b.append(&flags.to_le_bytes());
        let slash: &[u8] = if owned { b"/" } else { b"" };
        for part in [to.scope.as_bytes(), to.id.as_bytes(), slash, to.topic.as_bytes(), key.as_bytes(), payload, b"}"] {
            b.append(part);
        }
    }

    /// Keeps the notification from the plugins that come later.
    pub fn stop(&self) {
        self.result().append(&TAG_STOP.to_le_bytes());
        self.result().append(&0u32.to_le_bytes());
    }

    #[allow(clippy::mut_from_ref)] // of one thread, and never for longer than a call
    fn result(&self) -> &mut Buffer {
        unsafe { &mut *self.result.get() }
    }

    /// Reads from the store, which is one for all copies of the filter.
    pub fn kv_get(&self, key: &str) -> Option<Found<'_>> {
        let (found, value) = fetch(|buffer, limit| unsafe {
            let found = import::kv_get(key.as_ptr(), key.len(), buffer, limit);
            (found, found as u32 as usize)
        });
        let version = (found >> 32) as u32;
        (version != 0).then(|| Found { value, version })
    }

    /// Writes, whatever is there, for so many seconds; 0 is as long as may be.
    pub fn kv_set(&self, key: &str, value: impl AsRef<[u8]>, seconds: u32) -> bool {
        self.kv_swap(key, value, seconds, u32::MAX)
    }

    /// Writes if the key is still at that version, 0 for "there is none".
    pub fn kv_swap(&self, key: &str, value: impl AsRef<[u8]>, seconds: u32, version: u32) -> bool {
        let v = value.as_ref();
        unsafe { import::kv_set(key.as_ptr(), key.len(), v.as_ptr(), v.len(), seconds, version) == 1 }
    }

    /// Forgets a key and reports whether it was there.
    pub fn kv_delete(&self, key: &str) -> bool {
        unsafe { import::kv_delete(key.as_ptr(), key.len()) == 1 }
    }
}

/// What the store has for a key.
#[derive(Clone, Copy)]
pub struct Found<'a> {
    pub value: &'a [u8],
    pub version: u32,
}

impl<'a> Found<'a> {
    /// The value as text, empty where it is none.
    pub fn text(self) -> &'a str {
        str::from_utf8(self.value).unwrap_or("")
    }
}

/// Where a message goes. Only the project and the user that own the resource may
/// be told without a grant.
#[derive(Clone, Copy)]
pub struct Channel<'a> {
    scope: &'static str,
    id: &'a str,
    topic: &'a str,
}

pub fn project<'a>(id: &'a str, topic: &'a str) -> Channel<'a> {
    Channel { scope: "project/", id, topic }
}

pub fn user<'a>(id: &'a str, topic: &'a str) -> Channel<'a> {
    Channel { scope: "user/", id, topic }
}

/// Takes the grant `admin`.
pub fn admin(topic: &str) -> Channel<'_> {
    Channel { scope: "admin/", id: "", topic }
}

/// Takes the grant `cross_project`.
pub fn public(topic: &str) -> Channel<'_> {
    Channel { scope: "public/", id: "", topic }
}

#[derive(Clone, Copy)]
#[repr(u32)]
pub enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

/// Writes a line to the router's log.
pub fn log(level: Level, line: &str) {
    unsafe { import::log(level as u32, line.as_ptr(), line.len()) }
}

/// Logs why, and gives this notification up.
pub fn fail(why: &str) -> ! {
    log(Level::Error, why);
    wasm32::unreachable()
}

/// Writes the members of an object, valid JSON whatever it is given. What is begun
/// inside is closed when it is dropped. A member that is written again takes the place
/// of the one before. A number that JavaScript would change, an integer beyond 2^53 or
/// what is too large altogether, becomes a string: the router refuses such numbers.
pub struct Object<'a>(Container<'a>);

/// Writes the elements of an array.
pub struct Array<'a>(Container<'a>);

impl<'a> Object<'a> {
    /// What is no UTF-8 becomes U+FFFD.
    pub fn string(&mut self, name: &str, value: impl AsRef<[u8]>) {
        quote(self.member(name), value.as_ref());
    }

    pub fn int(&mut self, name: &str, value: i64) {
        append_int(self.member(name), value);
    }

    pub fn bool(&mut self, name: &str, value: bool) {
        self.member(name).append(if value { b"true" } else { b"false" });
    }

    pub fn null(&mut self, name: &str) {
        self.member(name).append(b"null");
    }

    /// Nothing where it is absent.
    pub fn value(&mut self, name: &str, v: Value) {
        if v.kind != Kind::Absent {
            self.member(name);
            self.0.put(v);
        }
    }

    pub fn object(&mut self, name: &str) -> Object<'_> {
        self.member(name);
        Object(self.0.nested(b'{'))
    }

    pub fn array(&mut self, name: &str) -> Array<'_> {
        self.member(name);
        Array(self.0.nested(b'['))
    }

    fn member(&mut self, name: &str) -> &mut Buffer {
        let b = self.0.item();
        let at = b.length;
        quote(b, name.as_bytes());
        b.append(b":");
        self.0.named(at);
        self.0.buffer_mut()
    }
}

impl<'a> Array<'a> {
    /// What is no UTF-8 becomes U+FFFD.
    pub fn string(&mut self, value: impl AsRef<[u8]>) {
        quote(self.0.item(), value.as_ref());
    }

    pub fn int(&mut self, value: i64) {
        append_int(self.0.item(), value);
    }

    pub fn bool(&mut self, value: bool) {
        self.0.item().append(if value { b"true" } else { b"false" });
    }

    pub fn null(&mut self) {
        self.0.item().append(b"null");
    }

    /// Null where it is absent.
    pub fn value(&mut self, v: Value) {
        self.0.item();
        self.0.put(v);
    }

    pub fn object(&mut self) -> Object<'_> {
        self.0.item();
        Object(self.0.nested(b'{'))
    }

    pub fn array(&mut self) -> Array<'_> {
        self.0.item();
        Array(self.0.nested(b'['))
    }
}

// ---- What is below is not for filters. ----

/// The functions of the router.
mod import {
    #[link(wasm_import_module = "hr")]
    extern "C" {
        pub fn subscribe(text: *const u8, n: usize);
        pub fn config(buffer: *mut u8, limit: usize) -> usize;
        pub fn log(level: u32, text: *const u8, n: usize);
        pub fn field(path: *const u8, n: usize, buffer: *mut u8, limit: usize) -> u32;
        pub fn raw(buffer: *mut u8, limit: usize) -> usize;
        pub fn kv_get(key: *const u8, n: usize, buffer: *mut u8, limit: usize) -> u64;
        pub fn kv_set(key: *const u8, n: usize, value: *const u8, m: usize, seconds: u32, version: u32) -> u32;
        pub fn kv_delete(key: *const u8, n: usize) -> u32;
        pub fn now() -> i64;
    }
}

const SCRATCH: usize = 32 << 10; // what does not fit is read by itself
const HEADER: usize = 16;
const ENTRY: usize = 8;
const STANDARD: u32 = 8;
const LENGTH_BITS: u32 = 28;
const LENGTH: u32 = (1 << LENGTH_BITS) - 1;
const TAG_EMIT: u32 = 1;
const TAG_STOP: u32 = 2;
const MAX_DEPTH: u32 = 64;
const PAGE: usize = 64 << 10;

/// A module has one thread.
struct Single<T>(T);
unsafe impl<T> Sync for Single<T> {}

static SCRATCH_BUFFER: Single<UnsafeCell<[u8; SCRATCH]>> = Single(UnsafeCell::new([0; SCRATCH]));

/// The event's memory: pages that this file has had added to the module's, and that
/// nobody else knows, not even an allocator that `std` brings along.
struct Arena {
    start: Cell<usize>,
    free: Cell<usize>,
    end: Cell<usize>,
}

static ARENA: Single<Arena> = Single(Arena { start: Cell::new(0), free: Cell::new(0), end: Cell::new(0) });

fn alloc(n: usize) -> *mut u8 {
    let a = &ARENA.0;
    let mut at = (a.free.get() + 7) & !7;
    if at as u64 + n as u64 > a.end.get() as u64 {
        at = a.grow(at, n);
    }
    a.free.set(at + n);
    at as *mut u8
}

impl Arena {
    /// Makes room for n bytes, at `at` if the arena is at the memory's end. If
    /// somebody else has been given the pages behind it, it moves on, to twice its
    /// size: all that it leaves behind is smaller than what it has.
    fn grow(&self, at: usize, n: usize) -> usize {
        let end = wasm32::memory_size(0) * PAGE;
        let stays = end == self.end.get();
        let wanted = if stays { at as u64 + n as u64 - end as u64 } else { n.max(2 * (self.end.get() - self.start.get())) as u64 };
        let pages = (wanted / PAGE as u64) as usize + 1;
        if wasm32::memory_grow(0, pages) == usize::MAX {
            fail("hr.rs: out of memory; raise its memory");
        }
        self.end.set(end + pages * PAGE);
        if stays {
            return at;
        }
        self.start.set(end);
        end
    }
}

/// The bytes are UTF-8: the router has seen to it, or this module has.
fn utf8<'a>(bytes: &'a [u8]) -> &'a str {
    unsafe { str::from_utf8_unchecked(bytes) }
}

fn block(bytes: &[u8]) -> u64 {
    if bytes.is_empty() {
        return 0;
    }
    (bytes.as_ptr() as u64) << 32 | bytes.len() as u64
}

pub fn init(declaration: &str, start: fn(Value) -> Result<(), &str>) -> u64 {
    unsafe { import::subscribe(declaration.as_ptr(), declaration.len()) };
    if let Err(why) = start(config()) {
        log(Level::Error, why);
        return 0;
    }
    (SCRATCH_BUFFER.0.get() as u64) << 32 | SCRATCH as u64
}

pub fn event(handle: fn(&Event)) -> u64 {
    ARENA.0.free.set(ARENA.0.start.get());
    let e = Event { result: UnsafeCell::new(Buffer::EMPTY) };
    handle(&e);
    block(e.result().bytes())
}

pub fn panicked(at: Option<&core::panic::Location>) -> ! {
    let mut line = Buffer::EMPTY;
    line.append(b"panicked");
    if let Some(at) = at {
        line.append(b" at ");
        line.append(at.file().as_bytes());
        line.append(b":");
        append_int(&mut line, at.line() as i64);
    }
    fail(utf8(line.bytes()))
}

/// An entry of the scratch block, None where the value is too big for it.
fn entry<'a>(n: u32) -> Option<Value<'a>> {
    let scratch = SCRATCH_BUFFER.0.get() as *const u8;
    let at = HEADER + n as usize * ENTRY;
    let (offset, word) = unsafe {
        let entry = scratch.add(at) as *const u32;
        (entry.read_unaligned() as usize, entry.add(1).read_unaligned())
    };
    let kind = *KINDS.get((word >> LENGTH_BITS) as usize)?;
    let text = unsafe { slice::from_raw_parts(scratch.add(offset), (word & LENGTH) as usize) };
    Some(Value { kind, text: utf8(text) })
}

/// Has the router fill a buffer, and once more where it was too small. The size
/// may grow in between, where another copy of the plugin writes to the store.
fn fetch<'a>(call: impl Fn(*mut u8, usize) -> (u64, usize)) -> (u64, &'a [u8]) {
    let mut limit = 256;
    loop {
        let buffer = alloc(limit);
        let (answer, length) = call(buffer, limit);
        if length <= limit {
            return (answer, unsafe { slice::from_raw_parts(buffer, length) });
        }
        limit = length;
    }
}

fn config<'a>() -> Value<'a> {
    parse(utf8(fetch(|buffer, limit| unsafe { (0, import::config(buffer, limit)) }).1))
}

/// Bytes that grow, in the event's memory.
pub struct Buffer {
    at: *mut u8,
    length: usize,
    room: usize,
}

impl Buffer {
    const EMPTY: Buffer = Buffer { at: ptr::NonNull::dangling().as_ptr(), length: 0, room: 0 };

    fn bytes<'a>(&self) -> &'a [u8] {
        unsafe { slice::from_raw_parts(self.at, self.length) }
    }

    fn append(&mut self, bytes: &[u8]) {
        if self.room - self.length < bytes.len() {
            self.room = (2 * self.room).max(self.length + bytes.len() + 1024);
            let at = alloc(self.room);
            unsafe { ptr::copy_nonoverlapping(self.at, at, self.length) };
            self.at = at;
        }
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.at.add(self.length), bytes.len()) };
        self.length += bytes.len();
    }
}

/// An object or array that is being written. The buffer is in the event's memory.
struct Container<'a> {
    buffer: *mut Buffer,
    end: u8,
    depth: u32,
    names: Names,
    event: PhantomData<&'a mut Buffer>,
}

/// Where the members of an object begin in the buffer.
struct Names {
    at: *mut usize,
    length: usize,
    room: usize,
}

impl Names {
    fn list<'a>(&mut self) -> &'a mut [usize] {
        unsafe { slice::from_raw_parts_mut(self.at, self.length) }
    }

    fn push(&mut self, place: usize) {
        if self.length == self.room {
            self.room = (2 * self.room).max(16);
            let at = alloc(self.room * mem::size_of::<usize>()) as *mut usize;
            unsafe { ptr::copy_nonoverlapping(self.at, at, self.length) };
            self.at = at;
        }
        self.length += 1;
        self.list()[self.length - 1] = place;
    }
}

impl<'a> Container<'a> {
    fn begin(buffer: *mut Buffer, bracket: u8, depth: u32) -> Container<'a> {
        if depth > MAX_DEPTH {
            fail("hr.rs: JSON nested deeper than 64");
        }
        let names = Names { at: ptr::NonNull::dangling().as_ptr(), length: 0, room: 0 };
        let mut c = Container { buffer, end: bracket + 2, depth, names, event: PhantomData }; // { } and [ ] are two apart
        c.buffer_mut().append(&[bracket]);
        c
    }

    fn buffer(&self) -> &Buffer {
        unsafe { &*self.buffer }
    }

    fn buffer_mut(&mut self) -> &mut Buffer {
        unsafe { &mut *self.buffer }
    }

    fn nested(&mut self, bracket: u8) -> Container<'_> {
        Container::begin(self.buffer, bracket, self.depth + 1)
    }

    /// Begins an item.
    fn item(&mut self) -> &mut Buffer {
        let b = self.buffer_mut();
        if !matches!(b.bytes().last(), Some(b'{' | b'[')) {
            b.append(b","); // no item ends in an opening bracket
        }
        b
    }

    /// Notes that a member begins there, whose name is the last in the buffer. One of
    /// the same name before it is taken away.
    fn named(&mut self, mut at: usize) {
        let b = unsafe { &mut *self.buffer };
        let name = &b.bytes()[at..];
        let list = self.names.list();
        if let Some(i) = list.iter().position(|&before| b.bytes()[before..].starts_with(name)) {
            let next = list.get(i + 1).copied().unwrap_or(at);
            let gone = next - list[i];
            unsafe { ptr::copy(b.at.add(next), b.at.add(list[i]), b.length - next) };
            b.length -= gone;
            at -= gone;
            for k in i + 1..list.len() {
                list[k - 1] = list[k] - gone;
            }
            self.names.length -= 1;
        }
        self.names.push(at);
    }

    /// Writes a value behind its name. A container is written anew, which leaves
    /// its line breaks behind and lets nothing malformed through; one that is
    /// nested too deeply becomes null.
    fn put(&mut self, v: Value) {
        match v.kind {
            Kind::True => self.buffer_mut().append(b"true"),
            Kind::False => self.buffer_mut().append(b"false"),
            Kind::Number => number(self.buffer_mut(), v.text.as_bytes()),
            Kind::String => quote(self.buffer_mut(), v.text.as_bytes()),
            Kind::Object if self.depth < MAX_DEPTH => {
                let mut o = Object(self.nested(b'{'));
                v.items().for_each(|(name, value)| o.value(name, value));
            }
            Kind::Array if self.depth < MAX_DEPTH => {
                let mut a = Array(self.nested(b'['));
                v.items().for_each(|(_, value)| a.value(value));
            }
            _ => self.buffer_mut().append(b"null"),
        }
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        let end = self.end;
        self.buffer_mut().append(&[end]);
    }
}

fn quote(b: &mut Buffer, mut bytes: &[u8]) {
    b.append(b"\"");
    while !bytes.is_empty() {
        let valid = match str::from_utf8(bytes) {
            Ok(_) => bytes.len(),
            Err(e) => e.valid_up_to(),
        };
        escape(b, &bytes[..valid]);
        bytes = &bytes[valid..];
        if !bytes.is_empty() {
            b.append("\u{FFFD}".as_bytes());
            bytes = &bytes[1..];
        }
    }
    b.append(b"\"");
}

fn escape(b: &mut Buffer, text: &[u8]) {
    let mut from = 0;
    for (i, &c) in text.iter().enumerate() {
        if c >= b' ' && c != b'"' && c != b'\\' {
            continue;
        }
        b.append(&text[from..i]);
        from = i + 1;
        if c >= b' ' {
            b.append(&[b'\\', c]);
        } else {
            b.append(&[b'\\', b'u', b'0', b'0', b'0' + (c >> 4), b"0123456789abcdef"[c as usize & 15]]);
        }
    }
    b.append(&text[from..]);
}

fn append_int(b: &mut Buffer, value: i64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        at -= 1;
        digits[at] = b'-';
    }
    number(b, &digits[at..]);
}

/// Writes a number, in quotes if JavaScript makes another one of it.
fn number(b: &mut Buffer, text: &[u8]) {
    if changes(text.strip_prefix(b"-").unwrap_or(text)) {
        quote(b, text);
    } else {
        b.append(text);
    }
}

fn changes(text: &[u8]) -> bool {
    const LARGEST_INTEGER: &[u8] = b"9007199254740992";
    const LARGEST_EXPONENT: i32 = 307; // of what is surely finite
    let digits = text.iter().position(|c| !c.is_ascii_digit()).unwrap_or(text.len());
    if digits == text.len() {
        return digits > LARGEST_INTEGER.len() || digits == LARGEST_INTEGER.len() && text > LARGEST_INTEGER;
    }
    let mut exponent = 0i32;
    if let Some(e) = text.iter().position(|c| c | 0x20 == b'e') {
        for c in &text[e + 1..] {
            if c.is_ascii_digit() && exponent < 1 << 16 {
                exponent = 10 * exponent + (c - b'0') as i32;
            }
        }
        if text[e + 1] == b'-' {
            exponent = -exponent;
        }
    }
    digits as i32 + exponent > LARGEST_EXPONENT + 1
}

fn parse(json: &str) -> Value<'_> {
    match scan(json, blank(json, 0)) {
        Some((v, end)) if blank(json, end) == json.len() => v,
        _ => Value::ABSENT,
    }
}

/// An iterator over an object's members or an array's elements.
pub struct Items<'a> {
    text: &'a str,
    at: usize,
    object: bool,
}

impl<'a> Iterator for Items<'a> {
    type Item = (&'a str, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let found = self.step();
        match found {
            Some((_, _, end)) => self.at = end,
            None => self.text = "", // for good
        }
        found.map(|(key, value, _)| (key, value))
    }
}

impl<'a> Items<'a> {
    fn step(&self) -> Option<(&'a str, Value<'a>, usize)> {
        let s = self.text;
        let mut i = blank(s, self.at);
        if byte(s, i)? != b',' && self.at > 0 {
            return None; // the closing bracket
        }
        i = blank(s, i + 1);
        let mut key = "";
        if self.object {
            if byte(s, i)? != b'"' {
                return None;
            }
            let (name, end) = scan_string(s, i)?;
            key = name;
            i = blank(s, end);
            if byte(s, i)? != b':' {
                return None;
            }
            i = blank(s, i + 1);
        }
        let (value, end) = scan(s, i)?;
        Some((key, value, end))
    }
}

fn byte(s: &str, i: usize) -> Option<u8> {
    s.as_bytes().get(i).copied()
}

fn blank(s: &str, mut i: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = byte(s, i) {
        i += 1;
    }
    i
}

/// Reads the value at i and tells where it ends.
fn scan(s: &str, i: usize) -> Option<(Value<'_>, usize)> {
    let whole = |kind, end| Some((Value { kind, text: &s[i..end] }, end));
    let word = |kind, word: &str| s[i..].starts_with(word).then(|| (Value { kind, text: "" }, i + word.len()));
    match byte(s, i)? {
        b'"' => scan_string(s, i).map(|(text, end)| (Value { kind: Kind::String, text }, end)),
        b'{' => whole(Kind::Object, nested_end(s, i)?),
        b'[' => whole(Kind::Array, nested_end(s, i)?),
        b'-' | b'0'..=b'9' => whole(Kind::Number, number_end(s, i)?),
        b'n' => word(Kind::Null, "null"),
        b't' => word(Kind::True, "true"),
        b'f' => word(Kind::False, "false"),
        _ => None,
    }
}

/// Finds the end of an object or array by its brackets.
fn nested_end(s: &str, mut i: usize) -> Option<usize> {
    let mut depth = 0;
    loop {
        match byte(s, i)? {
            b'"' => i = string_end(s, i)? - 1,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => (),
        }
        i += 1;
        if depth == 0 {
            return Some(i);
        }
    }
}

fn string_end(s: &str, mut i: usize) -> Option<usize> {
    loop {
        i += 1;
        match byte(s, i)? {
            b'"' => return Some(i + 1),
            b'\\' => i += 1,
            _ => (),
        }
    }
}

/// Follows the grammar, so that a literal can be passed on.
fn number_end(s: &str, mut i: usize) -> Option<usize> {
    let digits = |from: usize| {
        let n = s.as_bytes()[from..].iter().take_while(|c| c.is_ascii_digit()).count();
        (n > 0).then(|| from + n)
    };
    i += (byte(s, i) == Some(b'-')) as usize;
    let mut end = digits(i)?;
    if byte(s, i) == Some(b'0') && end > i + 1 {
        return None;
    }
    if byte(s, end) == Some(b'.') {
        end = digits(end + 1)?;
    }
    if let Some(b'e' | b'E') = byte(s, end) {
        end += 1;
        end += matches!(byte(s, end), Some(b'+' | b'-')) as usize;
        end = digits(end)?;
    }
    Some(end)
}

/// Decodes the string at i. Most have no escapes and are a part of s.
fn scan_string(s: &str, i: usize) -> Option<(&str, usize)> {
    let end = string_end(s, i)?;
    let inside = &s[i + 1..end - 1];
    let mut rest = match inside.find('\\') {
        None => return Some((inside, end)),
        Some(_) => inside,
    };
    let mut b = Buffer::EMPTY;
    while let Some(at) = rest.find('\\') {
        b.append(rest[..at].as_bytes());
        let (c, size) = unescape(rest[at..].as_bytes())?;
        b.append(c.encode_utf8(&mut [0; 4]).as_bytes());
        rest = &rest[at + size..];
    }
    b.append(rest.as_bytes());
    Some((utf8(b.bytes()), end))
}

/// Decodes the escape at the beginning of s, a surrogate pair as one, and tells how
/// many bytes it took. Half a pair is U+FFFD.
fn unescape(s: &[u8]) -> Option<(char, usize)> {
    let c = match s.get(1)? {
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unescape_unit(s),
        &c @ (b'"' | b'\\' | b'/') => c as char,
        _ => return None,
    };
    Some((c, 2))
}

fn unescape_unit(s: &[u8]) -> Option<(char, usize)> {
    let high = hex4(s)?;
    if let Some(c) = char::from_u32(high) {
        return Some((c, 6));
    }
    match hex4(&s[6..]) {
        Some(low @ 0xDC00..=0xDFFF) if high < 0xDC00 => {
            Some((char::from_u32(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))?, 12))
        }
        _ => Some((char::REPLACEMENT_CHARACTER, 6)),
    }
}

/// The number of the escape \uXXXX at the beginning of s.
fn hex4(s: &[u8]) -> Option<u32> {
    if s.len() < 6 || &s[..2] != b"\\u" {
        return None;
    }
    s[2..6].iter().try_fold(0, |n, &c| Some(n << 4 | (c as char).to_digit(16)?))
}

// hr.ts is what a plugin for horizon-realtime is written with in AssemblyScript:
// this one file, the runtime "minimal", and nothing of WASI. README.md beside it
// says how to build; the ABI underneath is docs/plugin-abi.md, version 1.
//
//	import { Event, JsonObject, project, register, want } from "./hr";
//	export { hr_abi_1, hr_init, hr_event } from "./hr";
//
//	const VOLUME = want("/payload/volume_id");
//	const SIZE = want("/payload/size");
//
//	register(["volume.resize.end"], (e: Event): void => {
//	  const volume = e.get(VOLUME).text();
//	  const m = new JsonObject();
//	  m.string("volume", volume);
//	  m.value("gigabytes", e.get(SIZE));
//	  e.emit(project(e.project, "sizes"), volume, m);
//	});
//
// A plugin's variables are those of one of its copies: what has to be remembered
// goes into the store (Event.kvSet). Apache License 2.0.

/** What a value is. Absent: there is no such member, or it was a secret. */
export enum Kind { Absent, Null, False, True, Number, String, Object, Array }

/** The levels of the router's log. */
export enum Level { Debug, Info, Warn, Error }

/** A value of the notification, of the configuration, or of some JSON. */
export class Value {
  /** raw is a string's text, a number's literal, an object's or array's JSON, else empty. */
  constructor(readonly kind: Kind, readonly raw: string) {}

  /** The content of a string. */
  text(otherwise: string = ""): string {
    return this.kind == Kind.String ? this.raw : otherwise;
  }

  /** Tells whether it is a number without fraction that fits into 64 bits. */
  get isInt(): bool {
    if (this.kind != Kind.Number) return false;
    const minus = this.raw.charCodeAt(0) == CharCode.Minus;
    const most: u64 = minus ? 1 << 63 : (1 << 63) - 1;
    let n: u64 = 0;
    for (let i = i32(minus); i < this.raw.length; i++) {
      const digit: u64 = this.raw.charCodeAt(i) - CharCode.Zero;
      if (digit > 9 || n > (most - digit) / 10) return false;
      n = n * 10 + digit;
    }
    return true;
  }

  /** Such a number. */
  int(otherwise: i64 = 0): i64 {
    return this.isInt ? I64.parseInt(this.raw) : otherwise;
  }

  /** Any number. */
  float(otherwise: f64 = NaN): f64 {
    return this.kind == Kind.Number ? parseFloat(this.raw) : otherwise;
  }

  get isBool(): bool {
    return this.kind == Kind.True || this.kind == Kind.False;
  }

  bool(otherwise: bool = false): bool {
    return this.isBool ? this.kind == Kind.True : otherwise;
  }

  /** An object's member of that name, the last of several; absent if there is none. */
  member(name: string): Value {
    let found = ABSENT;
    if (this.kind == Kind.Object) {
      for (const it = this.items(); it.next();) {
        if (it.key == name) found = it.value;
      }
    }
    return found;
  }

  /**
   * Goes through an object's members or an array's elements:
   *
   *	for (const it = v.items(); it.next();) use(it.key, it.value);
   */
  items(): Items {
    const nested = this.kind == Kind.Object || this.kind == Kind.Array;
    return new Items(nested ? this.raw : "", this.kind == Kind.Object);
  }
}

const ABSENT = new Value(Kind.Absent, "");

/** Reads JSON of the plugin's own. What is none is absent. */
export function parse(json: string): Value {
  const s = new Scanner(json, 0);
  s.blank();
  const v = s.value();
  s.blank();
  return s.ok && s.at == json.length ? v : ABSENT;
}

/** A field that each event brings; want makes them. */
export class Field {
  constructor(readonly index: i32, readonly pointer: string) {}
}

/** Where a message goes. Only the project and the user that own the resource may be told without a grant. */
export class Channel {
  constructor(readonly name: string) {}
}

/** To everybody in a project, to nobody where the id is empty. */
export function project(id: string, topic: string): Channel {
  return new Channel(id == "" ? "" : "project/" + id + "/" + topic);
}

/** To one user, to nobody where the id is empty. */
export function user(id: string, topic: string): Channel {
  return new Channel(id == "" ? "" : "user/" + id + "/" + topic);
}

/** Takes the grant admin. */
export function admin(topic: string): Channel {
  return new Channel("admin/" + topic);
}

/** Takes the grant cross_project. */
export function open(topic: string): Channel {
  return new Channel("public/" + topic);
}

/** What the store has for a key. */
export class Found {
  constructor(readonly value: ArrayBuffer, readonly version: u32) {}

  get text(): string {
    return String.UTF8.decode(this.value);
  }
}

/** Declares a field that each event shall bring, by its JSON Pointer; called while the module starts. */
export function want(pointer: string): Field {
  wants.push(pointer);
  return new Field(wants.length - 1, pointer);
}

/**
 * Makes the module's plugin, while it starts. on lists event types, each one or
 * the beginning of several followed by `*`. start is called before any event: what
 * it returns, if not null, keeps the plugin from being loaded and is told to the
 * operator.
 */
export function register(on: string[], handle: (e: Event) => void, start: (config: Value) => string | null = accept): void {
  patterns = on;
  handler = handle;
  starter = start;
}

/** Writes a line to the router's log. */
export function log(level: Level, line: string): void {
  const b = encode(line);
  hr_log(level, changetype<usize>(b), b.byteLength);
}

/** One notification, and the answer to it. There is one at a time. */
export class Event {
  get type(): string { return standard(0); }
  /** The service and its host: for admins' eyes only. */
  get publisher(): string { return standard(1); }
  get priority(): string { return standard(2); }
  get messageId(): string { return standard(3); }
  /** When it was sent: RFC 3339, UTC, with milliseconds. */
  get time(): string { return standard(4); }
  /** The project that owns what it is about, empty where it names none. */
  get project(): string { return standard(5); }
  /** The user who owns what it is about, empty where it names none. */
  get user(): string { return standard(6); }
  /** The request that caused it, empty if there was none. */
  get requestId(): string { return standard(7); }

  /** When it was sent, in nanoseconds since 1970. */
  get now(): i64 { return hr_now(); }

  /** A wanted field. */
  get(field: Field): Value {
    const v = entry(STANDARD + field.index);
    return <u32>v.kind == TOO_BIG ? this.field(field.pointer) : v;
  }

  /** Any field, by its JSON Pointer, at the price of a call. A pointer that is none fails the filter. */
  field(pointer: string): Value {
    const path = encode(pointer);
    let buffer = new ArrayBuffer(256);
    let word = hr_field(changetype<usize>(path), path.byteLength, changetype<usize>(buffer), buffer.byteLength);
    if (<i32>(word & LENGTH) > buffer.byteLength) {
      buffer = new ArrayBuffer(word & LENGTH);
      word = hr_field(changetype<usize>(path), path.byteLength, changetype<usize>(buffer), buffer.byteLength);
    }
    return valueOf(word, changetype<usize>(buffer));
  }

  /** The whole notification as JSON, without its secrets. */
  get raw(): string {
    let buffer = new ArrayBuffer(32 << 10);
    let n = hr_raw(changetype<usize>(buffer), buffer.byteLength);
    if (n > buffer.byteLength) {
      buffer = new ArrayBuffer(n);
      n = hr_raw(changetype<usize>(buffer), n);
    }
    return decode(changetype<usize>(buffer), n);
  }

  /** Publishes the payload. The key is the id of the resource, or empty. */
  emit(to: Channel, key: string, payload: JsonObject): void {
    send(to.name, key, payload, 0);
  }

  /** Is emit, and says that the resource named by the key is gone. */
  emitRemoved(to: Channel, key: string, payload: JsonObject): void {
    send(to.name, key, payload, REMOVED);
  }

  /** Keeps the notification from the plugins that come later. */
  stop(): void {
    record(TAG_STOP, 0);
  }

  /** Reads from the store, which is one for all copies of the plugin; null if there is no such key. */
  kvGet(key: string): Found | null {
    const k = encode(key);
    let limit = 256;
    while (true) {
      const buffer = new ArrayBuffer(limit);
      const found = hr_kv_get(changetype<usize>(k), k.byteLength, changetype<usize>(buffer), limit);
      if (found >> 32 == 0) return null;
      const n = <i32>found;
      if (n <= limit) return new Found(buffer.slice(0, n), <u32>(found >> 32));
      limit = n; // again: another copy may make it longer still
    }
  }

  /** Writes, whatever is there, for so many seconds; 0 is as long as may be. */
  kvSet(key: string, value: string, seconds: u32): bool {
    return this.kvSwap(key, value, seconds, u32.MAX_VALUE);
  }

  /** Writes if the key is still at that version, 0 for "there is none". */
  kvSwap(key: string, value: string, seconds: u32, version: u32): bool {
    const k = encode(key), v = encode(value);
    return hr_kv_set(changetype<usize>(k), k.byteLength, changetype<usize>(v), v.byteLength, seconds, version) == 1;
  }

  /** Forgets a key and reports whether it was there. */
  kvDelete(key: string): bool {
    const k = encode(key);
    return hr_kv_delete(changetype<usize>(k), k.byteLength) == 1;
  }
}

/**
 * Writes JSON, valid whatever it is given, item by item. A number that JavaScript would change, an integer beyond 2^53
 * or what is too large altogether, becomes a string: the router refuses such numbers.
 */
class Json {
  protected parts: string[] = [];
  depth: i32 = 1;

  protected constructor(private readonly brackets: string) {}

  /** The whole text. */
  toString(): string {
    return this.brackets.charAt(0) + this.parts.join(",") + this.brackets.charAt(1);
  }

  /** Is a container's text, null where it would be nested deeper than the router takes. */
  protected inside(child: Json): string {
    if (child.depth >= MAX_DEPTH) return "null";
    this.depth = max(this.depth, child.depth + 1);
    return child.toString();
  }
}

/** An object. What is put into another is finished before. A member that is written again takes the place of the one before. */
export class JsonObject extends Json {
  private names: string[] = [];

  constructor() { super("{}"); }

  string(name: string, value: string): void { this.put(name, quote(value)); }
  int(name: string, value: i64): void { this.put(name, number(value.toString())); }
  bool(name: string, value: bool): void { this.put(name, value ? "true" : "false"); }
  null(name: string): void { this.put(name, "null"); }
  object(name: string, value: JsonObject): void { this.put(name, this.inside(value)); }
  array(name: string, value: JsonArray): void { this.put(name, this.inside(value)); }

  /** Nothing where it is absent. */
  value(name: string, v: Value): void {
    if (v.kind == Kind.Object) this.object(name, objectOf(v, 2));
    else if (v.kind == Kind.Array) this.array(name, arrayOf(v, 2));
    else if (v.kind != Kind.Absent) this.put(name, scalar(v));
  }

  private put(name: string, text: string): void {
    const before = this.names.indexOf(name);
    if (before >= 0) {
      this.names.splice(before, 1);
      this.parts.splice(before, 1);
    }
    this.names.push(name);
    this.parts.push(quote(name) + ":" + text);
  }
}

/** An array. */
export class JsonArray extends Json {
  constructor() { super("[]"); }

  string(value: string): void { this.parts.push(quote(value)); }
  int(value: i64): void { this.parts.push(number(value.toString())); }
  bool(value: bool): void { this.parts.push(value ? "true" : "false"); }
  null(): void { this.parts.push("null"); }
  object(value: JsonObject): void { this.parts.push(this.inside(value)); }
  array(value: JsonArray): void { this.parts.push(this.inside(value)); }

  /** Null where it is absent. */
  value(v: Value): void {
    if (v.kind == Kind.Object) this.object(objectOf(v, 2));
    else if (v.kind == Kind.Array) this.array(arrayOf(v, 2));
    else this.parts.push(scalar(v));
  }
}

// ---- What is below is not for filters. ----

@external("hr", "subscribe") declare function hr_subscribe(text: usize, n: i32): void;
@external("hr", "config") declare function hr_config(buffer: usize, limit: i32): i32;
@external("hr", "log") declare function hr_log(level: i32, text: usize, n: i32): void;
@external("hr", "field") declare function hr_field(path: usize, n: i32, buffer: usize, limit: i32): u32;
@external("hr", "raw") declare function hr_raw(buffer: usize, limit: i32): i32;
@external("hr", "kv_get") declare function hr_kv_get(key: usize, n: i32, buffer: usize, limit: i32): u64;
@external("hr", "kv_set") declare function hr_kv_set(key: usize, n: i32, value: usize, m: i32, seconds: u32, version: u32): i32;
@external("hr", "kv_delete") declare function hr_kv_delete(key: usize, n: i32): i32;
@external("hr", "now") declare function hr_now(): i64;

const SCRATCH: i32 = 32 << 10; // what does not fit is read by itself
const HEADER: i32 = 16;
const ENTRY: i32 = 8;
const STANDARD: i32 = 8;
const LENGTH_BITS: u32 = 28;
const LENGTH: u32 = (1 << LENGTH_BITS) - 1;
const TOO_BIG: u32 = 8;
const TAG_EMIT: u32 = 1;
const TAG_STOP: u32 = 2;
const REMOVED: u32 = 1;
const EMIT_HEADER: i32 = 8;
const RECORD_HEADER: i32 = 8;
const MAX_DEPTH: i32 = 64;

const enum CharCode {
  Tab = 0x09, Line = 0x0a, Return = 0x0d, Space = 0x20, Quote = 0x22, Plus = 0x2b, Comma = 0x2c, Minus = 0x2d, Dot = 0x2e,
  Zero = 0x30, Nine = 0x39, Colon = 0x3a, E = 0x45, LeftBracket = 0x5b, Backslash = 0x5c, RightBracket = 0x5d,
  e = 0x65, f = 0x66, n = 0x6e, t = 0x74, LeftBrace = 0x7b, RightBrace = 0x7d,
}

const scratch = memory.data(SCRATCH, 8);
const event = new Event();
let wants: string[] = [];
let patterns: string[] = [];
let handler: (e: Event) => void = (_: Event): void => {};
let starter: (config: Value) => string | null = accept;
/** The records of the event's answer, and the block of them all, which stays until the next event. */
let records: ArrayBuffer[] = [];
let result: ArrayBuffer = new ArrayBuffer(0);

function accept(_: Value): string | null { return null; }

export function hr_abi_1(): void {}

export function hr_init(): u64 {
  let text = "";
  for (let i = 0; i < patterns.length; i++) text += "on " + patterns[i] + "\n";
  for (let i = 0; i < wants.length; i++) text += "want " + wants[i] + "\n";
  const b = encode(text);
  hr_subscribe(changetype<usize>(b), b.byteLength);
  const refusal = starter(config());
  if (refusal !== null) {
    log(Level.Error, refusal);
    return 0;
  }
  return <u64>scratch << 32 | SCRATCH;
}

export function hr_event(): u64 {
  records = [];
  __collect(); // nothing is on the stack that would still be needed
  handler(event);
  let length = 0;
  for (let i = 0; i < records.length; i++) length += records[i].byteLength;
  if (length == 0) return 0;
  result = new ArrayBuffer(length);
  for (let i = 0, at = changetype<usize>(result); i < records.length; i++) {
    memory.copy(at, changetype<usize>(records[i]), records[i].byteLength);
    at += records[i].byteLength;
  }
  return <u64>changetype<usize>(result) << 32 | length;
}

/** Takes the place of AssemblyScript's abort, which would be an import: logs what happened and where, and traps. */
// @ts-ignore: decorator
@global
export function hr_abort(message: string | null, file: string | null, line: u32, column: u32): void {
  log(Level.Error, (message === null ? "aborted" : message) + " at " + (file === null ? "?" : file) + ":" + line.toString() + ":" + column.toString());
  unreachable();
}

/** UTF-8; half a surrogate pair becomes U+FFFD. */
function encode(s: string): ArrayBuffer {
  return String.UTF8.encode(s, false, String.UTF8.ErrorMode.REPLACE);
}

/** A string of UTF-8. Most are ASCII, which is widened eight bytes at a time. */
function decode(from: usize, n: i32): string {
  const s = changetype<string>(__new(<usize>n << 1, idof<string>())), end = from + n;
  let to = changetype<usize>(s), at = from;
  for (; at + 8 <= end; at += 8, to += 16) {
    const w = load<u64>(at);
    if (w & 0x8080808080808080) return String.UTF8.decodeUnsafe(from, n);
    store<u64>(to, widened(w & 0xffffffff));
    store<u64>(to, widened(w >> 32), 8);
  }
  for (; at < end; at++, to += 2) {
    const c = load<u8>(at);
    if (c & 0x80) return String.UTF8.decodeUnsafe(from, n);
    store<u16>(to, c);
  }
  return s;
}

/** Four bytes, each in the lower half of two. */
// @ts-ignore: decorator
@inline
function widened(w: u64): u64 {
  w = (w | w << 16) & 0x0000ffff0000ffff;
  return (w | w << 8) & 0x00ff00ff00ff00ff;
}

function config(): Value {
  let buffer = new ArrayBuffer(1024);
  let n = hr_config(changetype<usize>(buffer), buffer.byteLength);
  if (n > buffer.byteLength) {
    buffer = new ArrayBuffer(n);
    n = hr_config(changetype<usize>(buffer), n);
  }
  return parse(decode(changetype<usize>(buffer), n));
}

function entry(n: i32): Value {
  const at = scratch + HEADER + n * ENTRY;
  return valueOf(load<u32>(at, 4), scratch + load<u32>(at));
}

/** A value as a field word says it. */
function valueOf(word: u32, at: usize): Value {
  const kind = word >> LENGTH_BITS;
  return new Value(<Kind>kind, kind < <u32>Kind.Number || kind == TOO_BIG ? "" : decode(at, word & LENGTH));
}

function standard(n: i32): string { return entry(n).text(); }

/** Adds a record and gives its body. */
function record(tag: u32, length: i32): usize {
  const b = new ArrayBuffer(RECORD_HEADER + length);
  records.push(b);
  store<u32>(changetype<usize>(b), tag);
  store<u32>(changetype<usize>(b), length, 4);
  return changetype<usize>(b) + RECORD_HEADER;
}

function send(channel: string, key: string, payload: Json, flags: u32): void {
  if (channel == "") return;
  const c = encode(channel), k = encode(key), p = encode(payload.toString());
  if (c.byteLength > <i32>u16.MAX_VALUE || k.byteLength > <i32>u16.MAX_VALUE) throw new Error("hr.ts: a channel or key of more than 65535 bytes");
  const at = record(TAG_EMIT, EMIT_HEADER + c.byteLength + k.byteLength + p.byteLength);
  store<u16>(at, <u16>c.byteLength);
  store<u16>(at, <u16>k.byteLength, 2);
  store<u32>(at, flags, 4);
  memory.copy(at + EMIT_HEADER, changetype<usize>(c), c.byteLength);
  memory.copy(at + EMIT_HEADER + c.byteLength, changetype<usize>(k), k.byteLength);
  memory.copy(at + EMIT_HEADER + c.byteLength + k.byteLength, changetype<usize>(p), p.byteLength);
}

/** A string as JSON spells it. Most need no escapes. */
function quote(s: string): string {
  let text = "\"", from = 0;
  for (let i = 0; i < s.length; i++) {
    const c = s.charCodeAt(i);
    if (c >= CharCode.Space && c != CharCode.Quote && c != CharCode.Backslash) continue;
    text += s.substring(from, i);
    text += c < CharCode.Space ? "\\u00" + (c < 16 ? "0" : "") + c.toString(16) : "\\" + String.fromCharCode(c);
    from = i + 1;
  }
  return text + s.substring(from) + "\"";
}

/** A number, in quotes if JavaScript makes another one of it. */
function number(text: string): string { return changes(text) ? "\"" + text + "\"" : text; }

const LARGEST_INTEGER = "9007199254740992";
const LARGEST_EXPONENT: i32 = 307; // of what is surely finite

function changes(text: string): bool {
  const from = text.charCodeAt(0) == CharCode.Minus ? 1 : 0;
  let i = from;
  while (i < text.length && text.charCodeAt(i) >= CharCode.Zero && text.charCodeAt(i) <= CharCode.Nine) i++;
  const digits = i - from;
  if (i == text.length) {
    return digits > LARGEST_INTEGER.length || digits == LARGEST_INTEGER.length && text.substring(from) > LARGEST_INTEGER;
  }
  while (i < text.length && (text.charCodeAt(i) | 0x20) != CharCode.e) i++;
  const minus = i + 1 < text.length && text.charCodeAt(i + 1) == CharCode.Minus;
  let exponent = 0;
  for (; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c >= CharCode.Zero && c <= CharCode.Nine && exponent < 1 << 16) exponent = exponent * 10 + (c - CharCode.Zero);
  }
  return digits + (minus ? -exponent : exponent) > LARGEST_EXPONENT + 1;
}

function scalar(v: Value): string {
  switch (v.kind) {
    case Kind.True: return "true";
    case Kind.False: return "false";
    case Kind.Number: return number(v.raw);
    case Kind.String: return quote(v.raw);
    default: return "null";
  }
}

// A container of the message is written anew, which leaves its line breaks behind
// and lets nothing malformed through. What is nested too deeply becomes null;
// depth is where the container stands.

function objectOf(v: Value, depth: i32): JsonObject {
  const o = new JsonObject();
  for (const it = v.items(); it.next();) {
    const x = it.value;
    if (x.kind == Kind.Object && depth < MAX_DEPTH) o.object(it.key, objectOf(x, depth + 1));
    else if (x.kind == Kind.Array && depth < MAX_DEPTH) o.array(it.key, arrayOf(x, depth + 1));
    else o.value(it.key, new Value(x.kind < Kind.Object ? x.kind : Kind.Null, x.raw));
  }
  return o;
}

function arrayOf(v: Value, depth: i32): JsonArray {
  const a = new JsonArray();
  for (const it = v.items(); it.next();) {
    const x = it.value;
    if (x.kind == Kind.Object && depth < MAX_DEPTH) a.object(objectOf(x, depth + 1));
    else if (x.kind == Kind.Array && depth < MAX_DEPTH) a.array(arrayOf(x, depth + 1));
    else a.value(new Value(x.kind < Kind.Object ? x.kind : Kind.Null, x.raw));
  }
  return a;
}

/** A place in an object or array; see Value.items. */
export class Items {
  key: string = "";
  value: Value = ABSENT;
  private scanner: Scanner;

  constructor(json: string, private readonly object: bool) {
    this.scanner = new Scanner(json, 0);
  }

  /** Moves on to the first or next one, and reports whether there is one. */
  next(): bool {
    const s = this.scanner;
    const first = s.at == 0; // at the opening bracket
    s.blank();
    s.ok = s.ok && s.peek() >= 0 && (first || s.peek() == CharCode.Comma);
    s.at++;
    s.blank();
    if (this.object && s.ok) {
      s.ok = s.peek() == CharCode.Quote;
      if (s.ok) this.key = s.string();
      s.blank();
      s.ok = s.ok && s.peek() == CharCode.Colon;
      s.at++;
      s.blank();
    }
    if (s.ok) this.value = s.value();
    return s.ok;
  }
}

/** Reads JSON from a place on. Once something is wrong, ok is false for good. */
class Scanner {
  ok: bool = true;

  constructor(private readonly s: string, public at: i32) {}

  /** The character at the place, -1 at the end. */
  peek(): i32 { return this.at < this.s.length ? this.s.charCodeAt(this.at) : -1; }

  blank(): void {
    for (let c = this.peek(); c == CharCode.Space || c == CharCode.Line || c == CharCode.Return || c == CharCode.Tab; c = this.peek()) this.at++;
  }

  value(): Value {
    const from = this.at;
    let v = ABSENT;
    switch (this.peek()) {
      case CharCode.Quote: return new Value(Kind.String, this.string());
      case CharCode.LeftBrace: v = new Value(Kind.Object, this.nested()); break;
      case CharCode.LeftBracket: v = new Value(Kind.Array, this.nested()); break;
      case CharCode.n: v = this.word("null", Kind.Null); break;
      case CharCode.t: v = this.word("true", Kind.True); break;
      case CharCode.f: v = this.word("false", Kind.False); break;
      default: v = new Value(Kind.Number, this.number());
    }
    this.ok = this.ok && this.at > from;
    return this.ok ? v : ABSENT;
  }

  private word(word: string, kind: Kind): Value {
    if (this.s.substr(this.at, word.length) == word) this.at += word.length;
    return new Value(kind, "");
  }

  /** An object or array, whose end is found by its brackets. */
  private nested(): string {
    const from = this.at;
    for (let depth = 0; this.ok;) {
      const c = this.peek();
      if (c == CharCode.Quote) {
        this.skipString();
        continue;
      }
      if (c < 0) this.ok = false;
      if (c == CharCode.LeftBrace || c == CharCode.LeftBracket) depth++;
      if (c == CharCode.RightBrace || c == CharCode.RightBracket) depth--;
      this.at++;
      if (depth == 0) break;
    }
    return this.s.substring(from, this.at);
  }

  private skipString(): void {
    const s = changetype<usize>(this.s), n = this.s.length;
    let i = this.at + 1;
    for (; i < n; i++) {
      const c = <i32>load<u16>(s + (<usize>i << 1));
      if (c == CharCode.Quote) break;
      if (c == CharCode.Backslash) i++;
    }
    this.ok = this.ok && i < n;
    this.at = i + 1;
  }

  /** Follows the grammar, so that a literal can be passed on. */
  private number(): string {
    const from = this.at;
    if (this.peek() == CharCode.Minus) this.at++;
    const zero = this.peek() == CharCode.Zero;
    const whole = this.digits();
    if (zero && whole > 1) this.ok = false;
    if (this.peek() == CharCode.Dot) {
      this.at++;
      this.digits();
    }
    if (this.peek() == CharCode.e || this.peek() == CharCode.E) {
      this.at++;
      if (this.peek() == CharCode.Plus || this.peek() == CharCode.Minus) this.at++;
      this.digits();
    }
    return this.s.substring(from, this.at);
  }

  /** Moves over digits, of which there must be some, and tells how many. */
  private digits(): i32 {
    const from = this.at;
    while (this.peek() >= CharCode.Zero && this.peek() <= CharCode.Nine) this.at++;
    if (this.at == from) this.ok = false;
    return this.at - from;
  }

  /** A string, decoded. Half a surrogate pair stays one until it is encoded. */
  string(): string {
    const from = this.at + 1;
    this.skipString();
    const to = this.at - 1;
    if (!this.ok) return "";
    const s = changetype<usize>(this.s);
    let text = "", plain = from;
    for (let i = from; i < to; i++) {
      if (<i32>load<u16>(s + (<usize>i << 1)) != CharCode.Backslash) continue;
      text += this.s.substring(plain, i);
      const c = this.s.charCodeAt(++i);
      const escaped = "\"\\/bfnrt".indexOf(String.fromCharCode(c));
      if (c == 0x75) {
        const unit = this.hex4(i + 1, to);
        text += String.fromCharCode(unit);
        i += 4;
      } else if (escaped >= 0) {
        text += "\"\\/\b\f\n\r\t".charAt(escaped);
      } else {
        this.ok = false;
        return "";
      }
      plain = i + 1;
    }
    return plain == from ? this.s.substring(from, to) : text + this.s.substring(plain, to);
  }

  private hex4(at: i32, to: i32): i32 {
    let n = 0;
    if (at + 4 > to) this.ok = false;
    for (let i = at; i < at + 4 && this.ok; i++) {
      const c = this.s.charCodeAt(i), letter = (c | 0x20) - 0x61;
      if (c >= CharCode.Zero && c <= CharCode.Nine) n = n << 4 | (c - CharCode.Zero);
      else if (letter >= 0 && letter < 6) n = n << 4 | (letter + 10);
      else this.ok = false;
    }
    return n;
  }
}

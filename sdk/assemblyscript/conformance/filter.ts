// The conformance plugin of the AssemblyScript SDK. What it does is described in
// ../../conformance/README.md, in the same order.
import { Event, JsonArray, JsonObject, Kind, Level, Value, admin, log, parse, project, register, user, want } from "../hr";
export { hr_abi_1, hr_init, hr_event } from "../hr";

const VALUE = want("/payload/value");
const POINTER = want("/payload/pointer");
const ESCAPED = want("/payload/list/1/a~1b~0c");
const DOTTED = want("/payload/nova_object.data/uuid");
const DO = want("/payload/do");
const KEY = want("/payload/key");
const TEXT = want("/payload/text");
const SECONDS = want("/payload/seconds");

const KINDS = ["absent", "null", "false", "true", "number", "string", "object", "array"];
let settings = new Value(Kind.Absent, "");
let count: i64 = 0;

register(["volume.conformance.*", "conformance.exact"], handle, (config: Value): string | null => {
  settings = config;
  const refuse = config.member("refuse");
  return refuse.kind == Kind.String ? refuse.text() : null;
});

function handle(e: Event): void {
  count++;
  const m = new JsonObject();
  if (e.type == "conformance.exact") {
    m.bool("heard", true);
    e.emit(admin("conformance"), "", m);
    return;
  }
  const value = e.get(VALUE), what = e.type.substring("volume.conformance.".length);
  if (what == "value") {
    m.object("wanted", described(value));
    m.object("asked", described(e.field("/payload/value")));
  } else if (what == "size") {
    m.string("kind", KINDS[value.kind]);
    m.int("bytes", String.UTF8.byteLength(value.text()));
    m.int("asked", String.UTF8.byteLength(e.field("/payload/value").text()));
    m.string("after", e.get(DOTTED).text());
  } else if (what == "pointers") {
    m.object("escaped", described(e.get(ESCAPED)));
    m.object("dotted", described(e.get(DOTTED)));
  } else if (what == "field") {
    describe(m, e.field(e.get(POINTER).text()));
  } else if (what == "standard") {
    standard(m, e);
  } else if (what == "raw") {
    const raw = e.raw, bytes = String.UTF8.byteLength(raw);
    if (bytes > 10000) m.int("bytes", bytes);
    else m.value("message", parse(raw));
  } else if (what == "walk") {
    m.object("member", described(value.member("k")));
    const items = new JsonArray();
    for (const it = value.member("list").items(); it.next();) items.object(described(it.value));
    m.array("items", items);
  } else if (what == "over") {
    if (value.kind == Kind.Number) m.bool("over", value.float() > 0.75);
    else m.null("over");
  } else if (what == "parse") {
    describe(m, parse(value.text()));
  } else if (what == "build") {
    build(m, value.text());
  } else if (what == "cut") {
    m.string("text", value.text().substring(0, 2));
  } else if (what == "config") {
    m.object("greeting", described(settings.member("greeting")));
    m.value("config", settings);
  } else if (what == "log") {
    for (let level = Level.Debug; level <= Level.Error; level++) log(level, value.text());
    return;
  } else if (what == "store") {
    store(m, e);
  } else if (what == "emit") {
    emit(e);
    return;
  } else if (what == "stop") {
    m.bool("stopping", true);
    e.stop();
  } else if (what == "hush") {
    e.stop();
    return;
  } else if (what == "count") {
    m.int("count", count);
  } else if (what == "trap") {
    say(e, m);
    throw new Error("told to");
  } else {
    return;
  }
  say(e, m);
}

function say(e: Event, m: JsonObject): void {
  e.emit(project(e.project, "conformance"), e.messageId, m);
}

function described(v: Value): JsonObject {
  const m = new JsonObject();
  describe(m, v);
  return m;
}

function describe(m: JsonObject, v: Value): void {
  m.string("kind", KINDS[v.kind]);
  if (v.kind == Kind.String) m.string("text", v.text());
  else m.null("text");
  if (v.isInt) m.int("int", v.int());
  else m.null("int");
  if (v.isBool) m.bool("bool", v.bool());
  else m.null("bool");
  if (v.kind == Kind.Number) m.string("literal", v.raw);
  else m.null("literal");
  m.value("value", v);
}

function stringOrNull(m: JsonObject, name: string, text: string): void {
  if (text == "") m.null(name);
  else m.string(name, text);
}

function standard(m: JsonObject, e: Event): void {
  stringOrNull(m, "type", e.type);
  stringOrNull(m, "publisher", e.publisher);
  stringOrNull(m, "priority", e.priority);
  stringOrNull(m, "message_id", e.messageId);
  stringOrNull(m, "time", e.time);
  stringOrNull(m, "project", e.project);
  stringOrNull(m, "user", e.user);
  stringOrNull(m, "request_id", e.requestId);
  m.int("now", e.now);
}

function build(m: JsonObject, text: string): void {
  m.string("text", text);
  m.int("min", i64.MIN_VALUE);
  m.int("max", i64.MAX_VALUE);
  m.int("zero", 0);
  m.bool("yes", true);
  m.bool("no", false);
  m.null("nothing");
  m.object("object", new JsonObject());
  m.array("array", new JsonArray());
  const list = new JsonArray(), three = new JsonArray(), four = new JsonObject(), nested = new JsonObject();
  three.int(3);
  four.int("four", 4);
  list.int(1);
  list.string("two");
  list.bool(true);
  list.null();
  list.array(three);
  list.object(four);
  nested.array("list", list);
  nested.string("after", text);
  m.object("nested", nested);
  m.int(text, 5);
}

function store(m: JsonObject, e: Event): void {
  const what = e.get(DO).text(), key = e.get(KEY).text(), text = e.get(TEXT).text(), seconds = <u32>e.get(SECONDS).int();
  const found = e.kvGet(key), version = found === null ? 0 : found.version;
  if (what == "set") {
    m.bool("done", e.kvSet(key, text, seconds));
  } else if (what == "create") {
    m.bool("done", e.kvSwap(key, text, seconds, 0));
  } else if (what == "swap") {
    m.bool("done", e.kvSwap(key, text, seconds, version));
  } else if (what == "stale") {
    e.kvSet(key, text, seconds);
    m.bool("done", e.kvSwap(key, text, seconds, version));
  } else if (what == "get") {
    m.bool("found", found !== null);
    if (found === null) m.null("text");
    else m.string("text", found.text);
  } else if (what == "length") {
    m.int("bytes", found === null ? 0 : found.value.byteLength);
  } else if (what == "delete") {
    m.bool("done", e.kvDelete(key));
  }
}

function emit(e: Event): void {
  const one = new JsonObject(), two = new JsonObject();
  one.int("n", 1);
  e.emit(project(e.project, "first"), "k1", one);
  two.int("n", 2);
  e.emit(user(e.user, "second"), "", two);
  e.emitRemoved(admin("third"), "k3", new JsonObject());
}

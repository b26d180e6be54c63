//! The conformance plugin of the Rust SDK. What it does is described in
//! ../../conformance/README.md, in the same order.
#![no_std]

#[path = "../hr.rs"]
mod hr;

use core::sync::atomic::{AtomicI64, Ordering};
use hr::{Event, Kind, Level, Object, Value};

hr::filter! {
    on: ["volume.conformance.*", "conformance.exact"],
    want: {
        VALUE = "/payload/value",
        POINTER = "/payload/pointer",
        ESCAPED = "/payload/list/1/a~1b~0c",
        DOTTED = "/payload/nova_object.data/uuid",
        DO = "/payload/do",
        KEY = "/payload/key",
        TEXT = "/payload/text",
        SECONDS = "/payload/seconds",
    },
    start: start,
    handle: handle,
}
hr::on_panic!();

static COUNT: AtomicI64 = AtomicI64::new(0);

fn start(config: Value) -> Result<(), &str> {
    match config.member("refuse").text() {
        Some(why) => Err(why),
        None => Ok(()),
    }
}

fn handle(e: &Event) {
    let count = COUNT.fetch_add(1, Ordering::Relaxed) + 1;
    let mut m = e.object();
    if e.event_type() == "conformance.exact" {
        m.bool("heard", true);
        return e.emit(hr::admin("conformance"), "", &m);
    }
    let value = e.get(VALUE);
    match e.event_type().strip_prefix("volume.conformance.").unwrap_or("") {
        "value" => {
            describe(&mut m.object("wanted"), value);
            describe(&mut m.object("asked"), e.field("/payload/value"));
        }
        "size" => {
            let bytes = |v: Value| v.text().unwrap_or("").len() as i64;
            m.string("kind", name(value.kind()));
            m.int("bytes", bytes(value));
            m.int("asked", bytes(e.field("/payload/value")));
            m.string("after", e.get(DOTTED).text().unwrap_or(""));
        }
        "pointers" => {
            describe(&mut m.object("escaped"), e.get(ESCAPED));
            describe(&mut m.object("dotted"), e.get(DOTTED));
        }
        "field" => describe(&mut m, e.field(e.get(POINTER).text().unwrap_or(""))),
        "standard" => standard(&mut m, e),
        "raw" => match e.raw() {
            raw if raw.len() > 10_000 => m.int("bytes", raw.len() as i64),
            raw => m.value("message", e.parse(raw)),
        },
        "walk" => {
            describe(&mut m.object("member"), value.member("k"));
            let mut items = m.array("items");
            value.member("list").items().for_each(|(_, v)| describe(&mut items.object(), v));
        }
        "over" => match value.float() {
            Some(f) => m.bool("over", f > 0.75),
            None => m.null("over"),
        },
        "parse" => describe(&mut m, e.parse(value.text().unwrap_or(""))),
        "build" => build(&mut m, value.text().unwrap_or("")),
        "cut" => m.string("text", &value.text().unwrap_or("").as_bytes()[..2]),
        "config" => {
            describe(&mut m.object("greeting"), e.config().member("greeting"));
            m.value("config", e.config());
        }
        "log" => {
            for level in [Level::Debug, Level::Info, Level::Warn, Level::Error] {
                hr::log(level, value.text().unwrap_or(""));
            }
            return;
        }
        "store" => store(&mut m, e),
        "emit" => return emit(e),
        "stop" => {
            m.bool("stopping", true);
            e.stop();
        }
        "hush" => return e.stop(),
        "count" => m.int("count", count),
        "trap" => {
            say(e, &m);
            panic!("told to");
        }
        _ => return,
    }
    say(e, &m);
}

fn say(e: &Event, m: &Object) {
    e.emit(hr::project(e.project(), "conformance"), e.message_id(), m);
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Absent => "absent",
        Kind::Null => "null",
        Kind::False => "false",
        Kind::True => "true",
        Kind::Number => "number",
        Kind::String => "string",
        Kind::Object => "object",
        Kind::Array => "array",
    }
}

fn describe(m: &mut Object, v: Value) {
    m.string("kind", name(v.kind()));
    string_or_null(m, "text", v.text());
    match v.int() {
        Some(n) => m.int("int", n),
        None => m.null("int"),
    }
    match v.bool() {
        Some(b) => m.bool("bool", b),
        None => m.null("bool"),
    }
    string_or_null(m, "literal", v.number());
    m.value("value", v);
}

fn string_or_null(m: &mut Object, name: &str, text: Option<&str>) {
    match text {
        Some(text) => m.string(name, text),
        None => m.null(name),
    }
}

fn standard(m: &mut Object, e: &Event) {
    for (name, text) in [
        ("type", e.event_type()),
        ("publisher", e.publisher()),
        ("priority", e.priority()),
        ("message_id", e.message_id()),
        ("time", e.time()),
        ("project", e.project()),
        ("user", e.user()),
        ("request_id", e.request_id()),
    ] {
        string_or_null(m, name, (!text.is_empty()).then(|| text));
    }
    m.int("now", e.now());
}

fn build(m: &mut Object, text: &str) {
    m.string("text", text);
    m.int("min", i64::MIN);
    m.int("max", i64::MAX);
    m.int("zero", 0);
    m.bool("yes", true);
    m.bool("no", false);
    m.null("nothing");
    m.object("object");
    m.array("array");
    {
        let mut nested = m.object("nested");
        {
            let mut list = nested.array("list");
            list.int(1);
            list.string("two");
            list.bool(true);
            list.null();
            list.array().int(3);
            list.object().int("four", 4);
        }
        nested.string("after", text);
    }
    m.int(text, 5);
}

fn store(m: &mut Object, e: &Event) {
    let [what, key, text] = [DO, KEY, TEXT].map(|f| e.get(f).text().unwrap_or(""));
    let seconds = e.get(SECONDS).int().unwrap_or(0) as u32;
    let found = e.kv_get(key);
    let version = found.map_or(0, |f| f.version);
    match what {
        "set" => m.bool("done", e.kv_set(key, text, seconds)),
        "create" => m.bool("done", e.kv_swap(key, text, seconds, 0)),
        "swap" => m.bool("done", e.kv_swap(key, text, seconds, version)),
        "stale" => {
            e.kv_set(key, text, seconds);
            m.bool("done", e.kv_swap(key, text, seconds, version));
        }
        "get" => {
            m.bool("found", found.is_some());
            string_or_null(m, "text", found.map(|f| f.text()));
        }
        "length" => m.int("bytes", found.map_or(0, |f| f.value.len()) as i64),
        "delete" => m.bool("done", e.kv_delete(key)),
        _ => (),
    }
}

fn emit(e: &Event) {
    let mut m = e.object();
    m.int("n", 1);
    e.emit(hr::project(e.project(), "first"), "k1", &m);
    let mut m = e.object();
    m.int("n", 2);
    e.emit(hr::user(e.user(), "second"), "", &m);
    e.emit_removed(hr::admin("third"), "k3", &e.object());
}

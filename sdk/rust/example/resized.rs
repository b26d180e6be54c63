//! The plugin resized tells a project that one of its volumes has another size,
//! and since when it had the one before, if that was within a day.
#![no_std]

#[path = "../hr.rs"]
mod hr;

use core::sync::atomic::{AtomicI64, Ordering};
use hr::{Event, Kind, Value};

hr::filter! {
    on: ["volume.resize.end"],
    want: {
        VOLUME = "/payload/volume_id",
        NAME = "/payload/display_name",
        SIZE = "/payload/size",
    },
    start: start,
    handle: handle,
}
hr::on_panic!();

/// From how many gigabytes on anybody is told.
static LEAST: AtomicI64 = AtomicI64::new(0);

fn start(config: Value) -> Result<(), &str> {
    let least = config.member("least");
    match least.int() {
        Some(n) if n >= 0 => LEAST.store(n, Ordering::Relaxed),
        _ if least.kind() == Kind::Absent => (),
        _ => return Err("config least: a number of gigabytes, 0 or more"),
    }
    Ok(())
}

fn handle(e: &Event) {
    let volume = e.get(VOLUME).text().unwrap_or("");
    let size = match e.get(SIZE).int() {
        Some(size) if size >= LEAST.load(Ordering::Relaxed) => size,
        _ => return,
    };
    let before = e.kv_get(volume);
    e.kv_set(volume, e.time(), 24 * 60 * 60);

    let mut m = e.object();
    m.string("volume", volume);
    m.value("name", e.get(NAME));
    m.int("gigabytes", size);
    if let Some(before) = before {
        m.string("before", before.text());
    }
    e.emit(hr::project(e.project(), "sizes"), volume, &m);
}

// A filter with `std`, whose allocator grows the memory in turns with the one of
// hr.rs: neither may write over what is the other's.
#[path = "../../../../sdk/rust/hr.rs"]
mod hr;

hr::filter! { on: ["volume.resize.end"], want: {}, handle: handle }

fn handle(e: &hr::Event) {
    let mut own: Vec<Vec<u8>> = Vec::new();
    let mut lent: Vec<&str> = Vec::new();
    for i in 0..20 {
        own.push(vec![i as u8; 50_000]);
        let part = "abcdefghij".repeat(3_000 + i);
        lent.push(e.concat(&[&part, &part]));
    }
    let mut m = e.object();
    m.bool("own", own.iter().enumerate().all(|(i, v)| v.iter().all(|b| *b == i as u8)));
    m.bool("lent", lent.iter().enumerate().all(|(i, s)| **s == "abcdefghij".repeat(2 * (3_000 + i))));
    e.emit(hr::project(e.project(), "x"), "", &m);
}

;; Logs its scratch block in hexadecimal, 16 bytes a line, and says nothing else.
(module
  (import "hr" "subscribe" (func $subscribe (param i32 i32)))
  (import "hr" "log" (func $log (param i32 i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "on volume.resize.end\nwant /payload/volume_id\nwant /payload/size\n")
  (data (i32.const 96) "0123456789abcdef")
  (func (export "hr_abi_1"))
  (func (export "hr_init") (result i64)
    (call $subscribe (i32.const 16) (i32.const 64))
    (i64.const 0x40000000400)) ;; 1024 bytes at 1024
  (func (export "hr_event") (result i64)
    (local $at i32) (local $to i32) (local $end i32)
    (local.set $at (i32.const 1024))
    (local.set $end (i32.add (i32.const 1024) (i32.load (i32.const 1028))))
    (loop $line
      (local.set $to (i32.const 128))
      (loop $byte
        (if (i32.lt_u (local.get $at) (local.get $end)) (then
          (i32.store8 (local.get $to)
            (i32.load8_u offset=96 (i32.shr_u (i32.load8_u (local.get $at)) (i32.const 4))))
          (i32.store8 offset=1 (local.get $to)
            (i32.load8_u offset=96 (i32.and (i32.load8_u (local.get $at)) (i32.const 15))))
          (local.set $to (i32.add (local.get $to) (i32.const 2)))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br_if $byte (i32.lt_u (local.get $to) (i32.const 160))))))
      (call $log (i32.const 1) (i32.const 128) (i32.sub (local.get $to) (i32.const 128)))
      (br_if $line (i32.lt_u (local.get $at) (local.get $end))))
    (i64.const 0)))

(module
  (import "hr" "subscribe" (func $subscribe (param i32 i32)))
  (memory (export "memory") 250)
  (data (i32.const 0) "on compute.*\0a")
  (func (export "hr_abi_1"))
  (func (export "hr_init") (result i64)
    (call $subscribe (i32.const 0) (i32.const 13))
    (i64.const 0x0000400000004000) ;; scratch: 16 KiB from 16 KiB on
  )
  (func (export "hr_event") (result i64) (local $r i32) (local $x i64)
    (loop $again
      (local.set $r (i32.add (i32.mul (local.get $r) (i32.const 1664525)) (i32.const 1013904223)))
      (local.set $x (i64.add (local.get $x) (i64.load offset=4194304 (i32.and (i32.shr_u (local.get $r) (i32.const 4)) (i32.const 0x7fffff)))))
      (br $again))
    (i64.const 0)))

(module
  (import "hr" "subscribe" (func $subscribe (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "on compute.*\0a")
  (func (export "hr_abi_1"))
  (func (export "hr_init") (result i64)
    (call $subscribe (i32.const 0) (i32.const 13))
    (i64.const 0x0000400000004000) ;; scratch: 16 KiB from 16 KiB on
  )
  (func (export "hr_event") (result i64) (local $r i32) (local $x i32)
    (loop $again
      (local.set $r (i32.add (i32.mul (local.get $r) (i32.const 1664525)) (i32.const 1013904223)))
      (block (block (block (block (block (block (block (block
        (br_table 0 1 2 3 4 5 6 7 (i32.and (i32.shr_u (local.get $r) (i32.const 13)) (i32.const 7))))
        (local.set $x (i32.xor (local.get $x) (i32.const 0))))
        (local.set $x (i32.xor (local.get $x) (i32.const 1))))
        (local.set $x (i32.xor (local.get $x) (i32.const 2))))
        (local.set $x (i32.xor (local.get $x) (i32.const 3))))
        (local.set $x (i32.xor (local.get $x) (i32.const 4))))
        (local.set $x (i32.xor (local.get $x) (i32.const 5))))
        (local.set $x (i32.xor (local.get $x) (i32.const 6))))
        (local.set $x (i32.xor (local.get $x) (i32.const 7)))
      (br $again))
    (i64.const 0)))

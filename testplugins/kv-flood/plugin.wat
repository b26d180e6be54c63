(module
  (import "hr" "subscribe" (func $subscribe (param i32 i32)))
  (import "hr" "kv_set" (func $set (param i32 i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "on compute.*\0a")
  (func (export "hr_abi_1"))
  (func (export "hr_init") (result i64)
    (call $subscribe (i32.const 0) (i32.const 13))
    (i64.const 0x0000400000004000) ;; scratch: 16 KiB from 16 KiB on
  )
  (func (export "hr_event") (result i64)
    (local $n i32)
    (loop $again
      (i32.store (i32.const 1024) (local.get $n))
      (drop (call $set (i32.const 1024) (i32.const 4) (i32.const 0) (i32.const 1000) (i32.const 0) (i32.const -1)))
      (br_if $again (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 100000))))
    (i64.const 0)))

(module
  (import "hr" "subscribe" (func $subscribe (param i32 i32)))
  (import "hr" "field" (func $field (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "on compute.*\0a")
  (func (export "hr_abi_1"))
  (func (export "hr_init") (result i64)
    (call $subscribe (i32.const 0) (i32.const 13))
    (i64.const 0x0000400000004000) ;; scratch: 16 KiB from 16 KiB on
  )
  (func (export "hr_event") (result i64) (local $i i32)
    (local.set $i (i32.const 990))
    (loop $again
      (drop (call $field (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))
      (br_if $again (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
    (i64.const 0)))

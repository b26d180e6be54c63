(module
  (import "hr" "subscribe" (func $subscribe (param i32 i32)))
  (memory (export "memory") 2)
  (data (i32.const 0) "on compute.*\0a")
  (func (export "hr_abi_1"))
  (func (export "hr_init") (result i64)
    (call $subscribe (i32.const 0) (i32.const 13))
    (i64.const 0x0000400000004000) ;; scratch: 16 KiB from 16 KiB on
  )
  (func (export "hr_event") (result i64) (local $at i32)
    (drop (memory.grow (i32.sub (i32.const 256) (memory.size))))
    (loop $again
      (i32.store (local.get $at) (i32.const 7))
      (br_if $again (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 4096))) (i32.const 16777216))))
    (i64.const 0)))

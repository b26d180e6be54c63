(module
  (import "hr" "subscribe" (func $subscribe (param i32 i32)))
  (memory (export "memory") 3)
  (data (i32.const 0) "on compute.*\0a")
  (func (export "hr_abi_1"))
  (func (export "hr_init") (result i64)
    (call $subscribe (i32.const 0) (i32.const 13))
    (i64.const 0x0000400000004000) ;; scratch: 16 KiB from 16 KiB on
  )
  (func (export "hr_event") (result i64)
    (loop $again
      (memory.copy (i32.const 65537) (i32.const 65539) (i32.const 4097))
      (memory.copy (i32.const 65543) (i32.const 65537) (i32.const 63))
      (memory.fill (i32.const 65541) (i32.const 3) (i32.const 1021))
      (br $again))
    (i64.const 0)))

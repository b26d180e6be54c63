(module
  (import "hr" "subscribe" (func $subscribe (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "on compute.*\0a")
  (data (i32.const 2048) "\01\00\00\00\14\00\00\00\0b\00\00\00\00\00\00\00public/said0")
  (func (export "hr_abi_1"))
  (func (export "hr_init") (result i64)
    (call $subscribe (i32.const 0) (i32.const 13))
    (i64.const 0x0000400000004000) ;; scratch: 16 KiB from 16 KiB on
  )
  (func (export "hr_event") (result i64)
    (i32.store8 (i32.const 2075) (i32.add (i32.const 48) (i32.and (memory.size) (i32.const 7))))
    (drop (memory.grow (i32.const 1)))
    (i64.const 0x000008000000001c) ;; 28 bytes from 2048 on
  ))

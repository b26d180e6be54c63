(module
  (import "hr" "subscribe" (func $subscribe (param i32 i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 18)
  (data (i32.const 0) "on compute.*\0a")
  (data (i32.const 1024) "\00\00\01\00\00\00\10\00")
  (func (export "hr_abi_1"))
  (func (export "hr_init") (result i64)
    (call $subscribe (i32.const 0) (i32.const 13))
    (i64.const 0x0000400000004000) ;; scratch: 16 KiB from 16 KiB on
  )
  (func (export "hr_event") (result i64)
    (loop $again
      (drop (call $write (i32.const 1) (i32.const 1024) (i32.const 1) (i32.const 1040)))
      (br $again))
    (i64.const 0)))

(module
  (import "hr" "subscribe" (func $subscribe (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "on compute.*\0a")
  (table $t 1024 funcref)
  (table $u 1024 funcref)
  (func (export "hr_abi_1"))
  (func (export "hr_init") (result i64)
    (call $subscribe (i32.const 0) (i32.const 13))
    (i64.const 0x0000400000004000) ;; scratch: 16 KiB from 16 KiB on
  )
  (func (export "hr_event") (result i64)
    (loop $again
      (table.set $t (i32.const 3) (table.get $t (i32.const 4)))
      (table.fill $t (i32.const 0) (ref.null func) (i32.const 1021))
      (table.copy $t $u (i32.const 1) (i32.const 3) (i32.const 1019))
      (br $again))
    (i64.const 0)))

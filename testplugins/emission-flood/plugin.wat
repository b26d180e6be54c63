(module
  (import "hr" "subscribe" (func $subscribe (param i32 i32)))
  (memory (export "memory") 32)
  (data (i32.const 0) "on compute.*\0a")
  (data (i32.const 32768) "\01\00\00\00\11\00\00\00\08\00\00\00\00\00\00\00public/a1")
  (func (export "hr_abi_1"))
  (func (export "hr_init") (result i64)
    (call $subscribe (i32.const 0) (i32.const 13))
    (i64.const 0x0000400000004000) ;; scratch: 16 KiB from 16 KiB on
  )
  (func (export "hr_event") (result i64)
    (local $at i32)
    (local.set $at (i32.const 32768))
    (loop $next
      (memory.copy (i32.add (local.get $at) (i32.const 25)) (local.get $at) (i32.const 25))
      (local.set $at (i32.add (local.get $at) (i32.const 25)))
      (br_if $next (i32.lt_u (local.get $at) (i32.const 1671168))))
    (i64.const 0x000080000003fff7) ;; 262135 bytes: 10485 of them fit into a block
  ))

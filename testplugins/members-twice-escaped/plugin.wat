(module
  (import "hr" "subscribe" (func $subscribe (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "on compute.*\0a")
  (data (i32.const 32768) "\01\00\00\00>\00\00\00\1c\00\00\00\00\00\00\00public/members-twice-escaped{\22a\22:{\22id\22:1,\22\5cu0069d\22:2}}")
  (func (export "hr_abi_1"))
  (func (export "hr_init") (result i64)
    (call $subscribe (i32.const 0) (i32.const 13))
    (i64.const 0x0000400000004000) ;; scratch: 16 KiB from 16 KiB on
  )
  (func (export "hr_event") (result i64)
    (i64.const 0x0000800000000046) ;; 70 bytes from 32768 on
  ))

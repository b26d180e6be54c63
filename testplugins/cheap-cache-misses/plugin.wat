(module
  (import "hr" "subscribe" (func $subscribe (param i32 i32)))
  (memory (export "memory") 250)
  (data (i32.const 0) "on compute.*\0a")
  (global $at (mut i32) (i32.const 0))
  (func (export "hr_abi_1"))
  (func (export "hr_init") (result i64) (local $i i32)
    (loop $next
      (i32.store offset=4194304 (i32.shl (local.get $i) (i32.const 6))
        (i32.shl (i32.and (i32.add (i32.mul (local.get $i) (i32.const 24589)) (i32.const 12289)) (i32.const 131071)) (i32.const 6)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (i32.const 131072))))
    (call $subscribe (i32.const 0) (i32.const 13))
    (i64.const 0x0000400000004000) ;; scratch: 16 KiB from 16 KiB on
  )
  (func (export "hr_event") (result i64) (local $i i32) (local $at i32)
    (local.set $i (i32.const 3000))
    (local.set $at (global.get $at))
    (loop $again
      (local.set $at (i32.load offset=4194304 (i32.load offset=4194304 (i32.load offset=4194304 (i32.load offset=4194304 (i32.load offset=4194304 (i32.load offset=4194304 (i32.load offset=4194304 (i32.load offset=4194304 (i32.load offset=4194304 (i32.load offset=4194304 (i32.load offset=4194304 (i32.load offset=4194304 (i32.load offset=4194304 (i32.load offset=4194304 (i32.load offset=4194304 (i32.load offset=4194304 (local.get $at))))))))))))))))))
      (br_if $again (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
    (global.set $at (local.get $at))
    (i64.const 0)))

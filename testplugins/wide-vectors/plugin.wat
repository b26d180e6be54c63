(module
  (import "hr" "subscribe" (func $subscribe (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "on compute.*\0a")
  (func (export "hr_abi_1"))
  (func (export "hr_init") (result i64)
    (call $subscribe (i32.const 0) (i32.const 13))
    (i64.const 0x0000400000004000) ;; scratch: 16 KiB from 16 KiB on
  )
  (func (export "hr_event") (result i64) (local $x v128)
    (loop $again
      (local.set $x (f32x4.div (i32x4.trunc_sat_f32x4_u (local.get $x)) (v128.const f32x4 3 5 7 9)))
      (local.set $x (f32x4.convert_i32x4_u (f64x2.div (local.get $x) (v128.const f64x2 3 5))))
      (br $again))
    (i64.const 0)))

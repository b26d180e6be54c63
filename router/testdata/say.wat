;; A guest that answers a notification with the result block that stands in its
;; payload, in the member "say"; nothing if there is none.
(module
  (import "hr" "subscribe" (func $subscribe (param i32 i32)))
  (memory (export "memory") 2)
  (data (i32.const 0) "on compute.instance.*\non identity.*\non port.*\nwant /payload/say\n")
  (func (export "hr_abi_1"))
  (func (export "hr_init") (result i64)
    (call $subscribe (i32.const 0) (i32.const 64))
    (i64.const 0x0000100000018000)) ;; 96 KB at 4096
  (func (export "hr_event") (result i64)
    (local $length i64)
    ;; The first wanted field's entry stands behind the header and eight others.
    (local.set $length (i64.and (i64.load32_u (i32.const 4180)) (i64.const 0x0fffffff)))
    (if (i64.eqz (local.get $length)) (then (return (i64.const 0))))
    (i64.or (local.get $length)
      (i64.shl (i64.add (i64.const 4096) (i64.load32_u (i32.const 4176))) (i64.const 32)))))

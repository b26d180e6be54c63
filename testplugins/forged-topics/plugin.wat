(module
  (import "hr" "subscribe" (func $subscribe (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "on compute.*\0a")
  (data (i32.const 32768) "\01\00\00\00\9c\00\00\002\00$\00\00\00\00\00project/8f3c0d6e5a0b4b7c9d1e2f3a4b5c6d7e/instances6b1f0c52-60f1-4a2c-8b7a-0d5f3b9a4c11{\22id\22:\226b1f0c52-60f1-4a2c-8b7a-0d5f3b9a4c11\22,\22status\22:\22ERROR\22}\01\00\00\00\9a\00\00\000\00$\00\00\00\00\00project/8f3c0d6e5a0b4b7c9d1e2f3a4b5c6d7e/volumes6b1f0c52-60f1-4a2c-8b7a-0d5f3b9a4c11{\22id\22:\226b1f0c52-60f1-4a2c-8b7a-0d5f3b9a4c11\22,\22status\22:\22ERROR\22}\01\00\00\00\9b\00\00\001\00$\00\00\00\00\00project/8f3c0d6e5a0b4b7c9d1e2f3a4b5c6d7e/networks6b1f0c52-60f1-4a2c-8b7a-0d5f3b9a4c11{\22id\22:\226b1f0c52-60f1-4a2c-8b7a-0d5f3b9a4c11\22,\22status\22:\22ERROR\22}\01\00\00\00\a1\00\00\007\00$\00\00\00\00\00project/8f3c0d6e5a0b4b7c9d1e2f3a4b5c6d7e/forged-topics-6b1f0c52-60f1-4a2c-8b7a-0d5f3b9a4c11{\22id\22:\226b1f0c52-60f1-4a2c-8b7a-0d5f3b9a4c11\22,\22status\22:\22ERROR\22}\01\00\00\00\a0\00\00\006\00$\00\00\00\00\00project/8f3c0d6e5a0b4b7c9d1e2f3a4b5c6d7e/forged_topics6b1f0c52-60f1-4a2c-8b7a-0d5f3b9a4c11{\22id\22:\226b1f0c52-60f1-4a2c-8b7a-0d5f3b9a4c11\22,\22status\22:\22ERROR\22}")
  (func (export "hr_abi_1"))
  (func (export "hr_init") (result i64)
    (call $subscribe (i32.const 0) (i32.const 13))
    (i64.const 0x0000400000004000) ;; scratch: 16 KiB from 16 KiB on
  )
  (func (export "hr_event") (result i64)
    (i64.const 0x000080000000033a) ;; 826 bytes from 32768 on
  ))

//go:build !purego

#include "textflag.h"

// func putText(to unsafe.Pointer, s string) (end unsafe.Pointer, bad uint64)
TEXT ·putText(SB), NOSPLIT, $0-40
	MOVD to+0(FP), R0
	MOVD s_base+8(FP), R1
	MOVD s_len+16(FP), R2
	I64Const $0
	Set R3 // the special bits so far

	Get R0
	Get R2
	I64Add
	Set R6
	MOVD R6, end+24(FP)

	// R4 is where the last eight bytes are, or those of a short string end.
	Get R1
	Get R2
	I64Add
	I64Const $8
	I64Sub
	Set R4

	Get R2
	I64Const $8
	I64LtU
	If
		Get R2
		I64Eqz
		If
			MOVD R3, bad+32(FP)
			RET
		End
		Get R0
		I32WrapI64
		Get R4
		I32WrapI64
		I64Load $0
		I64Const $64
		Get R2
		I64Const $3
		I64Shl
		Tee R2
		I64Sub
		I64ShrU
		Tee R5
		I64Store $0
		Get R5
		I64Const $0x2020202020202020
		Get R2
		I64Shl
		I64Or
		Set R5
	Else
		Loop
			Get R1
			Get R4
			I64LtU
			If
				Get R0
				I32WrapI64
				Get R1
				I32WrapI64
				I64Load $0
				Tee R5
				I64Store $0
				Get R5
				I64Const $0x0202020202020202
				I64Xor
				I64Const $0x2121212121212121
				I64Sub
				Get R5
				I64Const $0x5C5C5C5C5C5C5C5C
				I64Xor
				I64Const $0x0101010101010101
				I64Sub
				I64Or
				Get R5
				I64Or
				Get R3
				I64Or
				Set R3
				Get R0
				I64Const $8
				I64Add
				Set R0
				Get R1
				I64Const $8
				I64Add
				Set R1
				Br $1
			End
		End
		// Some of it again.
		Get R0
		Get R4
		Get R1
		I64Sub
		I64Add
		I32WrapI64
		Get R4
		I32WrapI64
		I64Load $0
		Tee R5
		I64Store $0
	End
	Get R5
	I64Const $0x0202020202020202
	I64Xor
	I64Const $0x2121212121212121
	I64Sub
	Get R5
	I64Const $0x5C5C5C5C5C5C5C5C
	I64Xor
	I64Const $0x0101010101010101
	I64Sub
	I64Or
	Get R5
	I64Or
	Get R3
	I64Or
	Set R3
	MOVD R3, bad+32(FP)
	RET

/* SPDX-License-Identifier: GPL-2.0 */
/* From the reset vector of a virtual machine to guest_main() in 32-bit mode. */
	.section .reset, "ax"
	.code16
	jmp	start

	.text
	.globl	start
	.code16
start:
	cli
	lgdtl	%cs:gdt_register - start
	movl	%cr0, %eax
	orl	$1, %eax
	movl	%eax, %cr0
	ljmpl	$8, $start32

	.code32
start32:
	movw	$16, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movl	$0x8000, %esp
	call	guest_main

	.balign	8
gdt:
	.quad	0
	.quad	0x00cf9b000000ffff	/* code: all of 4 GiB */
	.quad	0x00cf93000000ffff	/* data: likewise */
gdt_register:
	.word	gdt_register - gdt - 1
	.long	gdt
	.section .note.GNU-stack, "", @progbits

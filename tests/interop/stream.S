/* SPDX-License-Identifier: MIT */
/* A machine whose guest encodes its own screen: a boot sector that waits until a client wants video (the server writes to
 * its second serial port), then sends what lies behind it on the disk through that port: so many sectors once, the
 * opening, and so many that follow again and again. */
    .code16
    .globl _start
_start:
    cli
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw $0x7c00, %sp
    sti
    cld
    movb %dl, drive

    movw $10, %cx /* more than the server's 9 bytes of capabilities: it says which codecs it wants */
listen:
    movw $0x2fd, %dx
    inb %dx, %al
    testb $1, %al
    jz listen
    movw $0x2f8, %dx
    inb %dx, %al
    loop listen

    movl $1, sector
    movw opening, %cx
    call send
again:
    movzwl opening, %eax
    incl %eax
    movl %eax, sector
    movw repeated, %cx
    call send
    jmp again

send: /* %cx sectors */
    pushw %cx
    movb $0x42, %ah
    movb drive, %dl
    movw $packet, %si
    int $0x13
    movw $0x8000, %si
    movw $512, %cx
byte:
    movw $0x2fd, %dx
busy:
    inb %dx, %al
    testb $0x20, %al
    jz busy
    movw $0x2f8, %dx
    lodsb
    outb %al, %dx
    loop byte
    movw 0x46c, %ax /* the firmware's clock, 18 times a second: a film, not a flood */
tick:
    cmpw %ax, 0x46c
    je tick
    incl sector
    popw %cx
    loop send
    ret

drive:
    .byte 0
    .balign 4
packet: /* read one sector to 0:8000 */
    .byte 16, 0
    .word 1, 0x8000, 0
sector:
    .long 0, 0

    .org 506 /* written by the test: sectors of the opening, and of what follows */
opening:
    .word 0
repeated:
    .word 0
    .word 0xaa55

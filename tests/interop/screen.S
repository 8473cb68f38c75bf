/* SPDX-License-Identifier: MIT */
/* A machine without an operating system: a boot sector that paints a screen of coloured characters, which stays still
 * (the cursor is hidden), and then shows the keys that are pressed; with T it whistles. Tests that need a picture or a keyboard but no desktop
 * boot it in two seconds. */
    .code16
    .globl _start
_start:
    cli
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %ss
    movw $0x7c00, %sp
    sti
    cld
    movw $0x0003, %ax /* video mode 3: 80 x 25 characters */
    int $0x10
    movw $0x0100, %ax /* cursor shape: none */
    movw $0x2607, %cx
    int $0x10

    movw $0xb800, %ax /* ten rows with every colour but the blinking ones */
    movw %ax, %es
    xorw %di, %di
    movw $800, %cx
    movw $0x0020, %ax
paint:
    stosw
    incb %al
    addb $0x0b, %ah
    andb $0x7f, %ah
    cmpb $0x7e, %al
    jbe painted
    movb $0x20, %al
painted:
    loop paint

    movw $0x0200, %ax /* the cursor's place: row 12 */
    xorw %bx, %bx
    movw $0x0c00, %dx
    int $0x10
    movw $greeting, %si
greet:
    lodsb
    testb %al, %al
    jz key
    call put
    jmp greet

key:
    xorw %ax, %ax /* wait for a key, without using the processor */
    int $0x16
    testb %al, %al
    jz key
    call put
    cmpb $'T', %al
    je tone
    cmpb $13, %al
    jne key
    movb $10, %al
    call put
    jmp key

tone: /* the key T: the speaker whistles from now on, at 1193182 / 2712 = 440 Hz */
    movb $0xb6, %al
    outb %al, $0x43
    movw $2712, %ax
    outb %al, $0x42
    movb %ah, %al
    outb %al, $0x42
    inb $0x61, %al
    orb $3, %al
    outb %al, $0x61
    jmp key

put:
    movb $0x0e, %ah
    movw $0x0007, %bx
    int $0x10
    ret

greeting:
    .asciz "Sumac test screen. Keys: "

    .org 510
    .word 0xaa55

/* SPDX-License-Identifier: MIT */
/*
 * A graphics card that is none: a driver for libva (va_card.c), so that the way through VA-API, and
 * above all back from it, runs where no card is. It computes no pictures: what it "decodes" is one
 * grey that counts up, what it "encodes" a few fixed bytes. libva loads it for any character device
 * with LIBVA_DRIVER_NAME=sumactest and LIBVA_DRIVERS_PATH where it is built, in programs that are
 * linked with it or have it in LD_PRELOAD: it also says that such a device is a card's.
 */
#ifndef SM_TESTS_SUPPORT_VA_CARD_H
#define SM_TESTS_SUPPORT_VA_CARD_H

#include <stdbool.h>
#include <stdint.h>

/** What is asked of a card, one after the other. */
enum va_card_step {
    VA_CARD_PROFILES, /* none is known */
    VA_CARD_CONFIG,
    VA_CARD_SURFACES,
    VA_CARD_CONTEXT,
    VA_CARD_BUFFER,
    VA_CARD_BEGIN,
    VA_CARD_RENDER,
    VA_CARD_END,
    VA_CARD_SYNC,
    VA_CARD_IMAGE,
    VA_CARD_GET_IMAGE,
    VA_CARD_PUT_IMAGE,
    VA_CARD_MAP,
    VA_CARD_STEPS,
};

/** The driver's only card. Thread: one at a time. */
struct va_card {
    bool fails;             /* `step` does, from its call number `from` on (0: the next one) */
    enum va_card_step step; /* … */
    unsigned from;          /* … */
    bool is_gone;           /* every step fails */
    bool once;              /* … and then works again */
    unsigned calls[VA_CARD_STEPS];
    unsigned opened, closed; /* how often */
    unsigned pictures;       /* decoded, or encoded */
    unsigned objects;        /* that are not destroyed yet */
};

extern struct va_card va_card;

enum { VA_CARD_GREYS = 200, VA_CARD_FIRST_GREY = 20 };

/** The luma of the picture decoded as number `n`, from 0. */
static inline uint8_t va_card_grey(unsigned n)
{
    return (uint8_t)(VA_CARD_FIRST_GREY + n % VA_CARD_GREYS);
}

/** How each "encoded" picture begins. */
static const uint8_t VA_CARD_CODED[] = {0, 0, 0, 1, 9, 0xf0, 0xca, 0xfe};

#endif

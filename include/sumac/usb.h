/* SPDX-License-Identifier: MIT */
/*
 * USB devices of this computer, and images of CDs, given to the machine. Each needs a USB channel
 * of the machine to itself; their number is the host's choice. Channels are opened if
 * sm_session_set_channels() has SM_CHANNEL_KIND_USBREDIR. Nothing here waits: SM_EVENT_USB says
 * that the list, or something in it, has changed.
 */
#ifndef SUMAC_USB_H
#define SUMAC_USB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sumac/error.h"
#include "sumac/session.h"
#include "sumac/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { SM_USB_TEXT_SIZE = 256 /* bytes with the NUL; what is longer is cut */ };

enum sm_usb_state {
    SM_USB_FREE = 0,       /* this computer has it */
    SM_USB_CONNECTING = 1, /* on its way to the machine */
    SM_USB_REDIRECTED = 2, /* the machine has it */
    SM_USB_LEAVING = 3,    /* on its way back */
};

/** A device, or a CD. */
struct sm_usb_device {
    uint32_t id; /* stays the same while it is there, and is not used again */
    bool is_cd;  /* an image that was added with sm_session_add_cd() */
    uint8_t bus, address;
    uint16_t vendor, product;
    char name[SM_USB_TEXT_SIZE]; /* for people: maker, product, numbers, place; or the file */
    enum sm_usb_state state;
    bool can_redirect; /* it is free and could be given to the machine now */
    /** Why it cannot be redirected, or why the last try failed, for people; else empty. */
    char reason[SM_USB_TEXT_SIZE];
    /** What to do about it; may be empty. */
    char cure[2 * SM_USB_TEXT_SIZE];
};

/** What there is to work with. */
struct sm_usb_info {
    bool has_devices;       /* this build, and this system, know physical devices */
    uint32_t channels;      /* USB channels of the machine that are open */
    uint32_t free_channels; /* of these, without a device */
};

SM_API void sm_session_get_usb_info(struct sm_session *session, struct sm_usb_info *info);

/**
 * Starts to look for physical devices, now and whenever one is plugged. Without this there are CDs
 * only. May be called before the session is connected, and again.
 *
 * @param error  receives words for people; may be NULL
 * @return SM_OK; SM_ERR_STATE if this build or this system has no USB; SM_ERR_NOMEM
 */
SM_API SM_NODISCARD enum sm_status sm_session_watch_usb(struct sm_session *session,
                                                        struct sm_error *error);

/**
 * The devices, in the order they were found. Hubs are left out.
 *
 * @param out  receives at most `room`; may be NULL if `room` is 0
 * @return how many there are, which may be more than `room`
 */
SM_API size_t sm_session_get_usb_devices(struct sm_session *session, struct sm_usb_device *out,
                                         size_t room);

/**
 * Gives device `id` to the machine. Its state says what becomes of it, its reason why not.
 *
 * @param error  receives words for people; may be NULL
 * @return SM_OK if it is on its way; SM_ERR_STATE if it cannot be: see `error`
 */
SM_API SM_NODISCARD enum sm_status sm_session_redirect_usb(struct sm_session *session, uint32_t id,
                                                           struct sm_error *error);

/** Takes device `id` back; for the machine it is unplugged. A CD stays in the list. */
SM_API void sm_session_release_usb(struct sm_session *session, uint32_t id);

/**
 * Offers the image of a CD or DVD (or a disc's device) to the machine, read-only, as a CD drive on
 * USB. It is plugged in as soon as a channel is free, again after a reconnection, and until the
 * machine ejects it or it is released.
 *
 * @param id     receives its number; may be NULL
 * @param error  receives words for people; may be NULL
 * @return SM_OK; SM_ERR_IO if the file cannot be read or is empty; SM_ERR_LIMIT if there are too
 *         many devices; SM_ERR_NOMEM
 */
SM_API SM_NODISCARD enum sm_status sm_session_add_cd(struct sm_session *session, const char *path,
                                                     uint32_t *id, struct sm_error *error);

/** Takes the CD back and out of the list. */
SM_API void sm_session_remove_cd(struct sm_session *session, uint32_t id);

/**
 * Rules about which physical devices are redirected without being asked for: once when the machine
 * has been reached, and whenever one is plugged in while sm_session_set_usb_auto() says so. Rules
 * are `class,vendor,product,version,allow` joined by `|`, numbers as in C, -1 for any; the first
 * that matches a device or one of its interfaces decides, and without a match the device is left.
 *
 * @param on_connect  NULL: none
 * @param on_plug     NULL: the default, all but keyboards, mice and the like:
 *                    "0x03,-1,-1,-1,0|-1,-1,-1,-1,1"
 * @param error       receives words for people; may be NULL
 * @return SM_OK; SM_ERR_PROTOCOL if rules make no sense; SM_ERR_NOMEM
 */
SM_API SM_NODISCARD enum sm_status sm_session_set_usb_rules(struct sm_session *session,
                                                            const char *on_connect,
                                                            const char *on_plug,
                                                            struct sm_error *error);

/** Whether devices plugged in from now on go to the machine: while its window has the focus. False
 * at first. */
SM_API void sm_session_set_usb_auto(struct sm_session *session, bool is_wanted);

#ifdef __cplusplus
}
#endif

#endif

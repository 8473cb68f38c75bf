/* SPDX-License-Identifier: MIT */
#include "client/usb/manager.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/error.h"
#include "client/session_private.h"
#include "client/usb/cd_drive.h"

static const char DEFAULT_ON_PLUG[] = "0x03,-1,-1,-1,0|-1,-1,-1,-1,1";

/* ---- Making ---- */

static struct sm_bytes text_bytes(const char *text)
{
    return (struct sm_bytes){.data = (const uint8_t *)text, .size = strlen(text)};
}

enum sm_status sm_client_usb_init(struct sm_client_usb *usb, struct sm_session *session)
{
    enum sm_status status = sm_usb_filter_parse(&usb->on_plug, text_bytes(DEFAULT_ON_PLUG));
    if (status != SM_OK)
        return status;
    usb->session = session;
    pthread_mutex_init(&usb->lock, NULL);
    return SM_OK;
}

void sm_client_usb_finish(struct sm_client_usb *usb)
{
    sm_usb_watch_destroy(usb->watch);
    for (size_t i = 0; i < usb->count; i++)
        if (usb->entries[i].fd >= 0)
            close(usb->entries[i].fd);
    sm_usb_filter_finish(&usb->on_connect);
    sm_usb_filter_finish(&usb->on_plug);
    pthread_mutex_destroy(&usb->lock);
}

static void tell(struct sm_client_usb *usb)
{
    sm_events_put(&usb->session->events, &(struct sm_event){.kind = SM_EVENT_USB});
}

/* ---- With the lock held ---- */

static struct sm_usb_entry *find(struct sm_client_usb *usb, uint32_t id)
{
    for (size_t i = 0; i < usb->count; i++)
        if (usb->entries[i].shown.id == id)
            return &usb->entries[i];
    return NULL;
}

static struct sm_usb_slot *slot_of(struct sm_client_usb *usb,
                                   const struct sm_client_channel *channel)
{
    for (size_t i = 0; i < SM_USB_CHANNELS_MAX; i++)
        if (usb->slots[i].channel == channel)
            return &usb->slots[i];
    return NULL;
}

static struct sm_usb_slot *slot_with(struct sm_client_usb *usb, uint32_t device)
{
    for (size_t i = 0; i < SM_USB_CHANNELS_MAX; i++)
        if (usb->slots[i].channel && usb->slots[i].device == device)
            return &usb->slots[i];
    return NULL;
}

static void forget(struct sm_client_usb *usb, struct sm_usb_entry *entry)
{
    if (entry->fd >= 0)
        close(entry->fd);
    size_t at = (size_t)(entry - usb->entries);
    usb->count--;
    memmove(entry, entry + 1, (usb->count - at) * sizeof(*entry));
}

static struct sm_usb_entry *add(struct sm_client_usb *usb)
{
    if (usb->count == SM_USB_ENTRIES_MAX)
        return NULL;
    struct sm_usb_entry *entry = &usb->entries[usb->count++];
    *entry = (struct sm_usb_entry){.fd = -1, .shown = {.id = ++usb->last_id}};
    return entry;
}

static void set_why(struct sm_usb_entry *entry, const struct sm_usb_why *why)
{
    entry->shown.reason[0] = entry->shown.cure[0] = 0;
    if (!why)
        return;
    memcpy(entry->shown.reason, why->reason, sizeof(entry->shown.reason));
    memcpy(entry->shown.cure, why->cure, sizeof(entry->shown.cure));
}

/* ---- Devices that want a channel get one ---- */

struct pair {
    struct sm_client_channel *channel;
    uint32_t device;
};

/* With the lock held: the next device and the channel it gets; false if there is none. */
static bool match(struct sm_client_usb *usb, struct pair *pair)
{
    struct sm_usb_slot *slot = slot_with(usb, 0);
    for (size_t i = 0; slot && i < usb->count; i++) {
        struct sm_usb_entry *entry = &usb->entries[i];
        if (!entry->is_wanted || entry->is_removed || entry->shown.state != SM_USB_FREE)
            continue;
        entry->shown.state = SM_USB_CONNECTING;
        entry->is_wanted = false;
        set_why(entry, NULL);
        slot->device = entry->shown.id;
        *pair = (struct pair){.channel = slot->channel, .device = entry->shown.id};
        return true;
    }
    return false;
}

/* With the lock held: the device of a slot is free. */
static void give_back(struct sm_client_usb *usb, struct sm_usb_slot *slot,
                      const struct sm_usb_why *why, bool is_wanted_again)
{
    struct sm_usb_entry *entry = slot->device ? find(usb, slot->device) : NULL;
    slot->device = 0;
    if (!entry)
        return;
    entry->shown.state = SM_USB_FREE;
    entry->is_wanted = is_wanted_again;
    set_why(entry, why);
    if (entry->is_removed)
        forget(usb, entry);
}

/* Without the lock: the channel does not hear of its device, so that has none. */
static void take_back(struct sm_client_usb *usb, const struct pair *pair)
{
    static const struct sm_usb_why why = {.reason = "too much was asked for at once",
                                          .cure = "connect it again"};
    pthread_mutex_lock(&usb->lock);
    struct sm_usb_slot *slot = slot_of(usb, pair->channel);
    if (slot && slot->device == pair->device)
        give_back(usb, slot, &why, false);
    pthread_mutex_unlock(&usb->lock);
}

/* Without the lock. */
static void assign(struct sm_client_usb *usb)
{
    struct pair pair;
    for (;;) {
        pthread_mutex_lock(&usb->lock);
        bool has_pair = match(usb, &pair);
        pthread_mutex_unlock(&usb->lock);
        if (!has_pair)
            break;
        enum sm_status status = sm_client_channel_post(pair.channel, sm_usb_channel_attach,
                                                       &pair.device, sizeof(pair.device));
        /* A channel that is not open is going, and says so itself. */
        if (status != SM_OK && status != SM_ERR_STATE)
            take_back(usb, &pair);
    }
    tell(usb);
}

/* With the lock held. */
static void apply_connect_rules(struct sm_client_usb *usb)
{
    for (size_t i = 0; i < usb->count; i++) {
        struct sm_usb_entry *entry = &usb->entries[i];
        if (entry->is_new && !entry->shown.is_cd && usb->on_connect.count > 0 &&
            sm_usb_filter_allows(&usb->on_connect, &entry->identity, false))
            entry->is_wanted = true;
        entry->is_new = false;
    }
}

/* ---- For channels ---- */

void sm_client_usb_ready(struct sm_client_usb *usb, struct sm_client_channel *channel)
{
    pthread_mutex_lock(&usb->lock);
    struct sm_usb_slot *slot = slot_of(usb, NULL);
    if (slot)
        *slot = (struct sm_usb_slot){.channel = channel};
    usb->was_connected = true;
    apply_connect_rules(usb);
    pthread_mutex_unlock(&usb->lock);
    assign(usb);
}

void sm_client_usb_gone(struct sm_client_usb *usb, struct sm_client_channel *channel)
{
    pthread_mutex_lock(&usb->lock);
    struct sm_usb_slot *slot = slot_of(usb, channel);
    if (slot) {
        const struct sm_usb_entry *entry = slot->device ? find(usb, slot->device) : NULL;
        give_back(usb, slot, NULL, entry && entry->shown.is_cd);
        slot->channel = NULL;
    }
    pthread_mutex_unlock(&usb->lock);
    tell(usb);
}

bool sm_client_usb_grant(struct sm_client_usb *usb, const struct sm_client_channel *channel,
                         uint32_t id, struct sm_usb_grant *grant)
{
    bool is_granted = false;
    pthread_mutex_lock(&usb->lock);
    const struct sm_usb_entry *entry = find(usb, id);
    const struct sm_usb_slot *slot = slot_of(usb, channel);
    if (entry && !entry->is_removed && slot && slot->device == id) {
        *grant = (struct sm_usb_grant){
            .is_cd = entry->shown.is_cd,
            .fd = entry->fd >= 0 ? fcntl(entry->fd, F_DUPFD_CLOEXEC, 0) : -1,
            .bytes = entry->bytes,
            .bus = entry->shown.bus,
            .address = entry->shown.address,
            .identity = entry->identity,
        };
        is_granted = !grant->is_cd || grant->fd >= 0;
    }
    pthread_mutex_unlock(&usb->lock);
    return is_granted;
}

void sm_client_usb_taken(struct sm_client_usb *usb, uint32_t id)
{
    pthread_mutex_lock(&usb->lock);
    struct sm_usb_entry *entry = find(usb, id);
    if (entry && entry->shown.state == SM_USB_CONNECTING)
        entry->shown.state = SM_USB_REDIRECTED;
    pthread_mutex_unlock(&usb->lock);
    tell(usb);
}

void sm_client_usb_returned(struct sm_client_usb *usb, struct sm_client_channel *channel,
                            const struct sm_usb_why *why)
{
    pthread_mutex_lock(&usb->lock);
    struct sm_usb_slot *slot = slot_of(usb, channel);
    if (slot)
        give_back(usb, slot, why, false);
    pthread_mutex_unlock(&usb->lock);
    assign(usb);
}

/* ---- What is plugged in ---- */

static bool is_same(const struct sm_usb_entry *entry, const struct sm_usb_found *found)
{
    return !entry->shown.is_cd && !entry->is_removed && entry->shown.bus == found->bus &&
           entry->shown.address == found->address &&
           entry->identity.vendor == found->identity.vendor &&
           entry->identity.product == found->identity.product;
}

static void name_device(char *out, size_t size, const struct sm_usb_found *found)
{
    (void)snprintf(out, size, "%s%s%s [%04x:%04x] at %u-%u", found->maker[0] ? found->maker : "USB",
                   " ", found->product[0] ? found->product : "device", found->identity.vendor,
                   found->identity.product, (unsigned)found->bus, (unsigned)found->address);
}

/* With the lock held. */
static void add_found(struct sm_client_usb *usb, const struct sm_usb_found *found)
{
    for (size_t i = 0; i < usb->count; i++)
        if (is_same(&usb->entries[i], found))
            return;
    struct sm_usb_entry *entry = add(usb);
    if (!entry)
        return;
    entry->identity = found->identity;
    entry->shown.bus = found->bus;
    entry->shown.address = found->address;
    entry->shown.vendor = found->identity.vendor;
    entry->shown.product = found->identity.product;
    name_device(entry->shown.name, sizeof(entry->shown.name), found);
    entry->is_new = !usb->was_connected || !usb->watch;
    if (!entry->is_new)
        entry->is_wanted =
            usb->is_auto && sm_usb_filter_allows(&usb->on_plug, &entry->identity, false);
}

/* With the lock held: true if it is gone from the list at once. */
static bool remove_unless_found(struct sm_client_usb *usb, struct sm_usb_entry *entry,
                                const struct sm_usb_found *found, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_same(entry, &found[i]))
            return false;
    if (entry->shown.is_cd)
        return false;
    entry->is_removed = true;
    if (entry->shown.state != SM_USB_FREE) /* its channel finds out */
        return false;
    forget(usb, entry);
    return true;
}

static void on_changed(void *opaque, const struct sm_usb_found *found, size_t count)
{
    struct sm_client_usb *usb = opaque;
    pthread_mutex_lock(&usb->lock);
    for (size_t i = 0; i < usb->count;)
        if (!remove_unless_found(usb, &usb->entries[i], found, count))
            i++;
    for (size_t i = 0; i < count; i++)
        add_found(usb, &found[i]);
    if (usb->was_connected)
        apply_connect_rules(usb);
    pthread_mutex_unlock(&usb->lock);
    assign(usb);
}

enum sm_status sm_session_watch_usb(struct sm_session *session, struct sm_error *error)
{
    struct sm_client_usb *usb = &session->usb;
    struct sm_usb_watch *watch;
    struct sm_usb_why why = {.reason = "a thread could not be started"};
    pthread_mutex_lock(&usb->lock);
    bool is_there = usb->watch != NULL;
    pthread_mutex_unlock(&usb->lock);
    if (is_there)
        return SM_OK;
    enum sm_status status = sm_usb_watch_create(&watch, on_changed, usb, &why);
    if (status != SM_OK) {
        sm_error_set(error, SM_ERROR_SYSTEM, why.cure, "%s", why.reason);
        return status;
    }
    pthread_mutex_lock(&usb->lock);
    usb->watch = watch;
    pthread_mutex_unlock(&usb->lock);
    return SM_OK;
}

/* ---- Public ---- */

/* With the lock held. */
static uint32_t count_slots(const struct sm_client_usb *usb, bool are_free_only)
{
    uint32_t count = 0;
    for (size_t i = 0; i < SM_USB_CHANNELS_MAX; i++)
        count += usb->slots[i].channel && (!are_free_only || usb->slots[i].device == 0);
    return count;
}

void sm_session_get_usb_info(struct sm_session *session, struct sm_usb_info *info)
{
    struct sm_client_usb *usb = &session->usb;
    pthread_mutex_lock(&usb->lock);
    *info = (struct sm_usb_info){
        .has_devices = usb->watch != NULL,
        .channels = count_slots(usb, false),
        .free_channels = count_slots(usb, true),
    };
    pthread_mutex_unlock(&usb->lock);
}

/* With the lock held: why a free device cannot be redirected now; NULL if it can. */
static const char *obstacle(const struct sm_client_usb *usb, const char **cure)
{
    *cure = "";
    if (count_slots(usb, false) == 0) {
        *cure = "give the machine a USB channel: -chardev spicevmc,id=u,name=usbredir -device "
                "usb-redir,chardev=u, or \"USB redirection\" in virt-manager";
        return usb->was_connected ? "the machine takes no USB devices any more"
                                  : "the machine takes no USB devices";
    }
    if (count_slots(usb, true) == 0) {
        *cure = "take another device back first";
        return "all USB channels of the machine are in use";
    }
    return NULL;
}

size_t sm_session_get_usb_devices(struct sm_session *session, struct sm_usb_device *out,
                                  size_t room)
{
    struct sm_client_usb *usb = &session->usb;
    pthread_mutex_lock(&usb->lock);
    const char *cure, *reason = obstacle(usb, &cure);
    size_t count = 0;
    for (size_t i = 0; i < usb->count; i++) {
        const struct sm_usb_entry *entry = &usb->entries[i];
        if (entry->is_removed)
            continue;
        if (count < room) {
            out[count] = entry->shown;
            out[count].can_redirect = entry->shown.state == SM_USB_FREE && !reason;
            if (entry->shown.state == SM_USB_FREE && reason && !entry->shown.reason[0]) {
                (void)snprintf(out[count].reason, sizeof(out[count].reason), "%s", reason);
                (void)snprintf(out[count].cure, sizeof(out[count].cure), "%s", cure);
            }
        }
        count++;
    }
    pthread_mutex_unlock(&usb->lock);
    return count;
}

enum sm_status sm_session_redirect_usb(struct sm_session *session, uint32_t id,
                                       struct sm_error *error)
{
    struct sm_client_usb *usb = &session->usb;
    pthread_mutex_lock(&usb->lock);
    struct sm_usb_entry *entry = find(usb, id);
    const char *cure = "", *reason = obstacle(usb, &cure);
    if (!entry || entry->is_removed)
        reason = "the device was unplugged";
    else if (entry->shown.state != SM_USB_FREE)
        reason = "the device is redirected already";
    if (!reason)
        entry->is_wanted = true;
    pthread_mutex_unlock(&usb->lock);
    if (reason) {
        sm_error_set(error, SM_ERROR_NO_CHANNEL, cure, "%s", reason);
        return SM_ERR_STATE;
    }
    assign(usb);
    return SM_OK;
}

static void release(struct sm_client_usb *usb, uint32_t id, bool is_removed)
{
    struct sm_client_channel *channel = NULL;
    pthread_mutex_lock(&usb->lock);
    struct sm_usb_entry *entry = find(usb, id);
    if (entry) {
        entry->is_wanted = false;
        entry->is_removed = entry->is_removed || is_removed;
        if (entry->shown.state == SM_USB_CONNECTING || entry->shown.state == SM_USB_REDIRECTED) {
            const struct sm_usb_slot *slot = slot_with(usb, id);
            channel = slot ? slot->channel : NULL;
            entry->shown.state = SM_USB_LEAVING;
        } else if (entry->is_removed && entry->shown.state == SM_USB_FREE) {
            forget(usb, entry);
        }
    }
    pthread_mutex_unlock(&usb->lock);
    if (channel) /* one that is going gives the device back by itself */
        (void)!sm_client_channel_post(channel, sm_usb_channel_detach, &id, sizeof(id));
    tell(usb);
}

void sm_session_release_usb(struct sm_session *session, uint32_t id)
{
    release(&session->usb, id, false);
}

void sm_session_remove_cd(struct sm_session *session, uint32_t id)
{
    pthread_mutex_lock(&session->usb.lock);
    const struct sm_usb_entry *entry = find(&session->usb, id);
    bool is_cd = entry && entry->shown.is_cd;
    pthread_mutex_unlock(&session->usb.lock);
    if (is_cd)
        release(&session->usb, id, true);
}

static bool image_size(int fd, uint64_t *bytes)
{
    struct stat stat;
    if (fstat(fd, &stat) != 0)
        return false;
    if (S_ISBLK(stat.st_mode))
        return ioctl(fd, BLKGETSIZE64, bytes) == 0;
    *bytes = (uint64_t)stat.st_size;
    if (!S_ISREG(stat.st_mode))
        errno = S_ISDIR(stat.st_mode) ? EISDIR : ENOTSUP;
    return S_ISREG(stat.st_mode);
}

static int open_image(const char *path, uint64_t *bytes, struct sm_error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || !image_size(fd, bytes)) {
        sm_error_set(error, SM_ERROR_SYSTEM, "choose a file that you can read",
                     "the CD image %s cannot be read: %s", path, strerror(errno));
    } else if (*bytes == 0) {
        sm_error_set(error, SM_ERROR_SYSTEM, "choose another file", "the CD image %s is empty",
                     path);
    } else {
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

enum sm_status sm_session_add_cd(struct sm_session *session, const char *path, uint32_t *id,
                                 struct sm_error *error)
{
    struct sm_client_usb *usb = &session->usb;
    uint64_t bytes = 0;
    int fd = open_image(path, &bytes, error);
    if (fd < 0)
        return SM_ERR_IO;
    const char *slash = strrchr(path, '/');
    pthread_mutex_lock(&usb->lock);
    struct sm_usb_entry *entry = add(usb);
    if (entry) {
        entry->fd = fd;
        entry->bytes = bytes;
        entry->is_wanted = true;
        entry->shown.is_cd = true;
        entry->shown.bus = 0xff;
        entry->shown.vendor = SM_CD_VENDOR;
        entry->shown.product = SM_CD_PRODUCT;
        entry->identity = (struct sm_usb_identity){.vendor = SM_CD_VENDOR,
                                                   .product = SM_CD_PRODUCT,
                                                   .interface_count = 1,
                                                   .interface_class = {SM_CD_CLASS}};
        (void)snprintf(entry->shown.name, sizeof(entry->shown.name), "%s",
                       slash ? slash + 1 : path);
        if (id)
            *id = entry->shown.id;
    }
    pthread_mutex_unlock(&usb->lock);
    if (!entry) {
        close(fd);
        sm_error_set(error, SM_ERROR_SYSTEM, "remove another one first",
                     "there are too many USB devices");
        return SM_ERR_LIMIT;
    }
    assign(usb);
    return SM_OK;
}

static enum sm_status parse_rules(struct sm_usb_filter *out, const char *text,
                                  const char *by_default, struct sm_error *error)
{
    enum sm_status status = sm_usb_filter_parse(out, text_bytes(text ? text : by_default));
    if (status == SM_ERR_NOMEM)
        return sm_error_nomem(error);
    if (status != SM_OK) {
        sm_error_set(error, SM_ERROR_OPTION,
                     "write rules as class,vendor,product,version,allow joined by |, such as "
                     "0x08,-1,-1,-1,1|-1,-1,-1,-1,0",
                     "the USB rules make no sense: %s", text ? text : by_default);
        return SM_ERR_PROTOCOL;
    }
    return SM_OK;
}

enum sm_status sm_session_set_usb_rules(struct sm_session *session, const char *on_connect,
                                        const char *on_plug, struct sm_error *error)
{
    struct sm_client_usb *usb = &session->usb;
    struct sm_usb_filter connect, plug;
    enum sm_status status = parse_rules(&connect, on_connect, "", error);
    if (status != SM_OK)
        return status;
    status = parse_rules(&plug, on_plug, DEFAULT_ON_PLUG, error);
    if (status != SM_OK) {
        sm_usb_filter_finish(&connect);
        return status;
    }
    pthread_mutex_lock(&usb->lock);
    struct sm_usb_filter old_connect = usb->on_connect, old_plug = usb->on_plug;
    usb->on_connect = connect;
    usb->on_plug = plug;
    pthread_mutex_unlock(&usb->lock);
    sm_usb_filter_finish(&old_connect);
    sm_usb_filter_finish(&old_plug);
    return SM_OK;
}

void sm_session_set_usb_auto(struct sm_session *session, bool is_wanted)
{
    pthread_mutex_lock(&session->usb.lock);
    session->usb.is_auto = is_wanted;
    pthread_mutex_unlock(&session->usb.lock);
}

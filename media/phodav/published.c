/* SPDX-License-Identifier: MIT */
#include "media/phodav/published.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

#include "media/phodav/confine.h"

static const char ROOT[] = "/.spice-clipboard";

enum {
    ROOT_SIZE = sizeof(ROOT) - 1,
    NAME_AT = ROOT_SIZE + 1 + SM_DAV_ID_SIZE, /* in a place; the ID's NUL is the slash's room */
};

struct entry {
    char *real; /* owned: absolute, without symbolic links */
    char id[SM_DAV_ID_SIZE];
};

struct sm_dav_published {
    GMutex lock;
    GPtrArray *entries;  /* owned, each struct entry */
    GHashTable *by_path; /* owned: the same by their real paths */
};

static void free_entry(gpointer opaque)
{
    struct entry *entry = opaque;
    free(entry->real);
    g_free(entry);
}

struct sm_dav_published *sm_dav_published_create(void)
{
    struct sm_dav_published *published = g_new0(struct sm_dav_published, 1);
    g_mutex_init(&published->lock);
    published->entries = g_ptr_array_new_with_free_func(free_entry);
    published->by_path = g_hash_table_new(g_str_hash, g_str_equal);
    return published;
}

void sm_dav_published_destroy(struct sm_dav_published *published)
{
    if (!published)
        return;
    g_hash_table_unref(published->by_path);
    g_ptr_array_unref(published->entries);
    g_mutex_clear(&published->lock);
    g_free(published);
}

static const char *name_of(const char *real)
{
    return strrchr(real, '/') + 1;
}

static bool can_be_read(const char *real)
{
    struct stat facts;
    return stat(real, &facts) == 0 && (S_ISREG(facts.st_mode) || S_ISDIR(facts.st_mode)) &&
           access(real, S_ISDIR(facts.st_mode) ? R_OK | X_OK : R_OK) == 0;
}

/* With the lock held; takes `real`. */
static struct entry *append(struct sm_dav_published *published, char *real)
{
    struct entry *entry = g_new0(struct entry, 1);
    g_autofree char *id = g_uuid_string_random();
    entry->real = real;
    (void)g_strlcpy(entry->id, id, sizeof(entry->id));
    g_ptr_array_add(published->entries, entry);
    g_hash_table_insert(published->by_path, entry->real, entry);
    return entry;
}

/* With the lock held. */
static enum sm_status add(struct sm_dav_published *published, const char *real,
                          char id[SM_DAV_ID_SIZE], bool *is_new)
{
    struct entry *entry = g_hash_table_lookup(published->by_path, real);
    *is_new = !entry;
    if (!entry) {
        if (published->entries->len >= SM_DAV_PUBLISHED_MAX)
            return SM_ERR_LIMIT;
        char *copy = strdup(real);
        if (!copy)
            return SM_ERR_NOMEM;
        entry = append(published, copy);
    }
    memcpy(id, entry->id, sizeof(entry->id));
    return SM_OK;
}

enum sm_status sm_dav_published_find(char **real, const char *path)
{
    char *found = realpath(path, NULL);
    enum sm_status status = SM_OK;
    if (!found || !*name_of(found) || !can_be_read(found))
        status = SM_ERR_IO;
    else if (!g_utf8_validate(name_of(found), -1, NULL))
        status = SM_ERR_LIMIT;
    if (status == SM_OK)
        *real = found;
    else
        free(found);
    return status;
}

enum sm_status sm_dav_published_add(struct sm_dav_published *published, const char *real,
                                    char id[SM_DAV_ID_SIZE], bool *is_new,
                                    char place[SM_DAV_PLACE_SIZE])
{
    /* Looked at first: what is added stays. Names of other systems may be longer than ours. */
    if (strlen(name_of(real)) > SM_DAV_PLACE_SIZE - NAME_AT - 1)
        return SM_ERR_LIMIT;
    g_mutex_lock(&published->lock);
    enum sm_status status = add(published, real, id, is_new);
    g_mutex_unlock(&published->lock);
    if (status == SM_OK)
        (void)g_snprintf(place, SM_DAV_PLACE_SIZE, "%s/%s/%s", ROOT, id, name_of(real));
    return status;
}

bool sm_dav_published_covers(const char *path)
{
    return strncmp(path, ROOT, ROOT_SIZE) == 0 && (!path[ROOT_SIZE] || path[ROOT_SIZE] == '/');
}

bool sm_dav_published_has_any(struct sm_dav_published *published)
{
    g_mutex_lock(&published->lock);
    bool has_any = published->entries->len > 0;
    g_mutex_unlock(&published->lock);
    return has_any;
}

/* The real path of what has this ID and begins `rest` with its name; the caller's; NULL for none.
 */
static char *locate(struct sm_dav_published *published, const char *id, const char **rest)
{
    char *real = NULL;
    g_mutex_lock(&published->lock);
    for (guint i = 0; i < published->entries->len && !real; i++) {
        const struct entry *entry = g_ptr_array_index(published->entries, i);
        const char *name = name_of(entry->real);
        size_t size = strlen(name);
        if (strncmp(id, entry->id, SM_DAV_ID_SIZE - 1) == 0 && strncmp(*rest, name, size) == 0 &&
            (!(*rest)[size] || (*rest)[size] == '/')) {
            real = g_strdup(entry->real);
            *rest += size;
        }
    }
    g_mutex_unlock(&published->lock);
    return real;
}

bool sm_dav_published_allows(struct sm_dav_published *published, const char *path, bool is_deep)
{
    const char *id = path + ROOT_SIZE;
    if (*id == '/')
        id++;
    size_t id_size = strcspn(id, "/");
    const char *rest = id[id_size] ? id + id_size + 1 : id + id_size;
    if (!*rest) /* the folders above */
        return !is_deep && (id_size == 0 || id_size == SM_DAV_ID_SIZE - 1);
    if (id_size != SM_DAV_ID_SIZE - 1)
        return false;
    g_autofree char *real = locate(published, id, &rest);
    const char *inner = *rest ? rest : "/";
    return real && sm_dav_is_inside(real, inner) && !(is_deep && sm_dav_has_links(real, inner));
}

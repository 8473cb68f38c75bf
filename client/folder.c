/* SPDX-License-Identifier: MIT */
#include "client/folder.h"

#include "client/error.h"
#include "client/session_private.h"

void sm_client_folder_finish(struct sm_client_folder *folder)
{
    if (folder->module)
        folder->module->destroy(folder->server);
    folder->server = NULL;
}

int sm_client_folder_connect(struct sm_client_folder *folder)
{
    return folder->server ? folder->module->connect(folder->server) : -1;
}

/* The main channel's thread: opens what is wanted now and was not when the list came. */
static void open_call(struct sm_client_channel *main, const void *argument)
{
    struct sm_session *session = main->session;
    (void)argument;
    for (size_t i = 0; i < session->listed_count; i++)
        if (session->listed[i].kind == SM_CHANNEL_KIND_WEBDAV &&
            sm_session_open_channel(session, SM_CHANNEL_KIND_WEBDAV, session->listed[i].id) !=
                SM_OK)
            sm_log_at(&session->log, SM_LOG_WARNING, "the webdav channel cannot be opened");
}

bool sm_client_folder_prepare(struct sm_client_channel *main)
{
    struct sm_client_folder *folder = &main->session->folder;
    struct sm_dav_server *server = NULL;
    if (atomic_load(&folder->is_wanted))
        return true;
    const struct sm_dav_module *module = sm_dav_load();
    if (!module || module->create(&server, NULL, true) != SM_OK)
        return false;
    pthread_mutex_lock(&main->session->lock);
    bool is_first = !folder->server; /* a folder may have been shared meanwhile */
    if (is_first) {
        folder->module = module;
        folder->server = server;
        atomic_store(&folder->is_wanted, true);
    }
    pthread_mutex_unlock(&main->session->lock);
    if (is_first)
        open_call(main, NULL);
    else
        module->destroy(server);
    return true;
}

enum sm_status sm_client_folder_publish(struct sm_session *session, const char *real,
                                        char place[SM_DAV_PLACE_SIZE])
{
    struct sm_client_folder *folder = &session->folder;
    /* Under the lock, or the server might go meanwhile. */
    pthread_mutex_lock(&session->lock);
    enum sm_status status =
        folder->server ? folder->module->publish(folder->server, real, place) : SM_ERR_STATE;
    pthread_mutex_unlock(&session->lock);
    return status;
}

enum sm_status sm_client_folder_say_absent(struct sm_error *error)
{
    sm_error_set(error, SM_ERROR_SYSTEM,
                 "install libsumac-dav.so, for which the build needs libphodav-3.0-dev",
                 "this installation cannot share folders");
    return SM_ERR_STATE;
}

static enum sm_status start(const struct sm_dav_module **module, struct sm_dav_server **server,
                            const char *path, bool is_read_only, struct sm_error *error)
{
    *module = sm_dav_load();
    if (!*module)
        return sm_client_folder_say_absent(error);
    enum sm_status status = (*module)->create(server, path, is_read_only);
    if (status == SM_ERR_NOMEM)
        return sm_error_nomem(error);
    if (status != SM_OK)
        sm_error_set(error, SM_ERROR_FILE, "name a folder that you may read",
                     "%s is no folder that can be shared", path);
    return status;
}

enum sm_status sm_session_share_folder(struct sm_session *session, const char *path,
                                       bool is_read_only, struct sm_error *error)
{
    struct sm_client_folder *folder = &session->folder;
    struct sm_dav_server *server = NULL;
    const struct sm_dav_module *module = NULL;
    enum sm_status status = path ? start(&module, &server, path, is_read_only, error) : SM_OK;
    if (status != SM_OK)
        return status;
    pthread_mutex_lock(&session->lock);
    struct sm_dav_server *old = folder->server;
    folder->server = server;
    if (module)
        folder->module = module;
    module = folder->module;
    atomic_store(&folder->is_shared, server != NULL);
    atomic_store(&folder->is_wanted, server != NULL);
    pthread_mutex_unlock(&session->lock);
    if (server)
        sm_log_at(&session->log, SM_LOG_INFO, "the folder %s is shared%s", path,
                  is_read_only ? ", to be read only" : "");
    if (old) /* its connections end, which the channel sees */
        module->destroy(old);
    struct sm_client_channel *main = sm_session_find(session, SM_CHANNEL_KIND_MAIN, 0);
    if (server && main) /* one that is not open yet finds it wanted when the list comes */
        (void)!sm_client_channel_post(main, open_call, NULL, 0);
    return SM_OK;
}

void sm_session_get_folder_state(struct sm_session *session, struct sm_folder_state *out)
{
    struct sm_client_folder *folder = &session->folder;
    *out = (struct sm_folder_state){
        .is_shared = atomic_load(&folder->is_shared),
        .received = atomic_load(&folder->received),
        .sent = atomic_load(&folder->sent),
    };
    pthread_mutex_lock(&session->lock);
    out->is_listening = folder->is_listening;
    out->connections = folder->connections;
    for (size_t i = 0; i < session->listed_count; i++)
        out->can_be_shared =
            out->can_be_shared || session->listed[i].kind == SM_CHANNEL_KIND_WEBDAV;
    pthread_mutex_unlock(&session->lock);
}

/* SPDX-License-Identifier: MIT */
#include "client/target.h"

#include <stdlib.h>
#include <string.h>

#include "client/error.h"
#include "client/session_private.h"
#include "io/tls.h"

static bool copy_text(char **out, const char *text)
{
    *out = text ? strdup(text) : NULL;
    return *out || !text;
}

enum sm_status sm_target_create(struct sm_target **out, const struct sm_address *address)
{
    struct sm_target *target = calloc(1, sizeof(*target));
    if (!target)
        return SM_ERR_NOMEM;
    if (address) {
        target->port = sm_address_port(address);
        target->tls_port = sm_address_tls_port(address);
        if (!copy_text(&target->host, sm_address_host(address)) ||
            !copy_text(&target->unix_path, sm_address_unix_path(address)) ||
            !copy_text(&target->path, sm_address_websocket_path(address))) {
            sm_target_destroy(target);
            return SM_ERR_NOMEM;
        }
    }
    *out = target;
    return SM_OK;
}

enum sm_status sm_target_create_next(struct sm_target **out, const char *host, uint16_t port,
                                     uint16_t tls_port, const char *subject)
{
    struct sm_target *target = calloc(1, sizeof(*target));
    if (!target)
        return SM_ERR_NOMEM;
    target->port = port;
    target->tls_port = tls_port;
    if (!copy_text(&target->host, host) || !copy_text(&target->host_subject, subject)) {
        sm_target_destroy(target);
        return SM_ERR_NOMEM;
    }
    *out = target;
    return SM_OK;
}

void sm_target_destroy(struct sm_target *target)
{
    while (target) {
        struct sm_target *former = target->former;
        free(target->host);
        free(target->unix_path);
        free(target->path);
        free(target->host_subject);
        sm_tls_context_destroy(target->tls);
        free(target);
        target = former;
    }
}

/* KEY=VALUE pairs between commas, none of them empty; a backslash makes the next byte literal. */
static bool is_subject_text(const char *text)
{
    bool has_key = false, has_equals = false, has_value = false;
    for (;; text++) {
        if (!*text || *text == ',') {
            if (!has_key || !has_equals || !has_value)
                return false;
            if (!*text)
                return true;
            has_key = has_equals = has_value = false;
        } else if (*text == '=' && !has_equals) {
            has_equals = true;
        } else {
            if (*text == '\\' && text[1])
                text++;
            if (has_equals)
                has_value = true;
            else
                has_key = has_key || *text != ' ';
        }
    }
}

enum sm_status sm_target_make_tls(struct sm_target *target, const struct sm_session *session,
                                  struct sm_error *error)
{
    const struct sm_session_settings *settings = &session->settings;
    bool may_need = settings->connector || (!target->unix_path && target->tls_port);
    if (!may_need || target->tls)
        return SM_OK;
    if (target->host_subject && !is_subject_text(target->host_subject)) {
        sm_error_set(error, SM_ERROR_OPTION, "write it as KEY=VALUE,KEY=VALUE: O=Example,CN=vm",
                     "the expected subject makes no sense: %s", target->host_subject);
        return SM_ERR_PROTOCOL;
    }
    struct sm_tls_client_config config = {
        .ca_file = settings->ca_file,
        .ca = {.data = (const uint8_t *)settings->ca_pem,
               .size = settings->ca_pem ? strlen(settings->ca_pem) : 0},
        .ciphers = settings->ciphers,
        .verify = target->host_subject ? SM_TLS_VERIFY_SUBJECT : SM_TLS_VERIFY_HOSTNAME,
        .subject = target->host_subject,
    };
    char why[192] = "";
    enum sm_status status = sm_tls_context_client(&target->tls, &config, why, sizeof(why));
    if (status == SM_ERR_NOMEM)
        return sm_error_nomem(error);
    if (status != SM_OK)
        sm_error_set(error,
                     settings->ca_file || settings->ca_pem ? SM_ERROR_CA_FILE : SM_ERROR_OPTION,
                     "give a PEM file with the certificates of authorities you trust",
                     "TLS cannot be set up: %s", why);
    return status;
}

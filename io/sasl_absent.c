/* SPDX-License-Identifier: MIT */
/* In place of io/sasl.c where Cyrus SASL is not wanted: nothing can be created, so nothing else is
 * ever called. */
#include "io/sasl.h"

#include <stdio.h>

bool sm_sasl_is_available(void)
{
    return false;
}

static enum sm_status absent(char *why, size_t why_size)
{
    snprintf(why, why_size, "built without SASL");
    return SM_ERR_STATE;
}

enum sm_status sm_sasl_prepare_server(const char *application, char *why, size_t why_size)
{
    (void)application;
    return absent(why, why_size);
}

void sm_sasl_stream_set_ends(struct sm_sasl_stream *stream, int fd)
{
    (void)stream, (void)fd;
}

enum sm_status sm_sasl_server(struct sm_sasl **out, const struct sm_sasl_stream *stream, char *why,
                              size_t why_size)
{
    (void)out, (void)stream;
    return absent(why, why_size);
}

enum sm_status sm_sasl_client(struct sm_sasl **out, const struct sm_sasl_stream *stream,
                              const char *host, const struct sm_sasl_credentials *credentials,
                              char *why, size_t why_size)
{
    (void)out, (void)stream, (void)host, (void)credentials;
    return absent(why, why_size);
}

void sm_sasl_destroy(struct sm_sasl *sasl)
{
    (void)sasl;
}

enum sm_status sm_sasl_mechanisms(struct sm_sasl *sasl, struct sm_bytes *list)
{
    (void)sasl, (void)list;
    return SM_ERR_STATE;
}

enum sm_status sm_sasl_server_start(struct sm_sasl *sasl, const char *mechanism,
                                    struct sm_sasl_turn turn, struct sm_bytes *answer)
{
    (void)sasl, (void)mechanism, (void)turn, (void)answer;
    return SM_ERR_STATE;
}

enum sm_status sm_sasl_server_step(struct sm_sasl *sasl, struct sm_sasl_turn turn,
                                   struct sm_bytes *answer)
{
    (void)sasl, (void)turn, (void)answer;
    return SM_ERR_STATE;
}

enum sm_status sm_sasl_client_start(struct sm_sasl *sasl, struct sm_bytes list,
                                    const char **mechanism, struct sm_sasl_turn *answer)
{
    (void)sasl, (void)list, (void)mechanism, (void)answer;
    return SM_ERR_STATE;
}

enum sm_status sm_sasl_client_step(struct sm_sasl *sasl, struct sm_sasl_turn turn,
                                   struct sm_sasl_turn *answer)
{
    (void)sasl, (void)turn, (void)answer;
    return SM_ERR_STATE;
}

bool sm_sasl_lacks_user(const struct sm_sasl *sasl)
{
    (void)sasl;
    return false;
}

bool sm_sasl_lacks_password(const struct sm_sasl *sasl)
{
    (void)sasl;
    return false;
}

unsigned sm_sasl_ssf(const struct sm_sasl *sasl)
{
    (void)sasl;
    return 0;
}

bool sm_sasl_is_strong_enough(const struct sm_sasl *sasl)
{
    (void)sasl;
    return false;
}

const char *sm_sasl_user(const struct sm_sasl *sasl)
{
    (void)sasl;
    return "";
}

const char *sm_sasl_reason(const struct sm_sasl *sasl)
{
    (void)sasl;
    return "built without SASL";
}

size_t sm_sasl_block_max(const struct sm_sasl *sasl)
{
    (void)sasl;
    return 0;
}

enum sm_status sm_sasl_encode(struct sm_sasl *sasl, struct sm_bytes in, struct sm_bytes *out)
{
    (void)sasl, (void)in, (void)out;
    return SM_ERR_STATE;
}

enum sm_status sm_sasl_decode(struct sm_sasl *sasl, struct sm_bytes in, struct sm_bytes *out)
{
    (void)sasl, (void)in, (void)out;
    return SM_ERR_STATE;
}

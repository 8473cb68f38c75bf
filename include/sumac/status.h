/* SPDX-License-Identifier: MIT */
/* The result of every operation that can fail, and the attributes public functions carry. */
#ifndef SUMAC_STATUS_H
#define SUMAC_STATUS_H

/** The caller must look at the result. */
#define SM_NODISCARD __attribute__((warn_unused_result))

/** Part of the public interface: visible outside the library that holds it. */
#define SM_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/**
 * What became of an operation. The class says what to do next; a static `reason` string, where a
 * function offers one, says why in words. Outputs change only on SM_OK.
 */
enum sm_status {
    SM_OK = 0,
    SM_AGAIN = 1,         /* no failure: more input, or more room, is needed */
    SM_ERR_PROTOCOL = -1, /* the peer broke the protocol: close the link */
    SM_ERR_LIMIT = -2,    /* more was asked for than we allow */
    SM_ERR_NOMEM = -3,    /* out of memory; the object can still be destroyed */
    SM_ERR_STATE = -4,    /* our caller used the API out of order */
    SM_ERR_IO = -5,       /* the transport failed or ended; errno-like detail stays in the layer */
};

/** The name of `status` in lower case, such as "protocol"; "unknown" for a value of no meaning. */
SM_API const char *sm_status_name(enum sm_status status);

#ifdef __cplusplus
}
#endif

#endif

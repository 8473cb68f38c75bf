/* SPDX-License-Identifier: MIT */
/* All of the client library, and its version. */
#ifndef SUMAC_CLIENT_H
#define SUMAC_CLIENT_H

#include "sumac/address.h"
#include "sumac/agent.h"
#include "sumac/clipboard.h"
#include "sumac/connection_file.h"
#include "sumac/cursor.h"
#include "sumac/display.h"
#include "sumac/error.h"
#include "sumac/files.h"
#include "sumac/folder.h"
#include "sumac/inputs.h"
#include "sumac/keys.h"
#include "sumac/people.h"
#include "sumac/port.h"
#include "sumac/session.h"
#include "sumac/smartcard.h"
#include "sumac/sound.h"
#include "sumac/status.h"
#include "sumac/usb.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The version of the library that runs, such as "0.1.0". Static. */
SM_API const char *sm_client_version(void);

#ifdef __cplusplus
}
#endif

#endif

/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A key holder for the client's tests, that misbehaves on order.  Its folder
 * has the order (file "behaviour": two numbers) and gets what the process looks
 * like after its start ("report").  It signs by inverting the input; its status
 * has how many requests came by a lane ("cached").
 */
#ifndef MESH_TESTS_LINUX_FAKE_KEYD_H
#define MESH_TESTS_LINUX_FAKE_KEYD_H

#include "platform/linux/message.h"

enum fake_behaviour {
    FAKE_NORMAL,
    FAKE_DIE_ONCE, /* during the first operation, but not after a restart */
    FAKE_DIE,      /* during every operation */
    FAKE_WRONG_SERIAL,
    FAKE_OTHER_VERSION,
    FAKE_REASON,
    FAKE_UNKNOWN_REASON,
    FAKE_TOO_LONG, /* one octet more than the caller has room for */
    FAKE_EMPTY,    /* a result without octets */
    FAKE_BUSY,
    FAKE_GARBAGE, /* instead of keys, lists and the status */
    FAKE_SHORT,   /* one octet of these missing */
    FAKE_SILENT_HELLO,
    FAKE_SILENT,
    FAKE_NOT_STARTED,  /* says why */
    FAKE_ENDS_AT_ONCE, /* does not */
    FAKE_NEVER_READY
};

#define FAKE_SLOW_VALUE   77777u /* signing it takes half a second */
#define FAKE_PROMPT_VALUE 77778u /* 15 seconds: longer than a greeting may */

/* Whether it gives its connections a lane, and what is wrong with that. */
enum fake_lane {
    FAKE_NO_LANE,
    FAKE_LANE,
    FAKE_LANE_UNSEALED, /* memory that can shrink */
    FAKE_LANE_TWICE     /* each answer there, then again on the socket */
};

/* The program, with the arguments of mesh-keyd. */
int fake_keyd(int argc, char **argv);

#endif

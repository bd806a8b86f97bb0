/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The report of meshctl doctor.
 */
#ifndef MESH_TOOLS_DOCTOR_H
#define MESH_TOOLS_DOCTOR_H

#include "store/profile.h"

#include <jansson.h>

struct report {
    struct mesh_context *ctx;
    json_t *checks; /* of {"status", "what", "todo"} */
    int problems;
    int bus; /* 1: the session bus answers, or was not tried */
};

enum finding { FOUND_OK, FOUND_WARNING, FOUND_PROBLEM };

/* Enters one line; todo is NULL if there is nothing to do. */
void report_add(struct report *report, enum finding finding, const char *todo,
                const char *fmt, ...) MESH_PRINTF(4, 5);

/* Whether the key store answers, and has the private keys of the default device
 * (NULL: there is none); linux/doctor_keystore.c, macos/… and windows/…. */
void report_keystore(struct report *report, const struct mesh_profile *device);
/* The latter; elsewhere is what to do where keys may be out of reach, or NULL.
 */
void report_keys(struct report *report, const struct mesh_profile *device,
                 const char *elsewhere);

/* What openssl.cnf says of the mesh provider, and whether that loads.  Its
 * settings are then those of report->ctx, as far as meshctl was not told
 * others. */
void report_openssl(struct report *report);

#endif

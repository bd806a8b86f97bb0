/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Kinds of profiles, types of applications.
 */
#ifndef MESH_STORE_KIND_H
#define MESH_STORE_KIND_H

#include "platform/layout.h"

/* "personal", "device" or "application". */
const char *mesh_kind_word(enum mesh_profile_kind kind);

/* The application types of the layout, "Web" …: the i-th, NULL past the end. */
const char *mesh_application_type(size_t i);
/* That of a payload's tag ("WebProfile": "Web"), or NULL. */
const char *mesh_application_type_of(const char *tag);

#endif

/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * mesh: URIs.
 *
 *   mesh-URI = "mesh:" [ "//" ] [ profile [ "/" role ] ] [ "?" "type=" type ]
 *   profile  = fingerprint | "personal" | "device" | "web" | "ssh" | "mail" |
 *              "network" | portal-account
 *   role     = "sign" | "auth" | "encrypt" | "master" | "escrow" | "online" |
 *              "retired" | a member name of the profile | a key's fingerprint
 *   type     = "private" | "public" | "cert"
 */
#ifndef MESH_STORE_URI_H
#define MESH_STORE_URI_H

#include "platform/context.h"

#define MESH_URI_MAX      1024 /* octets of a URI that we read */
#define MESH_URI_PART_MAX 256

enum mesh_object_type {
    MESH_OBJECT_ANY,
    MESH_OBJECT_NAME,
    MESH_OBJECT_PRIVATE,
    MESH_OBJECT_PUBLIC,
    MESH_OBJECT_CERTIFICATE
};

/* A URI taken apart, percent-decoded; empty strings where a part is missing. */
struct mesh_uri {
    char profile[MESH_URI_PART_MAX];
    char role[MESH_URI_PART_MAX];
    enum mesh_object_type type; /* MESH_OBJECT_ANY if the URI does not say */
};

/* Whether text starts with the scheme, in any case. */
int mesh_uri_is(const char *text);

/* Parses; fails with MESH_R_URI_SYNTAX and a text that repeats the wrong part.
 * RFC 3986 for the scheme, percent-encoding and the query. */
int mesh_uri_parse(struct mesh_context *ctx, const char *text,
                   struct mesh_uri *uri);

/* What names a profile, from a URI of the profile alone or as it stands. */
int mesh_uri_profile_name(struct mesh_context *ctx, const char *text,
                          char name[MESH_URI_PART_MAX]);

/* Writes the canonical form, mesh://…, percent-encoded.  The caller frees with
 * OPENSSL_free.  role may be NULL or empty. */
char *mesh_uri_print(struct mesh_context *ctx, const char *profile,
                     const char *role);

#endif

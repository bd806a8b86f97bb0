/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What a certificate request asks for: the subject and its other names.
 */
#ifndef MESH_TOOLS_CSR_NAMES_H
#define MESH_TOOLS_CSR_NAMES_H

#include "platform/context.h"

#include <openssl/x509v3.h>

/* Parses /TYPE=VALUE/TYPE=VALUE+TYPE=VALUE, as `openssl req -subj` takes it.
 * NULL with MESH_R_USAGE and a text that repeats the wrong part; the caller
 * frees (X509_NAME_free). */
X509_NAME *csr_subject(struct mesh_context *ctx, const char *text);
/* The subject /CN=name. */
X509_NAME *csr_common_name(struct mesh_context *ctx, const char *name);

/* Parses texts, TYPE:NAME each, which end with a NULL.  The same errors; the
 * caller frees (GENERAL_NAMES_free). */
GENERAL_NAMES *csr_names(struct mesh_context *ctx, const char *const *texts);
/* The first text that is a DNS name, without its type; NULL: there is none. */
const char *csr_first_dns(const char *const *texts);

#endif

/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * HTTPS with a portal, by libcurl: limits, redirects, errors.
 */
#ifndef MESH_TOOLS_PORTAL_HTTP_H
#define MESH_TOOLS_PORTAL_HTTP_H

#include "platform/context.h"

#include <curl/curl.h>

#define PORTAL_TIMEOUT_DEFAULT 60 /* seconds for one request */
#define PORTAL_TIMEOUT_MAX     3600
#define PORTAL_ANSWER_MAX      (16u << 20) /* octets, decompressed */

struct portal_http {
    CURL *curl; /* connections stay open for the next request */
    char error[CURL_ERROR_SIZE];
    /* the last answer */
    long status;  /* HTTP's */
    char *answer; /* with a NUL behind it; or NULL */
    size_t answer_len, answer_room;
    int too_large, is_encoded;
    char location[200]; /* of the last redirect */
    /* progress */
    const char *where;
    unsigned start; /* host_seconds() */
    int is_shown;
};

/* Opens it.  CA certificates: cacert, or, if that is NULL, CURL_CA_BUNDLE,
 * SSL_CERT_FILE, those of libcurl.  timeout: seconds.  The caller closes, on
 * failure too. */
int portal_http_open(struct mesh_context *ctx, struct portal_http *http,
                     const char *cacert, unsigned timeout);
void portal_http_close(struct portal_http *http);

/* Requests /.well-known/mmm/FILE of host, by the servers that DNS names for it:
 * GET, or POST of the JSON text in body.  That there is an answer is success,
 * whatever its status. */
int portal_http_do(struct mesh_context *ctx, struct portal_http *http,
                   const char *host, const char *file, const char *body);

#endif

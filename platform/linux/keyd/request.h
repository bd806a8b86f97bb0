/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What each request of the protocol does.
 */
#ifndef MESH_KEYD_REQUEST_H
#define MESH_KEYD_REQUEST_H

#include "platform/linux/keyd/keys.h"
#include "platform/linux/message.h"

#include <stdatomic.h>
#include <sys/types.h>

/* Who is at the other end. */
struct mesh_peer {
    pid_t pid; /* for the log alone: it may be another process by now */
    uid_t uid;
    /* Our own user or root; a member of the group may use keys, not change
     * what is there. */
    int is_owner;
    /* The same of the process that sent the request at hand: by an inherited
     * connection it may be one that has given this up. */
    int sends_as_owner;
    char program[256];
    char log_name[320]; /* all this as the log has it */
    int fd;             /* of the connection */
};

/* What requests work on. */
struct mesh_service {
    struct mesh_context *ctx;
    struct mesh_keys *keys;
    struct mesh_key_source *key_files; /* one of keys'; NULL: none */
    atomic_uint connections;
};

/*
 * Serves one request (not HELLO nor ADOPT) and fills in *answer; *out
 * (OPENSSL_clear_free; NULL if none) are the octets that go with it.
 */
void mesh_request_serve(struct mesh_service *service,
                        const struct mesh_peer *peer,
                        const struct mesh_request *request,
                        const unsigned char *data, size_t len,
                        struct mesh_answer *answer, unsigned char **out);

/* Fills *answer with a refusal, its text in *out. */
void mesh_request_refuse(const struct mesh_request *request,
                         enum mesh_reason reason, const char *text,
                         struct mesh_answer *answer, unsigned char **out);

#endif

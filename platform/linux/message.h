/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The messages between the module and mesh-keyd: one request or one answer per
 * SOCK_SEQPACKET message, fixed layout, host byte order (both ends are on this
 * machine).  What does not fit travels in a sealed memfd, passed beside the
 * message.  The same structures go through a lane in shared memory (lane.h).
 *
 * Whoever receives copies first, then checks: mesh_message_receive_request()
 * and _answer() hand out nothing whose lengths do not add up.
 */
#ifndef MESH_PLATFORM_LINUX_MESSAGE_H
#define MESH_PLATFORM_LINUX_MESSAGE_H

#include "platform/keystore.h"

#include <stdint.h>
#include <sys/types.h>

#define MESH_MESSAGE_VERSION 2u
#define MESH_MESSAGE_INLINE  8192u       /* data octets inside a message */
#define MESH_MESSAGE_MAX     (64u << 20) /* data octets in a memfd */

enum mesh_request_type {
    MESH_REQ_HELLO = 1,
    MESH_REQ_STAT,
    MESH_REQ_OPERATE,  /* sign, decrypt, derive, decapsulate */
    MESH_REQ_GENERATE, /* data: the algorithm's name */
    MESH_REQ_IMPORT,   /* data: DER PKCS#8 */
    MESH_REQ_REGISTER, /* data: path NUL source NUL passphrase */
    MESH_REQ_DELETE,
    MESH_REQ_LIST, /* answer: struct mesh_keystore_item[] */
    MESH_REQ_LOCK,
    MESH_REQ_STATUS, /* answer: struct mesh_keystore_status */
    MESH_REQ_ADOPT   /* beside it: one end of a SOCK_SEQPACKET pair; the
                      * answer (as to hello) comes on that one, nothing on
                      * this */
};

#define MESH_FLAG_PROMPT 1u /* the user may be asked to unlock */
#define MESH_FLAG_LANE   2u /* in hello and adopt: a lane is welcome */

/* The fixed part of a request; data follows: label_len octets of label, then
 * data_len octets of input. */
struct mesh_request {
    uint32_t version;
    uint32_t type;   /* enum mesh_request_type */
    uint32_t serial; /* the answer repeats it */
    uint32_t flags;
    uint32_t timeout;   /* seconds that the caller will wait */
    uint32_t operation; /* enum mesh_operation */
    uint32_t padding;   /* enum mesh_padding */
    uint32_t salt_length;
    uint32_t tls_client_version;
    uint32_t tls_negotiated_version;
    uint32_t implicit_rejection;
    uint32_t out_max;            /* octets that the caller has room for */
    char udf[MESH_UDF_TEXT_MAX]; /* NUL-terminated */
    unsigned char spki_sha256[32];
    char digest[MESH_DIGEST_NAME_MAX];
    char mgf1_digest[MESH_DIGEST_NAME_MAX];
    char variant[MESH_VARIANT_MAX];
    uint32_t deterministic;
    uint32_t encoded;
    uint32_t label_len;
    uint32_t data_len;
    uint32_t in_memfd; /* 1: label and data are in the memfd */
    uint32_t reserved; /* 0 */
};

/* The fixed part of an answer; data_len octets follow: the result, or with a
 * reason a text for people. */
struct mesh_answer {
    uint32_t version;
    uint32_t serial;
    uint32_t reason; /* enum mesh_reason; 0 for success */
    uint32_t held;   /* to stat: 1 or 0 */
    uint32_t data_len;
    uint32_t in_memfd;
    uint32_t lane; /* to hello and adopt: 1 if a lane's memory is beside it */
    uint32_t reserved; /* 0 */
};

#define MESH_SENDER_UNKNOWN ((uid_t)-1)

enum mesh_message_result {
    MESH_MESSAGE_OK,
    MESH_MESSAGE_CLOSED,    /* the peer went away */
    MESH_MESSAGE_TIMEOUT,   /* also by the socket's own limit */
    MESH_MESSAGE_MALFORMED, /* lengths or version do not fit */
    MESH_MESSAGE_ERROR      /* errno says */
};

/*
 * Sends the fixed part and up to two pieces of data in one message, by memfd if
 * they exceed MESH_MESSAGE_INLINE; sets in_memfd accordingly.  pass_fd is
 * passed along if it is not -1.  Never raises SIGPIPE.
 */
enum mesh_message_result
mesh_message_send_request(int fd, struct mesh_request *request,
                          const void *label, const void *data, int pass_fd);
enum mesh_message_result mesh_message_send_answer(int fd,
                                                  struct mesh_answer *answer,
                                                  const void *data,
                                                  int pass_fd);

/*
 * Receives one message: fixed part into *request or *answer, data into a fresh
 * buffer (*data, *len; a NUL follows; the caller cleanses and frees with
 * OPENSSL_clear_free; NULL if there is none).  timeout_ms: -1 for as long as
 * the socket blocks (SO_RCVTIMEO).  A passed descriptor that is not a sealed
 * memfd for data goes to *passed_fd (the caller closes), -1 if there is none;
 * passed_fd NULL: none may come.  *sender is the real user of the process that
 * sent the request, by the kernel, if the socket has SO_PASSCRED; else, and if
 * there is no request, MESH_SENDER_UNKNOWN.  An answer's serial is for the
 * caller to compare.  Of a malformed message the fixed part is as it came
 * (zeros if it did not come whole), so that its version can be named.
 */
enum mesh_message_result
mesh_message_receive_request(int fd, int timeout_ms,
                             struct mesh_request *request, unsigned char **data,
                             size_t *len, int *passed_fd, uid_t *sender);
enum mesh_message_result
mesh_message_receive_answer(int fd, int timeout_ms, struct mesh_answer *answer,
                            unsigned char **data, size_t *len, int *passed_fd);

/* Whether requests of a type go by a lane, where there is one: they are
 * frequent, no private key is in them, and who sent them does not matter. */
int mesh_message_goes_by_lane(uint32_t type);

/* Whether a fixed part makes sense in itself. */
int mesh_message_request_fits(const struct mesh_request *request);
int mesh_message_answer_fits(const struct mesh_answer *answer);

/* Whether a text of a message ends within its member. */
int mesh_message_terminated(const char *text, size_t size);

#endif

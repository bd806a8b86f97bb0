/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Sending and receiving the messages between the module and mesh-keyd.
 */
#include "platform/linux/message.h"

#include "platform/posix/portable.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define SEALS        (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)
#define PASSED_MAX   2 /* a memfd and the descriptor that is the message */
#define DATA_PIECES  2
#define CONTROL_SIZE CMSG_SPACE(PASSED_MAX * sizeof(int))
/* Where there are no credentials the kernel puts descriptors in their place. */
#define RECEIVED_SIZE (CMSG_SPACE(sizeof(struct ucred)) + CONTROL_SIZE)
#define RECEIVED_MAX  ((RECEIVED_SIZE - CMSG_LEN(0)) / sizeof(int))

/* The layout is the protocol: a change of it is a change of the version. */
_Static_assert(sizeof(struct mesh_request) == 312, "struct mesh_request");
_Static_assert(sizeof(struct mesh_answer) == 32, "struct mesh_answer");

/* A message as it came, before anything in it is believed. */
struct raw_message {
    unsigned char data[MESH_MESSAGE_INLINE];
    size_t data_len;
    int fds[RECEIVED_MAX];
    size_t fd_count;
    uid_t sender;
};

static enum mesh_message_result result_of_errno(void)
{
    switch (errno) {
    case EPIPE:
    case ECONNRESET:
    case ENOTCONN:
        return MESH_MESSAGE_CLOSED;
    case EAGAIN: /* the socket's own limit, or it does not block */
        return MESH_MESSAGE_TIMEOUT;
    default:
        return MESH_MESSAGE_ERROR;
    }
}

/* A sealed memfd with the pieces one after the other, or -1 with errno. */
static int data_memfd(const struct iovec pieces[DATA_PIECES])
{
    int fd, i, saved;

    fd = mesh_descriptor_above_standard(
        memfd_create("mesh-message", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (fd < 0)
        return -1;
    for (i = 0; i < DATA_PIECES; i++) {
        const char *p = pieces[i].iov_base;
        size_t left = pieces[i].iov_len;

        while (left > 0) {
            ssize_t n = write(fd, p, left);

            if (n < 0 && errno == EINTR)
                continue;
            if (n < 0)
                goto fail;
            p += n;
            left -= (size_t)n;
        }
    }
    if (fcntl(fd, F_ADD_SEALS, SEALS) == 0)
        return fd;
fail:
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static enum mesh_message_result send_message(int fd, struct iovec fixed,
                                             uint32_t *in_memfd,
                                             struct iovec pieces[DATA_PIECES],
                                             int pass_fd)
{
    struct iovec iov[1 + DATA_PIECES] = {fixed};
    union {
        struct cmsghdr align;
        char octets[CONTROL_SIZE];
    } control;
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 1};
    int fds[PASSED_MAX], memfd = -1, saved;
    size_t total = pieces[0].iov_len + pieces[1].iov_len, fd_count = 0;
    enum mesh_message_result result;
    ssize_t n;

    if (total > MESH_MESSAGE_MAX) {
        errno = EMSGSIZE;
        return MESH_MESSAGE_ERROR;
    }
    *in_memfd = total > MESH_MESSAGE_INLINE;
    if (*in_memfd) {
        memfd = data_memfd(pieces);
        if (memfd < 0)
            return MESH_MESSAGE_ERROR;
        fds[fd_count++] = memfd;
    } else {
        memcpy(iov + 1, pieces, sizeof(*pieces) * DATA_PIECES);
        msg.msg_iovlen = 1 + DATA_PIECES;
    }
    if (pass_fd >= 0)
        fds[fd_count++] = pass_fd;
    if (fd_count > 0) {
        struct cmsghdr *cmsg;

        memset(&control, 0, sizeof(control));
        msg.msg_control = control.octets;
        msg.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
        cmsg = CMSG_FIRSTHDR(&msg);
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
        memcpy(CMSG_DATA(cmsg), fds, fd_count * sizeof(int));
    }
    do {
        n = sendmsg(fd, &msg, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    result = n < 0 ? result_of_errno() : MESH_MESSAGE_OK;
    saved = errno;
    if (memfd >= 0)
        close(memfd);
    errno = saved;
    return result;
}

enum mesh_message_result
mesh_message_send_request(int fd, struct mesh_request *request,
                          const void *label, const void *data, int pass_fd)
{
    struct iovec fixed = {request, sizeof(*request)};
    struct iovec pieces[DATA_PIECES] = {{(void *)label, request->label_len},
                                        {(void *)data, request->data_len}};

    return send_message(fd, fixed, &request->in_memfd, pieces, pass_fd);
}

enum mesh_message_result mesh_message_send_answer(int fd,
                                                  struct mesh_answer *answer,
                                                  const void *data, int pass_fd)
{
    struct iovec fixed = {answer, sizeof(*answer)};
    struct iovec pieces[DATA_PIECES] = {{(void *)data, answer->data_len}};

    return send_message(fd, fixed, &answer->in_memfd, pieces, pass_fd);
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Waits until there is something to read, or the end of the time. */
static enum mesh_message_result wait_readable(int fd, int64_t deadline)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int n;

    do {
        int64_t left = deadline - now_ms();

        n = poll(&p, 1, left < 0 ? 0 : (int)left);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return MESH_MESSAGE_ERROR;
    return n == 0 ? MESH_MESSAGE_TIMEOUT : MESH_MESSAGE_OK;
}

static void close_passed(struct raw_message *raw)
{
    int saved = errno;

    while (raw->fd_count > 0)
        close(raw->fds[--raw->fd_count]);
    errno = saved;
}

static void collect_passed(struct raw_message *raw, struct msghdr *msg)
{
    struct cmsghdr *cmsg;

    for (cmsg = CMSG_FIRSTHDR(msg); cmsg != NULL;
         cmsg = CMSG_NXTHDR(msg, cmsg)) {
        size_t len = cmsg->cmsg_len - CMSG_LEN(0);
        struct ucred cred;

        if (cmsg->cmsg_level != SOL_SOCKET)
            continue;
        if (cmsg->cmsg_type == SCM_CREDENTIALS && len == sizeof(cred)) {
            memcpy(&cred, CMSG_DATA(cmsg), sizeof(cred));
            raw->sender = cred.uid;
        } else if (cmsg->cmsg_type == SCM_RIGHTS) {
            /* one set, that fits into the control buffer */
            raw->fd_count = len / sizeof(int);
            memcpy(raw->fds, CMSG_DATA(cmsg), raw->fd_count * sizeof(int));
        }
    }
}

/* How long a receive on fd blocks, in milliseconds; -1: for ever. */
static int64_t blocking_ms(int fd)
{
    struct timeval limit = {0, 0};
    socklen_t len = sizeof(limit);

    if (getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, &len) < 0
        || (limit.tv_sec == 0 && limit.tv_usec == 0))
        return -1;
    return (int64_t)limit.tv_sec * 1000 + limit.tv_usec / 1000;
}

/* Receives into fixed and raw.  On any result but OK nothing is left open. */
static enum mesh_message_result
receive_raw(int fd, int timeout_ms, struct iovec fixed, struct raw_message *raw)
{
    struct iovec iov[] = {fixed, {raw->data, sizeof(raw->data)}};
    union {
        struct cmsghdr align;
        char octets[RECEIVED_SIZE];
    } control;
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
    int64_t limit = timeout_ms, start = now_ms();
    enum mesh_message_result result = MESH_MESSAGE_OK;
    ssize_t n;

    raw->data_len = raw->fd_count = 0;
    raw->fds[0] = raw->fds[1] = -1;
    raw->sender = MESH_SENDER_UNKNOWN;
    memset(fixed.iov_base, 0, fixed.iov_len);
    do {
        if (limit >= 0)
            result = wait_readable(fd, start + limit);
        if (result != MESH_MESSAGE_OK)
            return result;
        msg.msg_control = control.octets;
        msg.msg_controllen = sizeof(control.octets);
        n = recvmsg(fd, &msg,
                    MSG_CMSG_CLOEXEC | (limit >= 0 ? MSG_DONTWAIT : 0));
        /* the kernel would begin its limit anew after each signal */
        if (n < 0 && errno == EINTR && limit < 0)
            limit = blocking_ms(fd);
        else if (n < 0 && errno != EINTR && !(errno == EAGAIN && limit >= 0))
            return result_of_errno();
    } while (n < 0);
    collect_passed(raw, &msg);
    if (n == 0 && raw->fd_count == 0)
        return MESH_MESSAGE_CLOSED;
    if ((size_t)n < fixed.iov_len) {
        memset(fixed.iov_base, 0, fixed.iov_len);
        result = MESH_MESSAGE_MALFORMED;
    } else {
        raw->data_len = (size_t)n - fixed.iov_len;
    }
    if ((msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0
        || raw->fd_count > PASSED_MAX)
        result = MESH_MESSAGE_MALFORMED;
    if (result != MESH_MESSAGE_OK)
        close_passed(raw);
    return result;
}

/* Reads exactly len octets of a memfd that nobody can change any more. */
static enum mesh_message_result read_memfd(int fd, unsigned char *data,
                                           size_t len)
{
    struct stat st;
    size_t done = 0;
    int seals = fcntl(fd, F_GET_SEALS);

    if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &st) < 0
        || st.st_size != (off_t)len)
        return MESH_MESSAGE_MALFORMED;
    while (done < len) {
        ssize_t n = pread(fd, data + done, len - done, (off_t)done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? MESH_MESSAGE_ERROR : MESH_MESSAGE_MALFORMED;
        done += (size_t)n;
    }
    return MESH_MESSAGE_OK;
}

/*
 * Hands out the data of a message whose fixed part says total octets; takes the
 * memfd out of raw.  The octet beyond the end is a NUL.
 */
static enum mesh_message_result take_data(struct raw_message *raw,
                                          uint64_t total, uint32_t in_memfd,
                                          unsigned char **data, size_t *len)
{
    enum mesh_message_result result = MESH_MESSAGE_OK;
    unsigned char *copy;

    if (in_memfd > 1 || total > MESH_MESSAGE_MAX
        || raw->data_len != (in_memfd ? 0 : total)
        || (in_memfd && (total == 0 || raw->fd_count == 0)))
        return MESH_MESSAGE_MALFORMED;
    if (total == 0)
        return MESH_MESSAGE_OK;
    copy = OPENSSL_malloc((size_t)total + 1);
    if (copy == NULL) {
        errno = ENOMEM;
        return MESH_MESSAGE_ERROR;
    }
    if (in_memfd) {
        result = read_memfd(raw->fds[0], copy, (size_t)total);
        close(raw->fds[0]);
        raw->fds[0] = raw->fds[1];
        raw->fd_count--;
    } else {
        memcpy(copy, raw->data, (size_t)total);
    }
    if (result != MESH_MESSAGE_OK) {
        OPENSSL_clear_free(copy, (size_t)total);
        return result;
    }
    copy[total] = '\0';
    *data = copy;
    *len = (size_t)total;
    return MESH_MESSAGE_OK;
}

int mesh_message_terminated(const char *text, size_t size)
{
    return memchr(text, '\0', size) != NULL;
}

int mesh_message_goes_by_lane(uint32_t type)
{
    return type == MESH_REQ_STAT || type == MESH_REQ_OPERATE;
}

int mesh_message_request_fits(const struct mesh_request *r)
{
    return r->version == MESH_MESSAGE_VERSION && r->reserved == 0
           && mesh_message_terminated(r->udf, sizeof(r->udf))
           && mesh_message_terminated(r->digest, sizeof(r->digest))
           && mesh_message_terminated(r->mgf1_digest, sizeof(r->mgf1_digest))
           && mesh_message_terminated(r->variant, sizeof(r->variant));
}

int mesh_message_answer_fits(const struct mesh_answer *a)
{
    return a->version == MESH_MESSAGE_VERSION && a->lane <= 1
           && a->reserved == 0;
}

enum mesh_message_result
mesh_message_receive_request(int fd, int timeout_ms,
                             struct mesh_request *request, unsigned char **data,
                             size_t *len, int *passed_fd, uid_t *sender)
{
    struct iovec fixed = {request, sizeof(*request)};
    struct raw_message raw;
    enum mesh_message_result result;

    *data = NULL;
    *len = 0;
    *passed_fd = -1;
    result = receive_raw(fd, timeout_ms, fixed, &raw);
    *sender = raw.sender;
    if (result != MESH_MESSAGE_OK)
        goto end;
    if (mesh_message_request_fits(request))
        result =
            take_data(&raw, (uint64_t)request->label_len + request->data_len,
                      request->in_memfd, data, len);
    else
        result = MESH_MESSAGE_MALFORMED;
    if (result == MESH_MESSAGE_OK && raw.fd_count > 1) {
        OPENSSL_clear_free(*data, *len);
        *data = NULL;
        *len = 0;
        result = MESH_MESSAGE_MALFORMED;
    }
    if (result == MESH_MESSAGE_OK && raw.fd_count == 1)
        *passed_fd = raw.fds[--raw.fd_count];
    close_passed(&raw);
end:
    OPENSSL_cleanse(raw.data, raw.data_len);
    return result;
}

enum mesh_message_result
mesh_message_receive_answer(int fd, int timeout_ms, struct mesh_answer *answer,
                            unsigned char **data, size_t *len, int *passed_fd)
{
    struct iovec fixed = {answer, sizeof(*answer)};
    struct raw_message raw;
    enum mesh_message_result result;

    *data = NULL;
    *len = 0;
    if (passed_fd != NULL)
        *passed_fd = -1;
    result = receive_raw(fd, timeout_ms, fixed, &raw);
    if (result != MESH_MESSAGE_OK)
        goto end;
    if (mesh_message_answer_fits(answer) && answer->lane <= (passed_fd != NULL)
        && raw.fd_count == answer->in_memfd + (size_t)answer->lane)
        result = take_data(&raw, answer->data_len, answer->in_memfd, data, len);
    else
        result = MESH_MESSAGE_MALFORMED;
    if (result == MESH_MESSAGE_OK && answer->lane)
        *passed_fd = raw.fds[--raw.fd_count];
    close_passed(&raw);
end:
    OPENSSL_cleanse(raw.data, raw.data_len);
    return result;
}

/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Connections: who may have one, a thread for each, and their end.
 */
#include "platform/linux/keyd/connection.h"

#include "platform/linux/keyd/log.h"
#include "platform/linux/keyd/rhythm.h"
#include "platform/linux/lane.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for libcrypto's key generation and for the parser of profiles.json. */
#define STACK_SIZE ((size_t)1 << 20)
/* Some who are refused are let in only to be told why. */
#define REFUSED_MAX  16
#define SEND_SECONDS 10
#define GROUPS_MAX   256
/* How long a busy lane keeps us from the socket, beyond the request under way;
 * a look at it was measured at 0.2 microseconds. */
#define SOCKET_US 2000

struct connection {
    struct connection *next, **at; /* the list, under its mutex */
    struct mesh_connections *all;
    int fd;
    struct mesh_peer peer;
    int greeted;               /* under the mutex */
    enum mesh_reason refusal;  /* under it too: the answer to hello, if any */
    int adopted;               /* said hello to its parent */
    struct mesh_request hello; /* of an adopted one: what it said */
    struct mesh_lane *lane;    /* NULL: it wants none, or there is none */
    struct mesh_rhythm rhythm;
    unsigned look_us;  /* as it promised with the last answer */
    int64_t looked_us; /* when a busy lane last left time for the socket */
};

struct mesh_connections {
    struct mesh_service *service;
    unsigned max;
    gid_t group;
    int hello_ms;
    pthread_mutex_t mutex; /* for what follows */
    pthread_cond_t ended;
    struct connection *first;
    unsigned count, refused;
    time_t last; /* CLOCK_MONOTONIC: when the last one ended */
};

static time_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

struct mesh_connections *mesh_connections_new(struct mesh_service *service,
                                              unsigned max, gid_t group,
                                              int hello_ms)
{
    struct mesh_connections *all = OPENSSL_zalloc(sizeof(*all));
    pthread_condattr_t monotonic;

    if (all == NULL)
        return NULL;
    all->service = service;
    all->max = max;
    all->group = group;
    all->hello_ms = hello_ms;
    all->last = now();
    pthread_mutex_init(&all->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&all->ended, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return all;
}

int mesh_connections_free(struct mesh_connections *all, int wait_ms)
{
    struct connection *c;
    struct timespec until;
    int late = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += wait_ms % 1000 * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    pthread_mutex_lock(&all->mutex);
    /* reading only: an answer under way still leaves */
    for (c = all->first; c != NULL; c = c->next)
        shutdown(c->fd, SHUT_RD);
    while (all->first != NULL && !late)
        late = pthread_cond_timedwait(&all->ended, &all->mutex, &until) != 0;
    late = all->first != NULL;
    pthread_mutex_unlock(&all->mutex);
    if (late)
        return 0;
    pthread_cond_destroy(&all->ended);
    pthread_mutex_destroy(&all->mutex);
    OPENSSL_free(all);
    return 1;
}

time_t mesh_connections_idle(struct mesh_connections *all)
{
    time_t idle;

    pthread_mutex_lock(&all->mutex);
    idle = all->first != NULL ? 0 : now() - all->last;
    pthread_mutex_unlock(&all->mutex);
    return idle;
}

static void find_program(struct mesh_peer *peer)
{
    char path[64];
    ssize_t n;
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/exe", (int)peer->pid);
    n = readlink(path, peer->program, sizeof(peer->program) - 1);
    if (n <= 0) { /* another user's: the name is all one may see */
        snprintf(path, sizeof(path), "/proc/%d/comm", (int)peer->pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        n = fd < 0 ? 0 : read(fd, peer->program, sizeof(peer->program) - 1);
        if (n > 0 && peer->program[n - 1] == '\n')
            n--;
        if (fd >= 0)
            close(fd);
    }
    if (n > 0)
        peer->program[n] = '\0';
    else
        OPENSSL_strlcpy(peer->program, "?", sizeof(peer->program));
    /* it is one word of the log's line: no other may be in it */
    for (char *c = peer->program; *c != '\0'; c++)
        if (*c == ' ')
            *c = '?';
}

static int in_group(int fd, const struct ucred *cred, gid_t group)
{
    gid_t groups[GROUPS_MAX];
    socklen_t len = sizeof(groups);

    if (group == (gid_t)-1)
        return 0;
    if (cred->gid == group)
        return 1;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0)
        return 0;
    for (size_t i = 0; i < len / sizeof(groups[0]); i++)
        if (groups[i] == group)
            return 1;
    return 0;
}

static int is_owner(uid_t uid)
{
    return uid == geteuid() || uid == 0;
}

/* Who connected, and whether they may. */
static int identify(const struct mesh_connections *all, int fd,
                    struct mesh_peer *peer)
{
    struct ucred cred;
    socklen_t len = sizeof(cred);

    memset(peer, 0, sizeof(*peer));
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
        return 0;
    peer->pid = cred.pid;
    peer->uid = cred.uid;
    peer->is_owner = is_owner(cred.uid);
    find_program(peer);
    snprintf(peer->log_name, sizeof(peer->log_name), "pid=%d uid=%u program=%s",
             (int)peer->pid, (unsigned)peer->uid, peer->program);
    return peer->is_owner || in_group(fd, &cred, all->group);
}

static void say(int fd, struct mesh_answer *answer, unsigned char *out)
{
    /* a peer that is gone or does not read is found out by the next receive */
    (void)mesh_message_send_answer(fd, answer, out, -1);
    OPENSSL_clear_free(out, answer->data_len);
}

static void say_refusal(int fd, const struct mesh_request *request,
                        enum mesh_reason reason, const char *text)
{
    struct mesh_answer answer;
    unsigned char *out;

    mesh_request_refuse(request, reason, text, &answer, &out);
    say(fd, &answer, out);
}

/* Answers hello, with a lane beside it for who wants one. */
static void say_welcome(struct connection *c, const struct mesh_request *hello)
{
    struct mesh_answer answer = {.version = MESH_MESSAGE_VERSION,
                                 .serial = hello->serial};
    int fd = -1;

    if ((hello->flags & MESH_FLAG_LANE) != 0)
        c->lane = mesh_lane_new(&fd); /* without one all goes by the socket */
    answer.lane = c->lane != NULL;
    (void)mesh_message_send_answer(c->fd, &answer, NULL, fd);
    if (fd >= 0)
        close(fd);
}

static void start(struct mesh_connections *all, struct connection *c);

/* Serves the socket that came beside an ADOPT, with the rights of this one; the
 * answer goes there, for this one may be shared by several processes. */
static void adopt(struct connection *parent, int fd,
                  const struct mesh_request *hello)
{
    struct connection *c;
    struct mesh_peer maker;
    int domain = 0, type = 0;
    socklen_t len = sizeof(int);

    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) < 0
        || getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0
        || domain != AF_UNIX || type != SOCK_SEQPACKET
        || (c = OPENSSL_zalloc(sizeof(*c))) == NULL) {
        close(fd);
        return;
    }
    /* the log names the process that made the pair */
    (void)identify(parent->all, fd, &maker);
    c->fd = fd;
    c->peer = maker;
    c->peer.is_owner = parent->peer.is_owner;
    c->adopted = c->greeted = 1;
    c->hello = *hello;
    start(parent->all, c);
}

/* Decides once and for all whether the connection is served. */
static enum mesh_reason admit(struct connection *c)
{
    enum mesh_reason refusal;

    pthread_mutex_lock(&c->all->mutex);
    refusal = c->refusal;
    c->greeted = refusal == MESH_R_NONE;
    pthread_mutex_unlock(&c->all->mutex);
    return refusal;
}

/* Takes the first request, which must be hello.  Returns whether to go on. */
static int greet(struct connection *c)
{
    struct mesh_request request = c->hello;
    unsigned char *data = NULL;
    size_t len = 0;
    int passed = -1, ok = 0;
    enum mesh_message_result result = MESH_MESSAGE_OK;
    enum mesh_reason refusal;
    uid_t sender;

    if (!c->adopted)
        result = mesh_message_receive_request(c->fd, c->all->hello_ms, &request,
                                              &data, &len, &passed, &sender);
    if (result == MESH_MESSAGE_MALFORMED) {
        say_refusal(c->fd, &request, MESH_R_KEYD_PROTOCOL,
                    request.version == MESH_MESSAGE_VERSION
                        ? "the request makes no sense"
                        : "another version of the protocol than mesh-keyd's");
    } else if (result == MESH_MESSAGE_OK && !c->adopted
               && request.type != MESH_REQ_HELLO) {
        say_refusal(c->fd, &request, MESH_R_KEYD_PROTOCOL,
                    "the first request must be hello");
    } else if (result == MESH_MESSAGE_OK) {
        refusal = admit(c);
        ok = refusal == MESH_R_NONE;
        if (ok)
            say_welcome(c, &request);
        else
            say_refusal(c->fd, &request, refusal,
                        refusal == MESH_R_KEYD_FOREIGN
                            ? "this mesh-keyd is another user's"
                            : "mesh-keyd has as many connections as it may "
                              "have (max-connections)");
    }
    if (passed >= 0)
        close(passed);
    OPENSSL_clear_free(data, len);
    return ok;
}

/* Whether it is time to look at the socket, and there is something: requests
 * may come by the lane without pause, and a child to be adopted, or the end,
 * would wait for ever. */
static int socket_is_due(struct connection *c)
{
    struct pollfd socket = {.fd = c->fd, .events = POLLIN};

    if (c->rhythm.ended - c->looked_us < SOCKET_US)
        return 0;
    c->looked_us = c->rhythm.ended;
    return poll(&socket, 1, 0) == 1;
}

/* Waits for a request, at the lane as long as it was promised, then at the
 * socket. */
static enum mesh_message_result next_request(struct connection *c,
                                             struct mesh_request *request,
                                             unsigned char **data, size_t *len,
                                             int *passed)
{
    enum mesh_message_result result;
    uid_t sender;

    *passed = -1;
    c->peer.sends_as_owner = 0; /* by the lane nobody knows */
    if (c->lane != NULL && !socket_is_due(c)
        && mesh_lane_receive_request(c->lane, c->look_us, &result, request,
                                     data, len))
        return result;
    result = mesh_message_receive_request(c->fd, -1, request, data, len, passed,
                                          &sender);
    c->peer.sends_as_owner = is_owner(sender);
    return result;
}

static void say_result(struct connection *c, struct mesh_answer *answer,
                       unsigned char *out)
{
    unsigned client_us;

    if (c->lane != NULL) {
        mesh_rhythm_end(&c->rhythm, &c->look_us, &client_us);
        mesh_lane_promise(c->lane, c->look_us > 0, client_us);
        if (mesh_lane_send_answer(c->lane, answer, out)) {
            OPENSSL_clear_free(out, answer->data_len);
            return;
        }
    }
    say(c->fd, answer, out);
}

/* Serves one request.  Returns whether to go on. */
static int serve_one(struct connection *c)
{
    struct mesh_request request;
    struct mesh_answer answer;
    unsigned char *data, *out = NULL;
    size_t len;
    int passed, ok = 1;
    enum mesh_message_result result =
        next_request(c, &request, &data, &len, &passed);

    if (result == MESH_MESSAGE_MALFORMED) {
        say_refusal(c->fd, &request, MESH_R_KEYD_PROTOCOL,
                    "the request makes no sense");
        return 0;
    }
    if (result != MESH_MESSAGE_OK)
        return 0;
    if (request.type == MESH_REQ_ADOPT) {
        /* Without a descriptor (the limit of open files) there is nobody to
         * tell: the sender sees its end of the pair closed. */
        if (passed >= 0)
            adopt(c, passed, &request);
        OPENSSL_clear_free(data, len);
        return 1;
    }
    mesh_rhythm_begin(&c->rhythm,
                      c->lane != NULL ? mesh_lane_client_cpu(c->lane) : -1);
    if (passed >= 0) {
        close(passed);
        ok = 0;
        mesh_request_refuse(&request, MESH_R_KEYD_PROTOCOL,
                            "a descriptor came beside the request", &answer,
                            &out);
    } else if (request.type == MESH_REQ_HELLO) {
        ok = 0;
        mesh_request_refuse(&request, MESH_R_KEYD_PROTOCOL, "a second hello",
                            &answer, &out);
    } else {
        mesh_request_serve(c->all->service, &c->peer, &request, data, len,
                           &answer, &out);
        ok = answer.reason != MESH_R_KEYD_PROTOCOL;
    }
    OPENSSL_clear_free(data, len);
    say_result(c, &answer, out);
    return ok;
}

static void remove_connection(struct connection *c)
{
    struct mesh_connections *all = c->all;

    pthread_mutex_lock(&all->mutex);
    *c->at = c->next;
    if (c->next != NULL)
        c->next->at = c->at;
    if (c->refusal != MESH_R_NONE)
        all->refused--;
    else
        all->count--;
    atomic_store(&all->service->connections, all->count);
    all->last = now();
    close(c->fd);
    mesh_lane_free(c->lane);
    pthread_cond_signal(&all->ended);
    pthread_mutex_unlock(&all->mutex);
    OPENSSL_free(c);
}

static void *serve(void *arg)
{
    struct connection *c = arg;

    mesh_rhythm_unbound();
    if (greet(c))
        while (serve_one(c))
            ;
    /* what libcrypto keeps for this thread, while its context exists */
    OPENSSL_thread_stop_ex(c->all->service->ctx->libctx);
    OPENSSL_thread_stop();
    remove_connection(c);
    return NULL;
}

/* With the mutex held: makes room by ending a connection that has not said
 * hello, so that silent ones cannot keep others out. */
static void end_silent(struct mesh_connections *all)
{
    struct connection *c, *oldest = NULL;

    for (c = all->first; c != NULL; c = c->next)
        if (!c->greeted && c->refusal == MESH_R_NONE)
            oldest = c; /* new ones are put in front */
    if (oldest == NULL)
        return;
    oldest->refusal = MESH_R_KEYD_BUSY;
    all->count--;
    all->refused++;
    shutdown(oldest->fd, SHUT_RD);
}

/* Puts a connection on the list and starts its thread. */
static void start(struct mesh_connections *all, struct connection *c)
{
    struct timeval limit = {.tv_sec = SEND_SECONDS};
    pthread_attr_t attr;
    pthread_t thread;
    int accepted = 1;

    (void)fcntl(c->fd, F_SETFL, 0); /* blocking: the other end may share it */
    (void)setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    /* each request with who sent it; without, what the owner alone may do is
     * refused */
    (void)setsockopt(c->fd, SOL_SOCKET, SO_PASSCRED, &(int){1}, sizeof(int));
    c->all = all;
    c->peer.fd = c->fd;
    pthread_mutex_lock(&all->mutex);
    if (c->refusal == MESH_R_NONE && all->count >= all->max)
        end_silent(all);
    if (c->refusal == MESH_R_NONE && all->count >= all->max)
        c->refusal = MESH_R_KEYD_BUSY;
    if (c->refusal != MESH_R_NONE && all->refused >= REFUSED_MAX) {
        accepted = 0;
    } else {
        if (c->refusal != MESH_R_NONE)
            all->refused++;
        else
            all->count++;
        atomic_store(&all->service->connections, all->count);
        c->at = &all->first;
        c->next = all->first;
        if (c->next != NULL)
            c->next->at = &c->next;
        all->first = c;
    }
    pthread_mutex_unlock(&all->mutex);
    if (!accepted) {
        close(c->fd);
        OPENSSL_free(c);
        return;
    }
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, STACK_SIZE);
    if (pthread_create(&thread, &attr, serve, c) != 0) {
        mesh_log("no thread for a connection: it is closed");
        remove_connection(c);
    }
    pthread_attr_destroy(&attr);
}

void mesh_connection_start(struct mesh_connections *all, int fd)
{
    struct connection *c = OPENSSL_zalloc(sizeof(*c));

    if (c == NULL) {
        close(fd);
        return;
    }
    c->fd = fd;
    if (!identify(all, fd, &c->peer)) {
        mesh_log("%s may not connect", c->peer.log_name);
        c->refusal = MESH_R_KEYD_FOREIGN;
    }
    start(all, c);
}

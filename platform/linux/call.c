/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Calls to mesh-keyd: how it is reached, and what goes over a connection.
 */
#include "platform/linux/call.h"

#include "platform/linux/pool.h"
#include "platform/linux/socket_path.h"
#include "platform/linux/spawn.h"
#include "platform/posix/portable.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define GREET_SECONDS 10 /* for connecting, hello and adopt, each */
#define ADOPT_TRIES   2  /* connections that are silent */
#define GRACE_SECONDS 30 /* beyond the time for a prompt */
#define PROMPT_MAX    (24 * 3600u)
#define OPEN_WAIT_MS  40000 /* while another thread starts mesh-keyd */
#define OPEN_PAUSE_NS 200000

/* What a request of a type may do to the world. */
static const struct {
    const char *what;
    int repeatable; /* doing it twice is as good as once */
    int prompts;
} kinds[] = {
    [MESH_REQ_HELLO] = {"hello", 1, 0},
    [MESH_REQ_STAT] = {"looking for a key", 1, 0},
    [MESH_REQ_OPERATE] = {"using a key", 1, 1},
    [MESH_REQ_GENERATE] = {"generating a key", 0, 1},
    [MESH_REQ_IMPORT] = {"importing a key", 0, 1},
    [MESH_REQ_REGISTER] = {"registering a key file", 0, 1},
    [MESH_REQ_DELETE] = {"deleting a key", 0, 1},
    [MESH_REQ_LIST] = {"listing keys", 1, 0},
    [MESH_REQ_LOCK] = {"forgetting keys", 1, 0},
    [MESH_REQ_STATUS] = {"the status", 1, 0},
    [MESH_REQ_ADOPT] = {"adopt", 1, 0},
};

enum greeting {
    GREETED,
    GONE,   /* nobody there; nothing raised */
    SILENT, /* no answer in time; nothing raised */
    REFUSED /* raised */
};

static int raise_result(struct mesh_context *ctx,
                        enum mesh_message_result result,
                        const struct mesh_call *call, unsigned seconds)
{
    const char *what = kinds[call->request.type].what;

    switch (result) {
    case MESH_MESSAGE_OK:
        return 1;
    case MESH_MESSAGE_CLOSED:
        return mesh_raise(ctx, MESH_R_KEYD_LOST, "mesh-keyd went away (%s)%s",
                          what,
                          kinds[call->request.type].repeatable
                              ? ""
                              : "; whether it was done is not known: look "
                                "with `meshctl list`");
    case MESH_MESSAGE_TIMEOUT:
        return mesh_raise(ctx, MESH_R_TIMEOUT,
                          "mesh-keyd did not answer within %u seconds (%s)",
                          seconds, what);
    case MESH_MESSAGE_MALFORMED:
        if (call->answer.version != 0
            && call->answer.version != MESH_MESSAGE_VERSION)
            return mesh_raise(ctx, MESH_R_KEYD_PROTOCOL,
                              "mesh-keyd speaks version %u of its protocol, "
                              "this program version %u: end it, so that the "
                              "installed one is started",
                              call->answer.version, MESH_MESSAGE_VERSION);
        return mesh_raise(ctx, MESH_R_KEYD_PROTOCOL,
                          "mesh-keyd's answer makes no sense (%s)", what);
    default:
        return mesh_raise(ctx, MESH_R_KEYD_LOST, "mesh-keyd (%s): %s", what,
                          strerror(errno));
    }
}

static int raise_answer(struct mesh_context *ctx, const struct mesh_call *call)
{
    if (call->answer.reason == MESH_R_NONE)
        return 1;
    if (call->answer.reason >= MESH_R_END)
        return mesh_raise(ctx, MESH_R_KEYD_PROTOCOL,
                          "mesh-keyd failed for a reason that this program "
                          "does not know (%u)",
                          call->answer.reason);
    return mesh_raise(ctx, (enum mesh_reason)call->answer.reason, "%s",
                      call->result != NULL ? (char *)call->result
                                           : "mesh-keyd refused");
}

void mesh_call_free(struct mesh_call *call)
{
    OPENSSL_clear_free(call->result, call->result_len);
    call->result = NULL;
    call->result_len = 0;
}

/* What every answer must have. */
static enum mesh_message_result check_serial(struct mesh_call *call,
                                             enum mesh_message_result result)
{
    if (result != MESH_MESSAGE_OK
        || call->answer.serial == call->request.serial)
        return result;
    mesh_call_free(call);
    return MESH_MESSAGE_MALFORMED;
}

void mesh_call_start(struct mesh_call *call, struct mesh_context *ctx,
                     enum mesh_request_type type)
{
    memset(call, 0, sizeof(*call));
    call->request.version = MESH_MESSAGE_VERSION;
    call->request.type = type;
    call->request.serial = atomic_fetch_add(&ctx->keystore->serial, 1) + 1;
}

/* Receives the answer to hello or adopt, with the memory of a lane beside it;
 * *lane is NULL if there is none, or none that works here. */
static enum greeting greet(struct mesh_context *ctx, int fd,
                           struct mesh_call *call, struct mesh_lane **lane)
{
    enum mesh_message_result result;
    int ok, lane_fd;

    *lane = NULL;
    result =
        mesh_message_receive_answer(fd, GREET_SECONDS * 1000, &call->answer,
                                    &call->result, &call->result_len, &lane_fd);
    result = check_serial(call, result);
    if (result == MESH_MESSAGE_CLOSED)
        return GONE;
    if (result == MESH_MESSAGE_TIMEOUT)
        return SILENT;
    ok = raise_result(ctx, result, call, GREET_SECONDS)
         && raise_answer(ctx, call);
    if (lane_fd >= 0) {
        if (ok)
            *lane = mesh_lane_map(lane_fd);
        close(lane_fd);
    }
    mesh_call_free(call);
    return ok ? GREETED : REFUSED;
}

static unsigned prompt_seconds(const struct mesh_context *ctx)
{
    return ctx->config.prompt_timeout < PROMPT_MAX ? ctx->config.prompt_timeout
                                                   : PROMPT_MAX;
}

/* No send or connect on fd waits longer than a greeting; no answer is waited
 * for longer than a prompt may take. */
static int limit_waiting(const struct mesh_context *ctx, int fd)
{
    struct timeval greeting = {.tv_sec = GREET_SECONDS};
    struct timeval prompt = {.tv_sec = prompt_seconds(ctx) + GRACE_SECONDS};

    return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &greeting, sizeof(greeting))
               == 0
           && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &prompt, sizeof(prompt))
                  == 0;
}

/* Sends hello or adopt, and makes a socket that is greeted a connection; closes
 * it else.  parent: over which connection a child's socket is passed. */
static enum greeting introduce(struct mesh_context *ctx, int fd,
                               const struct mesh_connection *parent,
                               int pass_fd, struct mesh_connection *made)
{
    struct mesh_call call;
    struct mesh_lane *lane = NULL;
    enum greeting greeting;
    enum mesh_message_result sent;

    mesh_call_start(&call, ctx,
                    parent != NULL ? MESH_REQ_ADOPT : MESH_REQ_HELLO);
    call.request.flags = MESH_FLAG_LANE;
    sent = mesh_message_send_request(parent != NULL ? mesh_connection_fd(parent)
                                                    : fd,
                                     &call.request, NULL, NULL, pass_fd);
    if (pass_fd >= 0)
        close(pass_fd);
    if (sent == MESH_MESSAGE_CLOSED)
        greeting = GONE;
    else if (sent == MESH_MESSAGE_TIMEOUT)
        greeting = SILENT;
    else if (raise_result(ctx, sent, &call, GREET_SECONDS))
        greeting = greet(ctx, fd, &call, &lane);
    else
        greeting = REFUSED;
    if (greeting == GREETED && mesh_pool_add(ctx->keystore, fd, lane, made))
        return GREETED;
    if (greeting == GREETED) {
        mesh_raise(ctx, MESH_R_KEYD_START, "too many open files");
        greeting = REFUSED;
    }
    mesh_lane_free(lane);
    close(fd);
    return greeting;
}

/* Passes one end of a new socket pair over an inherited connection: one atomic
 * message, so that the processes that share it do not disturb each other. */
static enum greeting adopted_by(struct mesh_context *ctx,
                                const struct mesh_connection *parent,
                                struct mesh_connection *made)
{
    int pair[2] = {-1, -1}, i;

    if (!mesh_connection_is_open(parent))
        return GONE;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0)
        pair[0] = mesh_descriptor_above_standard(pair[0]);
    if (pair[0] < 0 || !limit_waiting(ctx, pair[0])) {
        mesh_raise(ctx, MESH_R_KEYD_START, "socketpair: %s", strerror(errno));
        for (i = 0; i < 2; i++)
            if (pair[i] >= 0)
                close(pair[i]);
        return REFUSED;
    }
    return introduce(ctx, pair[0], parent, pair[1], made);
}

/* Tries the inherited connections, and drops those whose mesh-keyd is gone.  A
 * silent one is kept: somebody may be asked for a password there, and for some
 * processes there is no other way. */
static enum greeting adopt(struct mesh_context *ctx,
                           struct mesh_connection *made)
{
    struct mesh_connection parent;
    enum greeting greeting;
    int i, silent = 0;

    for (i = 0; i < MESH_POOL_SIZE && silent < ADOPT_TRIES; i++) {
        if (!mesh_pool_inherited(ctx->keystore, i, &parent))
            continue;
        greeting = adopted_by(ctx, &parent, made);
        if (greeting == GREETED || greeting == REFUSED)
            return greeting;
        if (greeting == SILENT)
            silent++;
        else
            mesh_pool_drop(ctx->keystore, &parent);
    }
    return silent > 0 ? SILENT : GONE;
}

/* One thread more of a process that became another user or went into another
 * root: over another thread's connection, when that is idle.  If mesh-keyd does
 * not serve a new one, it is the idle one. */
static enum greeting adopt_by_thread(struct mesh_context *ctx,
                                     struct mesh_connection *made)
{
    const struct timespec pause = {.tv_nsec = OPEN_PAUSE_NS};
    struct mesh_context quiet = mesh_context_quiet(ctx);
    struct mesh_connection own;
    int64_t left = (int64_t)OPEN_WAIT_MS * 1000000;

    while (mesh_pool_has(ctx->keystore) && left > 0) {
        if (!mesh_pool_take(ctx->keystore, &own)) {
            nanosleep(&pause, NULL);
            left -= OPEN_PAUSE_NS;
            continue;
        }
        switch (adopted_by(&quiet, &own, made)) {
        case GREETED:
            mesh_pool_give_back(ctx->keystore, &own);
            return GREETED;
        case SILENT:
        case REFUSED:
            *made = own;
            return GREETED;
        case GONE:
            mesh_pool_drop(ctx->keystore, &own);
        }
    }
    return GONE;
}

/* Whether the program at the other end may be our key holder. */
static int check_peer(struct mesh_context *ctx, int fd, int dir_fd,
                      const char *path)
{
    struct ucred peer;
    struct stat folder;
    socklen_t len = sizeof(peer);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0
        || fstat(dir_fd, &folder) < 0)
        return mesh_raise(ctx, MESH_R_KEYD_START, "%s: %s", path,
                          strerror(errno));
    if (peer.uid == geteuid() || peer.uid == 0
        || (ctx->config.keyd_socket != NULL && peer.uid == folder.st_uid))
        return 1;
    return mesh_raise(ctx, MESH_R_KEYD_FOREIGN,
                      "%s is served by process %d of user %u, not by one of "
                      "user %u: nothing was sent to it",
                      path, (int)peer.pid, (unsigned)peer.uid,
                      (unsigned)geteuid());
}

static enum greeting raise_silence(struct mesh_context *ctx, const char *what)
{
    mesh_raise(ctx, MESH_R_TIMEOUT,
               "mesh-keyd did not answer within %u seconds (%s)", GREET_SECONDS,
               what);
    return REFUSED;
}

static enum greeting connect_by_path(struct mesh_context *ctx,
                                     struct mesh_connection *made)
{
    enum greeting greeting = REFUSED;
    struct sockaddr_un address;
    socklen_t len;
    char *path;
    int dir_fd, fd = -1;

    if (!mesh_socket_folder(ctx, 0, &dir_fd, &path))
        return REFUSED;
    if (dir_fd < 0) {
        greeting = GONE;
        goto end;
    }
    if (!mesh_socket_address(ctx, dir_fd, path, &address, &len))
        goto end;
    fd = mesh_descriptor_above_standard(
        socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    if (fd < 0 || !limit_waiting(ctx, fd)) {
        mesh_raise(ctx, MESH_R_KEYD_START, "%s: %s", path, strerror(errno));
        goto end;
    }
    if (connect(fd, (struct sockaddr *)&address, len) < 0) {
        if (errno == ENOENT || errno == ECONNREFUSED)
            greeting = GONE;
        else
            mesh_raise(ctx, MESH_R_KEYD_START, "%s: %s", path,
                       errno == EAGAIN ? "mesh-keyd takes no connections"
                                       : strerror(errno));
        goto end;
    }
    if (!check_peer(ctx, fd, dir_fd, path))
        goto end;
    greeting = introduce(ctx, fd, NULL, -1, made);
    if (greeting == SILENT)
        greeting = raise_silence(ctx, kinds[MESH_REQ_HELLO].what);
    fd = -1;
end:
    if (fd >= 0)
        close(fd);
    if (dir_fd >= 0)
        close(dir_fd);
    OPENSSL_free(path);
    return greeting;
}

/* Lets one thread at a time open connections.  The holder's process is what is
 * stored: a lock that was held in the parent during fork is nobody's here. */
static int begin_opening(struct mesh_context *ctx)
{
    const struct timespec pause = {.tv_nsec = OPEN_PAUSE_NS};
    int64_t waited = 0;
    uint32_t self = mesh_pool_process(ctx->keystore);

    for (;;) {
        uint32_t holder = atomic_load(&ctx->keystore->opening);

        if (holder != self
            && atomic_compare_exchange_strong(&ctx->keystore->opening, &holder,
                                              self))
            return 1;
        if (waited > (int64_t)OPEN_WAIT_MS * 1000000)
            return mesh_raise(ctx, MESH_R_TIMEOUT,
                              "another thread has tried for %d seconds to "
                              "reach mesh-keyd",
                              OPEN_WAIT_MS / 1000);
        nanosleep(&pause, NULL);
        waited += OPEN_PAUSE_NS;
    }
}

/* Why the folder of another user matters at all comes before what is wrong with
 * it. */
static void raise_orphaned(struct mesh_context *ctx, enum mesh_reason reason,
                           const char *file, int line, const char *func,
                           const char *text)
{
    struct mesh_context *outer = ctx->raise_arg;

    if (reason == MESH_R_KEYD_START || reason == MESH_R_UNSAFE_FILE)
        mesh_raise(outer, MESH_R_KEYD_LOST,
                   "the mesh-keyd that served this process has ended, and user "
                   "%u cannot reach or start another one; reload the program",
                   (unsigned)geteuid());
    outer->raise(outer, reason, file, line, func, text);
}

/* By the path, to one that is started if need be: all that is left to a child
 * whose inherited connections are gone. */
static enum greeting connect_or_start(struct mesh_context *ctx, int is_heir,
                                      struct mesh_connection *made)
{
    struct mesh_context last = *ctx;
    enum greeting greeting;

    if (is_heir) {
        last.raise = raise_orphaned;
        last.raise_arg = ctx;
    }
    greeting = connect_by_path(&last, made);
    if (greeting == GONE && mesh_keyd_spawn(&last)) {
        greeting = connect_by_path(&last, made);
        if (greeting == GONE)
            mesh_raise(&last, MESH_R_KEYD_START,
                       "mesh-keyd was started and is gone again");
    }
    return greeting;
}

static int open_connection(struct mesh_context *ctx,
                           struct mesh_connection *made)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    int is_heir = mesh_pool_is_heir(ctx->keystore);
    enum greeting greeting;

    if (!begin_opening(ctx))
        return 0;
    greeting = adopt(ctx, made);
    if (greeting == GONE && mesh_pool_has(ctx->keystore)
        && (greeting = connect_by_path(&quiet, made)) != GREETED)
        greeting = adopt_by_thread(ctx, made);
    /* the inherited mesh-keyd lives: none is started */
    if (greeting == SILENT
        && (greeting = connect_by_path(&quiet, made)) != GREETED)
        greeting = raise_silence(ctx, kinds[MESH_REQ_ADOPT].what);
    if (greeting == GONE)
        greeting = connect_or_start(ctx, is_heir, made);
    atomic_store(&ctx->keystore->opening, 0);
    return greeting == GREETED;
}

/* Sends the request and receives its answer; *sent says whether mesh-keyd may
 * have got it.  The socket has the time limit. */
static enum mesh_message_result transact(const struct mesh_connection *c,
                                         struct mesh_call *call, int *sent)
{
    struct mesh_lane *lane =
        mesh_message_goes_by_lane(call->request.type) ? c->lane : NULL;
    enum mesh_message_result result = MESH_MESSAGE_OK;
    int fd = mesh_connection_fd(c), by_lane;

    *sent = 0;
    by_lane = lane != NULL
              && mesh_lane_send_request(lane, &call->request, call->label,
                                        call->data);
    if (lane == NULL && c->lane != NULL)
        mesh_lane_leave(c->lane);
    if (!by_lane) {
        if (!mesh_connection_is_open(c))
            return MESH_MESSAGE_CLOSED;
        result = mesh_message_send_request(fd, &call->request, call->label,
                                           call->data, -1);
    }
    *sent = result == MESH_MESSAGE_OK;
    if (!*sent)
        return result;
    if (lane == NULL
        || !mesh_lane_receive_answer(lane, &result, &call->answer,
                                     &call->result, &call->result_len)) {
        if (by_lane && !mesh_connection_is_open(c))
            return MESH_MESSAGE_CLOSED;
        result = mesh_message_receive_answer(
            fd, -1, &call->answer, &call->result, &call->result_len, NULL);
    }
    return check_serial(call, result);
}

int mesh_call_keyd(struct mesh_context *ctx, struct mesh_call *call)
{
    struct mesh_keystore *store = ctx->keystore;
    struct mesh_request *request = &call->request;
    struct mesh_connection c;
    enum mesh_message_result result = MESH_MESSAGE_CLOSED;
    int attempt, sent, may_repeat = 1, ok = 0, saved = errno, cancel;

    if ((uint64_t)request->label_len + request->data_len > MESH_MESSAGE_MAX)
        return mesh_raise(ctx, MESH_R_USAGE,
                          "more data than mesh-keyd takes (%u octets)",
                          MESH_MESSAGE_MAX);
    if (kinds[request->type].prompts && ctx->config.prompt != MESH_PROMPT_NEVER)
        request->flags |= MESH_FLAG_PROMPT;
    request->timeout = prompt_seconds(ctx);
    /* a thread that is cancelled in here would leave a descriptor behind */
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    for (attempt = 0; attempt < 2 && may_repeat; attempt++) {
        if (!(attempt == 0 && mesh_pool_take(store, &c))
            && !open_connection(ctx, &c))
            goto end;
        result = transact(&c, call, &sent);
        if (result == MESH_MESSAGE_OK)
            mesh_pool_give_back(store, &c);
        else
            mesh_pool_drop(store, &c);
        may_repeat = result == MESH_MESSAGE_CLOSED
                     && (!sent || kinds[request->type].repeatable);
    }
    ok = raise_result(ctx, result, call, prompt_seconds(ctx) + GRACE_SECONDS)
         && raise_answer(ctx, call);
    if (!ok)
        mesh_call_free(call);
end:
    pthread_setcancelstate(cancel, NULL);
    errno = saved;
    return ok;
}

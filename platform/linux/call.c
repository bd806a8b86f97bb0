/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Connections to mesh-keyd, and calls over them.  They are kept in a pool that
 * needs no lock and no atfork handler: every entry says which process made it,
 * and a process never reads from a connection that it inherited.
 */
#include "platform/linux/call.h"

#include "platform/linux/socket_path.h"
#include "platform/linux/spawn.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define POOL_SIZE     64
#define GREET_SECONDS 10 /* for connecting, hello and adopt, each */
#define GRACE_SECONDS 30 /* beyond the time for a prompt */
#define PROMPT_MAX    (24 * 3600u)
#define OPEN_WAIT_MS  40000 /* while another thread starts mesh-keyd */
#define OPEN_PAUSE_NS 200000

/*
 * A connection in one word, 0 for none: the process that made it (22 bits, see
 * this_process), the low bits of its socket's inode number, the descriptor.
 * By the inode we see that the application closed all descriptors that it did
 * not know (daemons do) and the number is somebody else's now.
 */
typedef uint64_t connection;
#define PROCESS_BITS 22 /* the kernel's limit for a pid, too */
#define INODE_BITS   22
#define FD_BITS      20
#define SAME_BITS    (FD_BITS + INODE_BITS)
#define LOW(bits)    (((uint64_t)1 << (bits)) - 1)

struct mesh_keystore {
    _Atomic connection idle[POOL_SIZE]; /* ours, and inherited ones */
    /* The first connection, also while it is in use, so that a child that is
     * forked in that moment has one to be adopted by. */
    _Atomic connection anchor;
    _Atomic uint32_t opening; /* a thread of this process opens a connection */
    /* Which process this is, on a page that fork() clears; NULL if the kernel
     * has none.  And how many numbers we and our ancestors took. */
    _Atomic uint32_t *process;
    _Atomic uint32_t processes;
    _Atomic uint32_t serial;
};

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
    REFUSED /* raised */
};

static int fd_of(connection c)
{
    return (int)(c & LOW(FD_BITS));
}

/* A number, not 0, that no process has from which we inherited the store.  The
 * pid is not enough: a child that is the first process of a PID namespace may
 * have its parent's. */
static uint32_t this_process(struct mesh_keystore *store)
{
    uint32_t id, count, fresh;

    if (store->process == NULL)
        return (uint32_t)getpid();
    id = atomic_load(store->process);
    if (id != 0)
        return id;
    /* counted before it is used: a child forked in between counts on */
    count = atomic_fetch_add(&store->processes, 1);
    fresh = (uint32_t)(count % LOW(PROCESS_BITS)) + 1;
    return atomic_compare_exchange_strong(store->process, &id, fresh) ? fresh
                                                                      : id;
}

static int is_ours(struct mesh_keystore *store, connection c)
{
    return c >> SAME_BITS == this_process(store);
}

/* The word for a socket of this process; 0 if fd is none. */
static connection connection_of(struct mesh_keystore *store, int fd)
{
    struct stat st;

    if (fd > (int)LOW(FD_BITS) || fstat(fd, &st) < 0 || !S_ISSOCK(st.st_mode))
        return 0;
    return (uint64_t)this_process(store) << SAME_BITS
           | ((uint64_t)st.st_ino & LOW(INODE_BITS)) << FD_BITS | (uint64_t)fd;
}

static int still_open(struct mesh_keystore *store, connection c)
{
    return ((connection_of(store, fd_of(c)) ^ c) & LOW(SAME_BITS)) == 0;
}

static void drop(struct mesh_keystore *store, connection c)
{
    connection expected = c;
    int saved = errno;

    /* before the close: a recorded anchor is always an open one */
    atomic_compare_exchange_strong(&store->anchor, &expected, 0);
    if (still_open(store, c))
        close(fd_of(c));
    errno = saved;
}

static connection take_idle(struct mesh_keystore *store)
{
    size_t i;

    for (i = 0; i < POOL_SIZE; i++) {
        connection c = atomic_load(&store->idle[i]);

        if (c == 0 || !is_ours(store, c)
            || !atomic_compare_exchange_strong(&store->idle[i], &c, 0))
            continue;
        if (still_open(store, c))
            return c;
        drop(store, c);
    }
    return 0;
}

static void give_back(struct mesh_keystore *store, connection c)
{
    size_t i;

    for (i = 0; i < POOL_SIZE; i++) {
        connection empty = 0;

        if (atomic_load(&store->idle[i]) == 0
            && atomic_compare_exchange_strong(&store->idle[i], &empty, c))
            return;
    }
    drop(store, c);
}

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

static enum mesh_message_result receive(int fd, unsigned seconds,
                                        struct mesh_call *call)
{
    enum mesh_message_result result =
        mesh_message_receive_answer(fd, (int)seconds * 1000, &call->answer,
                                    &call->result, &call->result_len);

    if (result == MESH_MESSAGE_OK
        && call->answer.serial != call->request.serial) {
        mesh_call_free(call);
        result = MESH_MESSAGE_MALFORMED;
    }
    return result;
}

void mesh_call_start(struct mesh_call *call, struct mesh_context *ctx,
                     enum mesh_request_type type)
{
    memset(call, 0, sizeof(*call));
    call->request.version = MESH_MESSAGE_VERSION;
    call->request.type = type;
    call->request.serial = atomic_fetch_add(&ctx->keystore->serial, 1) + 1;
}

/* Receives the answer to hello or adopt. */
static enum greeting greet(struct mesh_context *ctx, int fd,
                           struct mesh_call *call)
{
    enum mesh_message_result result = receive(fd, GREET_SECONDS, call);
    int ok;

    if (result == MESH_MESSAGE_CLOSED)
        return GONE;
    ok = raise_result(ctx, result, call, GREET_SECONDS)
         && raise_answer(ctx, call);
    mesh_call_free(call);
    return ok ? GREETED : REFUSED;
}

/* No send or connect on fd waits longer than a greeting. */
static void limit_sending(int fd)
{
    struct timeval limit = {.tv_sec = GREET_SECONDS};

    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

/* Makes a greeted socket a connection, or closes it. */
static enum greeting keep(struct mesh_context *ctx, int fd,
                          enum greeting greeting, connection *made)
{
    connection none = 0;

    if (greeting == GREETED
        && (*made = connection_of(ctx->keystore, fd)) == 0) {
        mesh_raise(ctx, MESH_R_KEYD_START, "too many open files");
        greeting = REFUSED;
    }
    if (greeting == GREETED)
        atomic_compare_exchange_strong(&ctx->keystore->anchor, &none, *made);
    else
        close(fd);
    return greeting;
}

/* Passes one end of a new socket pair over an inherited connection: one atomic
 * message, so that the processes that share it do not disturb each other. */
static enum greeting adopted_by(struct mesh_context *ctx, connection parent,
                                connection *made)
{
    struct mesh_call call;
    enum greeting greeting;
    enum mesh_message_result sent;
    int pair[2] = {-1, -1};

    if (!still_open(ctx->keystore, parent))
        return GONE;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0)
        pair[0] = mesh_descriptor_above_standard(pair[0]);
    if (pair[0] < 0) {
        mesh_raise(ctx, MESH_R_KEYD_START, "socketpair: %s", strerror(errno));
        if (pair[1] >= 0)
            close(pair[1]);
        return REFUSED;
    }
    limit_sending(pair[0]);
    mesh_call_start(&call, ctx, MESH_REQ_ADOPT);
    sent = mesh_message_send_request(fd_of(parent), &call.request, NULL, NULL,
                                     pair[1]);
    close(pair[1]);
    if (sent == MESH_MESSAGE_CLOSED)
        greeting = GONE;
    else if (raise_result(ctx, sent, &call, GREET_SECONDS))
        greeting = greet(ctx, pair[0], &call);
    else
        greeting = REFUSED;
    return keep(ctx, pair[0], greeting, made);
}

/* Tries the inherited connections, and drops those whose mesh-keyd is gone. */
static enum greeting adopt(struct mesh_context *ctx, connection *made)
{
    struct mesh_keystore *store = ctx->keystore;
    enum greeting greeting = GONE;
    size_t i;

    for (i = 0; i <= POOL_SIZE && greeting == GONE; i++) {
        _Atomic connection *place =
            i < POOL_SIZE ? &store->idle[i] : &store->anchor;
        connection parent = atomic_load(place);

        if (parent == 0 || is_ours(store, parent))
            continue;
        greeting = adopted_by(ctx, parent, made);
        if (greeting == GONE
            && atomic_compare_exchange_strong(place, &parent, 0))
            drop(store, parent);
    }
    return greeting;
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

static enum greeting connect_by_path(struct mesh_context *ctx, connection *made)
{
    enum greeting greeting = REFUSED;
    struct sockaddr_un address;
    struct mesh_call call;
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
    if (fd < 0) {
        mesh_raise(ctx, MESH_R_KEYD_START, "%s: %s", path, strerror(errno));
        goto end;
    }
    limit_sending(fd);
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
    mesh_call_start(&call, ctx, MESH_REQ_HELLO);
    greeting = mesh_message_send_request(fd, &call.request, NULL, NULL, -1)
                       == MESH_MESSAGE_OK
                   ? greet(ctx, fd, &call)
                   : GONE;
    greeting = keep(ctx, fd, greeting, made);
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
    uint32_t self = this_process(ctx->keystore);

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

static int open_connection(struct mesh_context *ctx, connection *made)
{
    enum greeting greeting;

    if (!begin_opening(ctx))
        return 0;
    greeting = adopt(ctx, made);
    if (greeting == GONE)
        greeting = connect_by_path(ctx, made);
    if (greeting == GONE && mesh_keyd_spawn(ctx)) {
        greeting = connect_by_path(ctx, made);
        if (greeting == GONE)
            mesh_raise(ctx, MESH_R_KEYD_START,
                       "mesh-keyd was started and is gone again");
    }
    atomic_store(&ctx->keystore->opening, 0);
    return greeting == GREETED;
}

int mesh_call_keyd(struct mesh_context *ctx, struct mesh_call *call)
{
    struct mesh_keystore *store = ctx->keystore;
    struct mesh_request *request = &call->request;
    unsigned prompt_seconds = ctx->config.prompt_timeout < PROMPT_MAX
                                  ? ctx->config.prompt_timeout
                                  : PROMPT_MAX;
    unsigned limit = prompt_seconds + GRACE_SECONDS;
    enum mesh_message_result result = MESH_MESSAGE_CLOSED;
    int attempt, may_repeat = 1, ok = 0, saved = errno, cancel;

    if ((uint64_t)request->label_len + request->data_len > MESH_MESSAGE_MAX)
        return mesh_raise(ctx, MESH_R_USAGE,
                          "more data than mesh-keyd takes (%u octets)",
                          MESH_MESSAGE_MAX);
    if (kinds[request->type].prompts && ctx->config.prompt != MESH_PROMPT_NEVER)
        request->flags |= MESH_FLAG_PROMPT;
    request->timeout = prompt_seconds;
    /* a thread that is cancelled in here would leave a descriptor behind */
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    for (attempt = 0; attempt < 2 && may_repeat; attempt++) {
        connection c = attempt == 0 ? take_idle(store) : 0;

        if (c == 0 && !open_connection(ctx, &c))
            goto end;
        result = mesh_message_send_request(fd_of(c), request, call->label,
                                           call->data, -1);
        if (result == MESH_MESSAGE_OK) {
            may_repeat = kinds[request->type].repeatable;
            result = receive(fd_of(c), limit, call);
        }
        if (result == MESH_MESSAGE_OK)
            give_back(store, c);
        else
            drop(store, c);
        if (result != MESH_MESSAGE_CLOSED)
            may_repeat = 0;
    }
    ok = raise_result(ctx, result, call, limit) && raise_answer(ctx, call);
    if (!ok)
        mesh_call_free(call);
end:
    pthread_setcancelstate(cancel, NULL);
    errno = saved;
    return ok;
}

int mesh_keystore_open(struct mesh_context *ctx)
{
    struct mesh_keystore *store = OPENSSL_zalloc(sizeof(*store));
    const size_t size = sizeof(*store->process);
    int saved = errno;
    void *page;

    page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                -1, 0);
    if (store == NULL || page == MAP_FAILED) {
        if (page != MAP_FAILED)
            munmap(page, size);
        OPENSSL_free(store);
        return mesh_raise(ctx, MESH_R_MEMORY, "out of memory");
    }
    if (madvise(page, size, MADV_WIPEONFORK) == 0)
        store->process = page;
    else
        munmap(page, size);
    ctx->keystore = store;
    errno = saved;
    return 1;
}

void mesh_keystore_close(struct mesh_context *ctx)
{
    struct mesh_keystore *store = ctx->keystore;
    connection c;
    size_t i;
    int saved = errno;

    if (store == NULL)
        return;
    for (i = 0; i < POOL_SIZE; i++)
        if ((c = atomic_load(&store->idle[i])) != 0)
            drop(store, c);
    /* left: one that was in use in the parent during fork */
    if ((c = atomic_load(&store->anchor)) != 0)
        drop(store, c);
    if (store->process != NULL)
        munmap((void *)store->process, sizeof(*store->process));
    OPENSSL_free(store);
    ctx->keystore = NULL;
    errno = saved;
}

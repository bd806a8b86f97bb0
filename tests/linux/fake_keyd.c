/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A key holder for the client's tests, that misbehaves on order.
 */
#include "tests/linux/fake_keyd.h"

#include "platform/linux/lane.h"
#include "platform/linux/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

extern char **environ;

/* Longer than any operation of the fake, but for slow ones. */
#define LOOK_US 20000

static enum fake_behaviour behaviour;
static enum fake_lane lanes;
static atomic_uint by_lane;
static cpu_set_t processors;
static unsigned char *spki; /* of a key, for whoever wants one */
static int spki_len;
static char *socket_path;

static FILE *beside_socket(const char *name, const char *mode)
{
    char path[256];

    snprintf(path, sizeof(path), "%.*s/%s",
             (int)(strrchr(socket_path, '/') - socket_path), socket_path, name);
    return fopen(path, mode);
}

/* Says what the process was born with. */
static void report(int argc, char **argv)
{
    FILE *status = fopen("/proc/self/status", "re"), *f;
    char line[256], cwd[256] = "";
    unsigned long long blocked = 1, ignored = 1;
    int i, fds[16], n = 0;

    for (i = 0; i < 1024; i++)
        if (i != fileno(status) && fcntl(i, F_GETFD) != -1 && n < 16)
            fds[n++] = i;
    while (fgets(line, sizeof(line), status) != NULL)
        if (sscanf(line, "SigBlk: %llx", &blocked) != 1)
            sscanf(line, "SigIgn: %llx", &ignored);
    fclose(status);
    f = beside_socket("report", "w");
    for (i = 1; i < argc; i++)
        fprintf(f, "%s%s", argv[i], i < argc - 1 ? " " : "\n");
    for (i = 0; environ[i] != NULL; i++)
        fprintf(f, "%s\n", environ[i]);
    fprintf(f, "cwd %s\nfds", getcwd(cwd, sizeof(cwd)));
    for (i = 0; i < n; i++)
        fprintf(f, " %d", fds[i]);
    fprintf(f, "\nblocked %llx\nignored %llx\nsession %s\n", blocked, ignored,
            getsid(0) == getpid() ? "own" : "another's");
    fclose(f);
}

static void die(void)
{
    FILE *f;

    if (behaviour == FAKE_DIE)
        _exit(0);
    f = beside_socket("died", "r");
    if (f == NULL) {
        beside_socket("died", "w");
        _exit(0);
    }
    fclose(f);
}

/* Fills the answer to a request; its data is returned, allocated. */
static unsigned char *make_answer(const struct mesh_request *request,
                                  const unsigned char *data, size_t len,
                                  struct mesh_answer *answer)
{
    static const struct mesh_keystore_item items[2] = {
        {.name.udf = "MFIRST", .algorithm = "P-256", .source = "key-file"},
        {.name.udf = "MSECOND", .algorithm = "ED25519", .source = "memory"}};
    const struct mesh_keystore_status status = {
        .program = "fake", .cached = atomic_load(&by_lane)};
    const unsigned char *source = (const unsigned char *)"";
    unsigned char *out;
    uint32_t i, first = 0;

    switch (request->type) {
    case MESH_REQ_STAT:
        answer->held = 1;
        break;
    case MESH_REQ_OPERATE:
        source = data;
        answer->data_len = (uint32_t)len;
        if (len >= sizeof(first))
            memcpy(&first, data, sizeof(first));
        if (first == FAKE_SLOW_VALUE * 8)
            usleep(500000);
        if (first == FAKE_PROMPT_VALUE * 8)
            sleep(15);
        break;
    case MESH_REQ_GENERATE:
    case MESH_REQ_IMPORT:
    case MESH_REQ_REGISTER:
        source = spki;
        answer->data_len = (uint32_t)spki_len;
        break;
    case MESH_REQ_LIST:
        source = (const unsigned char *)items;
        answer->data_len = sizeof(items);
        break;
    case MESH_REQ_STATUS:
        source = (const unsigned char *)&status;
        answer->data_len = sizeof(status);
        break;
    default:
        break;
    }
    if (request->type == MESH_REQ_REGISTER
        && (len != 24 || memcmp(data, "/a\0secret-service\0geheim", 24) != 0))
        answer->reason = MESH_R_INTERNAL;
    out = malloc(answer->data_len + 1000);
    memcpy(out, source, answer->data_len);
    for (i = 0; request->type == MESH_REQ_OPERATE && i < len; i++)
        out[i] = (unsigned char)~out[i];
    return out;
}

static void refuse(struct mesh_answer *answer, unsigned char *out,
                   uint32_t reason, const char *text)
{
    answer->reason = reason;
    answer->data_len = (uint32_t)strlen(text);
    memcpy(out, text, answer->data_len);
}

/* Changes a good answer; 0: there is to be none. */
static int misbehave(const struct mesh_request *request,
                     struct mesh_answer *answer, unsigned char *out)
{
    const int hello = request->type == MESH_REQ_HELLO;

    switch (behaviour) {
    case FAKE_OTHER_VERSION:
        answer->version = 99;
        break;
    case FAKE_BUSY:
        refuse(answer, out, MESH_R_KEYD_BUSY, "too many connections");
        break;
    case FAKE_SILENT_HELLO:
        return 0;
    case FAKE_SILENT:
        return hello;
    case FAKE_DIE:
    case FAKE_DIE_ONCE:
        if (!hello)
            die();
        break;
    case FAKE_WRONG_SERIAL:
        answer->serial += !hello;
        break;
    case FAKE_REASON:
        if (!hello)
            refuse(answer, out, MESH_R_LOCKED, "unlock it first");
        break;
    case FAKE_UNKNOWN_REASON:
        if (!hello)
            refuse(answer, out, 60000, "?");
        break;
    case FAKE_TOO_LONG:
        answer->data_len = hello ? 0 : request->out_max + 1;
        break;
    case FAKE_EMPTY:
        answer->data_len = 0;
        break;
    case FAKE_SHORT:
        answer->data_len -= answer->data_len > 0;
        break;
    case FAKE_GARBAGE:
        memset(out, 'x', answer->data_len);
        break;
    default:
        break;
    }
    return 1;
}

/* The answer to hello, with the lane's memory beside it. */
static struct mesh_lane *give_lane(int fd, struct mesh_answer *answer)
{
    struct mesh_lane *lane = NULL;
    int memory;

    if (lanes == FAKE_LANE_UNSEALED) {
        memory = memfd_create("fake", MFD_ALLOW_SEALING);
        if (ftruncate(memory, 12032) != 0)
            _exit(1);
    } else {
        lane = mesh_lane_new(&memory);
    }
    answer->lane = 1;
    mesh_message_send_answer(fd, answer, NULL, memory);
    close(memory);
    return lane;
}

/* Goes to another processor than the client's, so that both can look. */
static void leave(int cpu)
{
    cpu_set_t set = processors;

    if (sched_getcpu() != cpu)
        return;
    CPU_CLR((unsigned)cpu, &set);
    if (CPU_COUNT(&set) > 0)
        sched_setaffinity(0, sizeof(set), &set);
}

static void say(int fd, struct mesh_lane *lane, struct mesh_answer *answer,
                const void *out)
{
    int said = 0;

    if (lane != NULL) {
        leave(mesh_lane_client_cpu(lane));
        mesh_lane_promise(lane, 1, LOOK_US);
        said = mesh_lane_send_answer(lane, answer, out);
    }
    if (!said || lanes == FAKE_LANE_TWICE)
        mesh_message_send_answer(fd, answer, out, -1);
}

static enum mesh_message_result next(int fd, struct mesh_lane *lane,
                                     struct mesh_request *request,
                                     unsigned char **data, size_t *len,
                                     int *passed)
{
    enum mesh_message_result result;
    uid_t sender;

    *passed = -1;
    if (lane == NULL
        || !mesh_lane_receive_request(lane, LOOK_US, &result, request, data,
                                      len))
        return mesh_message_receive_request(fd, -1, request, data, len, passed,
                                            &sender);
    atomic_fetch_add(&by_lane, 1);
    return result;
}

struct peer {
    int fd;
    struct mesh_request adopt; /* what it said to its parent, if anything */
};

static void start(int fd, const struct mesh_request *adopt);

static void *serve(void *arg)
{
    struct peer *peer = arg;
    struct mesh_lane *lane = NULL;
    struct mesh_request request = peer->adopt;
    unsigned char *data = NULL;
    size_t len = 0;
    int fd = peer->fd, passed = -1;
    enum mesh_message_result result = MESH_MESSAGE_OK;

    free(peer);
    if (request.type != MESH_REQ_ADOPT)
        result = next(fd, lane, &request, &data, &len, &passed);
    while (result == MESH_MESSAGE_OK) {
        struct mesh_answer answer = {.version = MESH_MESSAGE_VERSION,
                                     .serial = request.serial};
        unsigned char *out = make_answer(&request, data, len, &answer);

        if (passed >= 0)
            start(passed, &request);
        else if (!misbehave(&request, &answer, out))
            ;
        else if ((request.flags & MESH_FLAG_LANE) != 0 && lanes != FAKE_NO_LANE
                 && answer.reason == MESH_R_NONE)
            lane = give_lane(fd, &answer);
        else
            say(fd, lane, &answer, out);
        free(out);
        OPENSSL_clear_free(data, len);
        result = next(fd, lane, &request, &data, &len, &passed);
    }
    mesh_lane_free(lane);
    close(fd);
    return NULL;
}

static void start(int fd, const struct mesh_request *adopt)
{
    struct peer *peer = calloc(1, sizeof(*peer));
    pthread_t thread;

    peer->fd = fd;
    if (adopt != NULL)
        peer->adopt = *adopt;
    if (pthread_create(&thread, NULL, serve, peer) == 0)
        pthread_detach(thread);
}

/* A lock for life, with the pid in it; whoever comes second has nothing to do
 * but to wait until the first one serves. */
static int lock_or_wait(const struct sockaddr_un *address)
{
    FILE *f = beside_socket("lock", "a");
    int fd;

    if (lockf(fileno(f), F_TLOCK, 0) == 0) {
        if (ftruncate(fileno(f), 0) == 0)
            fprintf(f, "%d\n", getpid());
        fflush(f);
        return 1;
    }
    do {
        usleep(1000);
        fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    } while (connect(fd, (const struct sockaddr *)address, sizeof(*address))
             < 0);
    return 0;
}

int fake_keyd(int argc, char **argv)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd, number = 0, lane = 0, ready = atoi(argv[argc - 1]);
    EVP_PKEY *key;
    FILE *f;

    socket_path = argv[2];
    sched_getaffinity(0, sizeof(processors), &processors);
    report(argc, argv);
    f = beside_socket("behaviour", "r");
    if (f == NULL || fscanf(f, "%d %d", &number, &lane) != 2)
        return 1;
    fclose(f);
    behaviour = (enum fake_behaviour)number;
    lanes = (enum fake_lane)lane;
    if (behaviour == FAKE_ENDS_AT_ONCE)
        return 0;
    if (behaviour == FAKE_NOT_STARTED)
        return write(ready, "Ecannot do it", 13) != 13;
    strcpy(address.sun_path, socket_path);
    if (lock_or_wait(&address)) {
        key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
        spki_len = i2d_PUBKEY(key, &spki);
        unlink(socket_path);
        fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
        if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0
            || listen(fd, 100) != 0)
            return 1;
    } else {
        return write(ready, "R", 1) != 1;
    }
    if (behaviour == FAKE_NEVER_READY)
        pause();
    if (write(ready, "R", 1) != 1)
        return 1;
    for (;;)
        start(accept(fd, NULL, NULL), NULL);
}

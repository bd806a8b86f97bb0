/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Lanes: messages through memory that client and mesh-keyd share.
 */
#include "platform/linux/lane.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <openssl/crypto.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SEALS      (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
#define CACHE_LINE 64
/* The longest signature of ML-DSA fits; with the rest it is three pages, of
 * which short messages touch two. */
#define SLOT_SIZE       5952
#define LOOKS_PER_CLOCK 32
/* Naps end, so that the socket can tell that the peer is gone. */
#define REQUEST_NAP_US 5000
#define ANSWER_NAP_US  50000

/* What the receiver of a slot does.  It leaves LOOKING and NAPPING by one
 * exchange, and so does the sender to FULL: a message is never left where
 * nobody comes. */
enum slot_state {
    SLOT_AWAY, /* waits at the socket; so it begins, as zeros */
    SLOT_LOOKING,
    SLOT_NAPPING, /* to be woken by futex */
    SLOT_FULL
};

struct slot {
    _Alignas(CACHE_LINE) _Atomic uint32_t state;
    /* in the answer's slot: how long the client may look for the next one */
    _Atomic uint32_t client_us;
    /* Where the sender ran.  Whoever looks for a message from there keeps its
     * sender from working. */
    _Atomic int32_t cpu;
    _Alignas(CACHE_LINE) unsigned char octets[SLOT_SIZE];
};

struct mesh_lane {
    struct slot request, answer;
};

#if defined(__x86_64__) || defined(__i386__)
#define RELAX() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define RELAX() __asm__ __volatile__("yield")
#else
#define RELAX() atomic_signal_fence(memory_order_seq_cst)
#endif

static struct mesh_lane *map(int fd)
{
    void *lane = mmap(NULL, sizeof(struct mesh_lane), PROT_READ | PROT_WRITE,
                      MAP_SHARED, fd, 0);
    int saved;

    if (lane == MAP_FAILED)
        return NULL;
    /* a child must not touch it; what passes through is for no core dump */
    if (madvise(lane, sizeof(struct mesh_lane), MADV_DONTFORK) == 0
        && madvise(lane, sizeof(struct mesh_lane), MADV_DONTDUMP) == 0)
        return lane;
    saved = errno;
    munmap(lane, sizeof(struct mesh_lane));
    errno = saved;
    return NULL;
}

struct mesh_lane *mesh_lane_new(int *fd)
{
    struct mesh_lane *lane = NULL;
    int saved;

    *fd = memfd_create("mesh-lane", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (*fd < 0)
        return NULL;
    if (ftruncate(*fd, sizeof(*lane)) == 0
        && fcntl(*fd, F_ADD_SEALS, SEALS) == 0)
        lane = map(*fd);
    if (lane == NULL) {
        saved = errno;
        close(*fd);
        *fd = -1;
        errno = saved;
    } else
        lane->request.cpu = lane->answer.cpu = -1; /* not said yet */
    return lane;
}

struct mesh_lane *mesh_lane_map(int fd)
{
    struct stat st;
    int seals = fcntl(fd, F_GET_SEALS);

    /* a file that shrinks would end the process by SIGBUS */
    if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &st) < 0
        || st.st_size != (off_t)sizeof(struct mesh_lane)) {
        errno = EINVAL;
        return NULL;
    }
    return map(fd);
}

void mesh_lane_free(struct mesh_lane *lane)
{
    int saved = errno;

    if (lane != NULL)
        munmap(lane, sizeof(*lane));
    errno = saved;
}

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Not the private kind: the word is shared by processes. */
static void futex_wait(_Atomic uint32_t *word, uint32_t value, int64_t us)
{
    const struct timespec t = {us / 1000000, us % 1000000 * 1000};

    (void)syscall(SYS_futex, word, FUTEX_WAIT, value, &t, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *word)
{
    (void)syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static uint32_t state_of(struct slot *slot)
{
    return atomic_load_explicit(&slot->state, memory_order_acquire);
}

static void set_state(struct slot *slot, enum slot_state state)
{
    atomic_store_explicit(&slot->state, state, memory_order_release);
}

static int exchange(struct slot *slot, enum slot_state from, enum slot_state to)
{
    uint32_t expected = from;

    return atomic_compare_exchange_strong(&slot->state, &expected, to);
}

static int is_elsewhere(struct slot *slot)
{
    return sched_getcpu()
           != atomic_load_explicit(&slot->cpu, memory_order_relaxed);
}

/* Says that the receiver comes, to look for a message or to nap. */
static void expect(struct slot *slot, int looks)
{
    set_state(slot, looks && is_elsewhere(slot) ? SLOT_LOOKING : SLOT_NAPPING);
}

/* The receiver looks for so long at most, then naps for so long.  1: there is a
 * message; 0: there is none, and what comes goes by the socket. */
static int await(struct slot *slot, unsigned us, unsigned nap_us)
{
    int64_t start = 0, left;
    int i;

    while (state_of(slot) == SLOT_LOOKING) {
        for (i = 0; i < LOOKS_PER_CLOCK && state_of(slot) == SLOT_LOOKING; i++)
            RELAX();
        if (start == 0)
            start = now_us();
        else if (now_us() >= start + us || !is_elsewhere(slot))
            exchange(slot, SLOT_LOOKING, SLOT_NAPPING);
    }
    start = now_us();
    while (state_of(slot) == SLOT_NAPPING) {
        left = start + nap_us - now_us();
        if (left <= 0)
            exchange(slot, SLOT_NAPPING, SLOT_AWAY);
        else
            futex_wait(&slot->state, SLOT_NAPPING, left);
    }
    return state_of(slot) == SLOT_FULL;
}

/* The sender's part: 1 if the receiver was there. */
static int announce(struct slot *slot, enum slot_state state)
{
    if (exchange(slot, SLOT_LOOKING, state))
        return 1;
    if (!exchange(slot, SLOT_NAPPING, state))
        return 0;
    futex_wake(&slot->state);
    return 1;
}

struct piece {
    const void *octets;
    size_t len;
};

/* Whether the receiver takes a message from the slot, which then has it. */
static int put(struct slot *slot, const struct piece pieces[3])
{
    unsigned char *to = slot->octets;
    uint32_t state = state_of(slot);
    size_t i;

    if ((uint64_t)pieces[0].len + pieces[1].len + pieces[2].len > SLOT_SIZE) {
        announce(slot, SLOT_AWAY);
        return 0;
    }
    if (state != SLOT_LOOKING && state != SLOT_NAPPING)
        return 0;
    for (i = 0; i < 3; to += pieces[i++].len)
        if (pieces[i].len > 0)
            memcpy(to, pieces[i].octets, pieces[i].len);
    if (announce(slot, SLOT_FULL))
        return 1;
    OPENSSL_cleanse(slot->octets, (size_t)(to - slot->octets));
    return 0;
}

/* Copies the data of a message, whose length the copy of its fixed part gave,
 * and leaves nothing of it in the slot. */
static enum mesh_message_result take(struct slot *slot, size_t fixed_size,
                                     uint64_t len, unsigned char **data,
                                     size_t *data_len)
{
    unsigned char *from = slot->octets + fixed_size, *copy;

    if (len > SLOT_SIZE - fixed_size)
        return MESH_MESSAGE_MALFORMED;
    if (len == 0)
        return MESH_MESSAGE_OK;
    copy = OPENSSL_malloc((size_t)len + 1);
    if (copy != NULL) {
        memcpy(copy, from, (size_t)len);
        copy[len] = '\0';
        *data = copy;
        *data_len = (size_t)len;
    }
    OPENSSL_cleanse(from, (size_t)len);
    return copy != NULL ? MESH_MESSAGE_OK : MESH_MESSAGE_ERROR;
}

/* How long the client looks for the next answer. */
static unsigned look_us(struct mesh_lane *lane)
{
    unsigned us =
        atomic_load_explicit(&lane->answer.client_us, memory_order_relaxed);

    return us < MESH_LANE_LOOK_MAX ? us : MESH_LANE_LOOK_MAX;
}

int mesh_lane_send_request(struct mesh_lane *lane,
                           const struct mesh_request *request,
                           const void *label, const void *data)
{
    const struct piece pieces[] = {{request, sizeof(*request)},
                                   {label, request->label_len},
                                   {data, request->data_len}};

    expect(&lane->answer, look_us(lane) > 0);
    atomic_store_explicit(&lane->request.cpu, sched_getcpu(),
                          memory_order_relaxed);
    return put(&lane->request, pieces);
}

void mesh_lane_leave(struct mesh_lane *lane)
{
    set_state(&lane->answer, SLOT_AWAY);
    announce(&lane->request, SLOT_AWAY);
}

int mesh_lane_receive_answer(struct mesh_lane *lane,
                             enum mesh_message_result *result,
                             struct mesh_answer *answer, unsigned char **data,
                             size_t *len)
{
    *data = NULL;
    *len = 0;
    if (!await(&lane->answer, look_us(lane), ANSWER_NAP_US))
        return 0;
    memcpy(answer, lane->answer.octets, sizeof(*answer));
    *result =
        mesh_message_answer_fits(answer) && answer->in_memfd == 0
                && answer->lane == 0
            ? take(&lane->answer, sizeof(*answer), answer->data_len, data, len)
            : MESH_MESSAGE_MALFORMED;
    set_state(&lane->answer, SLOT_AWAY); /* nobody takes it twice */
    return 1;
}

int mesh_lane_receive_request(struct mesh_lane *lane, unsigned us,
                              enum mesh_message_result *result,
                              struct mesh_request *request,
                              unsigned char **data, size_t *len)
{
    *data = NULL;
    *len = 0;
    if (!await(&lane->request, us, REQUEST_NAP_US))
        return 0;
    memcpy(request, lane->request.octets, sizeof(*request));
    *result =
        mesh_message_request_fits(request) && request->in_memfd == 0
                && mesh_message_goes_by_lane(request->type)
            ? take(&lane->request, sizeof(*request),
                   (uint64_t)request->label_len + request->data_len, data, len)
            : MESH_MESSAGE_MALFORMED;
    set_state(&lane->request, SLOT_AWAY); /* nor this one */
    return 1;
}

int mesh_lane_client_cpu(struct mesh_lane *lane)
{
    return atomic_load_explicit(&lane->request.cpu, memory_order_relaxed);
}

void mesh_lane_promise(struct mesh_lane *lane, int looks, unsigned client_us)
{
    expect(&lane->request, looks);
    atomic_store_explicit(&lane->answer.client_us, client_us,
                          memory_order_relaxed);
    atomic_store_explicit(&lane->answer.cpu, sched_getcpu(),
                          memory_order_relaxed);
}

int mesh_lane_send_answer(struct mesh_lane *lane,
                          const struct mesh_answer *answer, const void *data)
{
    const struct piece pieces[] = {
        {answer, sizeof(*answer)}, {data, answer->data_len}, {NULL, 0}};

    return put(&lane->answer, pieces);
}

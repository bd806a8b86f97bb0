/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Three ways to share the processors with a client.
 *
 * Side by side, for one that calls all the time, while there are processors
 * that nobody else wants: each on its own, and both look at the lane.  Nobody
 * has to be woken, which costs more than a signature.
 *
 * In turn, while there are as many callers as processors, or others want them:
 * our thread goes to the client's processor, and each naps while the other one
 * works.  There the kernel goes from one to the other without an interrupt to
 * another processor, and as many pairs work as there are processors.
 *
 * Else as the kernel likes: it wakes a client on an idle processor anyway, and
 * to follow it there would cost more than it saves.
 */
#include "platform/linux/keyd/rhythm.h"

#include "platform/linux/lane.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <time.h>

#define LOOK_US         50  /* for the next request */
#define SOON_US         200 /* after an answer: the client's waking is in it */
#define STREAK          4 /* requests that come soon, before we look for more */
#define ANSWER_MAX      1000 /* an operation that takes longer is napped through */
#define CLIENT_US(took) (2 * (unsigned)(took) + 20)
#define SPAN_US         8192 /* callers within it are callers at the same time */
#define SLICE_US        1000 /* who takes a processor for longer wants it */
_Static_assert(CLIENT_US(ANSWER_MAX) == MESH_LANE_LOOK_MAX,
               "what the client believes");
/* In turn after that; twice as long each time that it comes again soon. */
#define RETREAT_MIN_US 8000
#define RETREAT_MAX_US 512000

static pthread_once_t once = PTHREAD_ONCE_INIT;
static cpu_set_t processors; /* that we may use */
static unsigned processor_count;
/* How many connections had a request in this span, and in the one before;
 * roughly, for nobody waits for it. */
static _Atomic int64_t current_span;
static atomic_uint callers[2];

static void find_processors(void)
{
    if (sched_getaffinity(0, sizeof(processors), &processors) == 0)
        processor_count = (unsigned)CPU_COUNT(&processors);
}

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static long preemptions(void)
{
    struct rusage usage;

    return getrusage(RUSAGE_THREAD, &usage) == 0 ? usage.ru_nivcsw : 0;
}

/* Counts this caller once in each span. */
static void count(struct mesh_rhythm *rhythm, int64_t span)
{
    int64_t before = atomic_load(&current_span);

    if (span != before
        && atomic_compare_exchange_strong(&current_span, &before, span)) {
        atomic_store(&callers[span & 1], 0);
        if (span > before + 1)
            atomic_store(&callers[(span - 1) & 1], 0);
    }
    if (span == rhythm->span)
        return;
    rhythm->span = span;
    atomic_fetch_add(&callers[span & 1], 1);
}

static int is_room(void)
{
    return atomic_load(&callers[0]) < processor_count
           && atomic_load(&callers[1]) < processor_count;
}

void mesh_rhythm_unbound(void)
{
    pthread_once(&once, find_processors);
    if (processor_count > 0)
        (void)sched_setaffinity(0, sizeof(processors), &processors);
}

/* 1 + the processor to run on; negative: on all others; 0: on all. */
static void bind_to(struct mesh_rhythm *rhythm, int to)
{
    cpu_set_t set = processors;

    if (to == rhythm->bound_to)
        return;
    if (to < 0) {
        CPU_CLR((unsigned)-to - 1, &set);
    } else if (to > 0) {
        CPU_ZERO(&set);
        CPU_SET((unsigned)to - 1, &set);
        CPU_AND(&set, &set, &processors);
    }
    if (CPU_COUNT(&set) > 0 && sched_setaffinity(0, sizeof(set), &set) == 0)
        rhythm->bound_to = to;
}

/* Where to run, for a client on that processor. */
static void find_place(struct mesh_rhythm *rhythm, int cpu, int in_turn)
{
    if (in_turn)
        bind_to(rhythm, cpu + 1);
    else if (!rhythm->looks)
        bind_to(rhythm, 0);
    else if (rhythm->bound_to >= 0 || sched_getcpu() == cpu)
        bind_to(rhythm, -(cpu + 1));
}

/* Whether another program had our processor, and not for an instant. */
static void look_for_others(struct mesh_rhythm *rhythm, int64_t from,
                            int64_t to)
{
    int64_t since = to - rhythm->not_before;

    if (!rhythm->looks || to - from <= SLICE_US
        || preemptions() == rhythm->preempted)
        return;
    if (since > 2 * rhythm->retreat_us)
        rhythm->retreat_us = RETREAT_MIN_US;
    else if (rhythm->retreat_us < RETREAT_MAX_US)
        rhythm->retreat_us *= 2;
    rhythm->not_before = to + rhythm->retreat_us;
}

void mesh_rhythm_begin(struct mesh_rhythm *rhythm, int client_cpu)
{
    int known = client_cpu >= 0 && client_cpu < CPU_SETSIZE;
    int in_turn, looked = rhythm->looks;

    pthread_once(&once, find_processors);
    rhythm->began = now_us();
    look_for_others(rhythm, rhythm->ended, rhythm->began);
    count(rhythm, rhythm->began / SPAN_US);
    /* who was looked for in vain must call often again */
    if (rhythm->began - rhythm->ended > (looked ? 2 * LOOK_US : SOON_US))
        rhythm->streak = 0;
    else if (rhythm->streak < STREAK)
        rhythm->streak++;
    in_turn = rhythm->began < rhythm->not_before || !is_room();
    rhythm->looks = known && !in_turn && rhythm->streak == STREAK;
    if (rhythm->looks && !looked)
        rhythm->preempted = preemptions();
    if (known)
        find_place(rhythm, client_cpu, in_turn);
}

void mesh_rhythm_end(struct mesh_rhythm *rhythm, unsigned *us,
                     unsigned *client_us)
{
    int64_t took;

    rhythm->ended = now_us();
    took = rhythm->ended - rhythm->began;
    look_for_others(rhythm, rhythm->began, rhythm->ended);
    *us = rhythm->looks ? LOOK_US : 0;
    *client_us = rhythm->looks && took <= ANSWER_MAX ? CLIENT_US(took) : 0;
}

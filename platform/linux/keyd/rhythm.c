/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Two ways to share the processors with a client.
 *
 * Side by side: each on a processor of its own, and both look at the lane.
 * Nobody has to be woken, which costs more than a signature.  It takes two
 * processors that nobody else wants, and a client that calls all the time.
 *
 * In turn, for all others: our thread goes to the client's processor, and each
 * sleeps at the socket while the other one works.  There the kernel goes from
 * one to the other without an interrupt to another processor, and as many pairs
 * run as there are processors.
 */
#include "platform/linux/keyd/rhythm.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <time.h>

#define LOOK_US    50     /* for the next request, and what counts as soon */
#define STREAK     16     /* requests that come soon, before we look for more */
#define ANSWER_MAX 1000   /* an operation that takes longer is slept through */
#define SPAN_US    8192   /* callers within it are callers at the same time */
#define RETREAT_US 200000 /* in turn for so long after being preempted */

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
    if (rhythm->looks && preemptions() > rhythm->preempted)
        rhythm->not_before = rhythm->began + RETREAT_US;
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

static void bind_to(struct mesh_rhythm *rhythm, int bound_to)
{
    cpu_set_t set;
    unsigned cpu = (unsigned)(bound_to < 0 ? -bound_to : bound_to) - 1;

    if (bound_to == rhythm->bound_to || !CPU_ISSET(cpu, &processors))
        return;
    if (bound_to < 0) {
        set = processors;
        CPU_CLR(cpu, &set);
    } else {
        CPU_ZERO(&set);
        CPU_SET(cpu, &set);
    }
    if (sched_setaffinity(0, sizeof(set), &set) == 0)
        rhythm->bound_to = bound_to;
}

void mesh_rhythm_begin(struct mesh_rhythm *rhythm, int client_cpu)
{
    pthread_once(&once, find_processors);
    rhythm->began = now_us();
    count(rhythm, rhythm->began / SPAN_US);
    if (rhythm->began - rhythm->ended > LOOK_US)
        rhythm->streak = 0;
    else if (rhythm->streak < STREAK)
        rhythm->streak++;
    if (client_cpu < 0 || client_cpu >= CPU_SETSIZE)
        return;
    if (rhythm->streak < STREAK || rhythm->began < rhythm->not_before
        || !is_room()) {
        rhythm->looks = 0;
        bind_to(rhythm, client_cpu + 1);
    } else if (!rhythm->looks) {
        rhythm->looks = 1;
        bind_to(rhythm, -(client_cpu + 1));
        rhythm->preempted = preemptions();
    }
}

void mesh_rhythm_end(struct mesh_rhythm *rhythm, unsigned *us,
                     unsigned *client_us)
{
    int64_t took;

    rhythm->ended = now_us();
    took = rhythm->ended - rhythm->began;
    *us = rhythm->looks ? LOOK_US : 0;
    *client_us =
        rhythm->looks && took <= ANSWER_MAX ? (unsigned)(2 * took) + 20 : 0;
}

/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The rhythm of connections: who is looked for, and where mesh-keyd's thread
 * runs.
 */
#include "platform/linux/keyd/rhythm.c" /* it keeps its thoughts to itself */
#include "tests/platform/capture.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

static cpu_set_t before;
static unsigned us, client_us;

static int set_up(void **state)
{
    (void)state;
    pthread_once(&once, find_processors);
    atomic_store(&callers[0], 0);
    atomic_store(&callers[1], 0);
    return sched_getaffinity(0, sizeof(before), &before);
}

static int tear_down(void **state)
{
    (void)state;
    return sched_setaffinity(0, sizeof(before), &before);
}

/* One operation; those before ended just now. */
static void operate(struct mesh_rhythm *rhythm, int cpu)
{
    mesh_rhythm_begin(rhythm, cpu);
    mesh_rhythm_end(rhythm, &us, &client_us);
}

/* As many as it takes, however slow this machine is today. */
static void until_it_looks(struct mesh_rhythm *rhythm, int cpu)
{
    do
        operate(rhythm, cpu);
    while (us == 0 || client_us == 0);
}

static int runs_on(int cpu)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof(set), &set) == 0
           && CPU_ISSET((unsigned)cpu, &set);
}

/* This thread may run as at first. */
static int is_free(void)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof(set), &set) == 0
           && CPU_EQUAL(&set, &before);
}

static int is_bound_to(int cpu)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) == 1
           && CPU_ISSET((unsigned)cpu, &set);
}

static void a_new_caller_is_not_looked_for(void **state)
{
    struct mesh_rhythm rhythm = {0};

    (void)state;
    if (processor_count < 2)
        skip();
    for (int i = 0; i < STREAK - 1; i++) {
        operate(&rhythm, sched_getcpu());
        assert_int_equal(us | client_us, 0);
        assert_true(is_free());
    }
}

static void who_calls_often_is_looked_for_elsewhere(void **state)
{
    struct mesh_rhythm rhythm = {0};
    int cpu = sched_getcpu();

    (void)state;
    if (processor_count < 2)
        skip();
    until_it_looks(&rhythm, cpu);
    assert_false(runs_on(cpu));
    cpu = sched_getcpu();
    operate(&rhythm, cpu); /* the client came here */
    assert_true(us == 0 || !runs_on(cpu));
    usleep(10 * SOON_US); /* and who pauses is not any more */
    operate(&rhythm, cpu);
    assert_int_equal(us | client_us, 0);
    assert_true(is_free());
}

/* With as many callers as processors each goes to its client. */
static void callers_take_turns(void **state)
{
    struct mesh_rhythm rhythm = {0};

    (void)state;
    for (int i = 0; i < 10000; i++) {
        int64_t span = atomic_load(&current_span);
        int cpu = sched_getcpu();

        atomic_store(&callers[span & 1], processor_count);
        operate(&rhythm, cpu);
        if (span == atomic_load(&current_span)) {
            assert_int_equal(us | client_us, 0);
            assert_true(is_bound_to(cpu));
        }
    }
}

static void a_caller_counts_once_in_each_span(void **state)
{
    struct mesh_rhythm one = {0}, other = {0};
    int64_t span = 1000; /* long ago: nothing else is counted then */

    (void)state;
    atomic_store(&current_span, 0);
    for (int i = 0; i < 3; i++) {
        count(&one, span);
        count(&other, span);
    }
    assert_int_equal(atomic_load(&callers[span & 1]), 2);
    count(&one, span + 1);
    assert_int_equal(atomic_load(&callers[(span + 1) & 1]), 1);
    assert_int_equal(atomic_load(&callers[span & 1]), 2); /* the one before */
    count(&one, span + 3);
    assert_int_equal(atomic_load(&callers[0]) + atomic_load(&callers[1]), 1);
    atomic_store(&current_span, 0);
}

static void nor_while_others_want_the_processor(void **state)
{
    struct mesh_rhythm rhythm = {0};
    int cpu = sched_getcpu();

    (void)state;
    if (processor_count < 2)
        skip();
    until_it_looks(&rhythm, cpu);
    rhythm.not_before = INT64_MAX;
    operate(&rhythm, cpu);
    assert_int_equal(us | client_us, 0);
    assert_true(is_bound_to(cpu));
    rhythm.not_before = 0;
    until_it_looks(&rhythm, cpu); /* but tried again */
}

/* Where it begins, when a slice of time is lost from now on; 0: it does not. */
static int64_t retreat(struct mesh_rhythm *rhythm, int64_t now)
{
    int64_t old = rhythm->not_before;

    look_for_others(rhythm, now, now + SLICE_US + 1);
    return rhythm->not_before == old
               ? 0
               : rhythm->not_before - (now + SLICE_US + 1);
}

static void the_longer_the_more_often_they_do(void **state)
{
    struct mesh_rhythm rhythm = {.looks = 1, .preempted = -1};
    int64_t now = 1, expected;

    (void)state;
    look_for_others(&rhythm, now, now + SLICE_US); /* an instant */
    assert_int_equal(rhythm.not_before, 0);
    for (expected = RETREAT_MIN_US; expected <= RETREAT_MAX_US; expected *= 2) {
        assert_int_equal(retreat(&rhythm, now), expected);
        now = rhythm.not_before;
    }
    assert_int_equal(retreat(&rhythm, now), RETREAT_MAX_US);
    now = rhythm.not_before + 3 * RETREAT_MAX_US;
    assert_int_equal(retreat(&rhythm, now), RETREAT_MIN_US);
    rhythm.preempted = preemptions(); /* the operation took so long itself */
    assert_int_equal(retreat(&rhythm, now), 0);
    rhythm.preempted = -1;
    rhythm.looks = 0; /* it slept */
    assert_int_equal(retreat(&rhythm, now), 0);
}

/* The client says what it likes. */
static void processors_that_are_none_change_nothing(void **state)
{
    static const int cpus[] = {-1, -2, INT_MIN, INT_MAX, CPU_SETSIZE, 5000};
    struct mesh_rhythm rhythm = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(cpus) / sizeof(*cpus); i++)
        for (int j = 0; j < 2 * STREAK; j++) {
            operate(&rhythm, cpus[i]);
            assert_int_equal(us | client_us, 0);
        }
    assert_true(is_free());
}

static void *where(void *arg)
{
    mesh_rhythm_unbound();
    return sched_getaffinity(0, sizeof(cpu_set_t), arg) == 0 ? arg : NULL;
}

/* A keyring's thread, a child's connection: made while one is served. */
static void threads_of_a_bound_one_are_not(void **state)
{
    struct mesh_rhythm rhythm = {0};
    pthread_t thread;
    cpu_set_t set;
    void *ok;

    (void)state;
    rhythm.not_before = INT64_MAX;
    operate(&rhythm, sched_getcpu());
    assert_true(is_bound_to(sched_getcpu()));
    assert_int_equal(pthread_create(&thread, NULL, where, &set), 0);
    assert_int_equal(pthread_join(thread, &ok), 0);
    assert_non_null(ok);
    assert_true(CPU_EQUAL(&set, &before));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_new_caller_is_not_looked_for),
        CASE(who_calls_often_is_looked_for_elsewhere),
        CASE(callers_take_turns),
        CASE(a_caller_counts_once_in_each_span),
        CASE(nor_while_others_want_the_processor),
        CASE(the_longer_the_more_often_they_do),
        CASE(processors_that_are_none_change_nothing),
        CASE(threads_of_a_bound_one_are_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

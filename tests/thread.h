/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Threads of a test, on each system.
 */
#ifndef MESH_TESTS_THREAD_H
#define MESH_TESTS_THREAD_H

#ifdef _WIN32
#include <windows.h>

struct thread {
    HANDLE handle;
    void *(*run)(void *arg);
    void *arg, *result;
};

static inline DWORD WINAPI run_thread(void *arg)
{
    struct thread *thread = arg;

    thread->result = thread->run(thread->arg);
    return 0;
}
#else
#include <pthread.h>

struct thread {
    pthread_t id;
};
#endif

/* Runs a function; whether it could be started.  The thread stays where it is
 * until it is joined. */
static inline int start_thread(struct thread *thread, void *(*run)(void *arg),
                               void *arg)
{
#ifdef _WIN32
    thread->run = run;
    thread->arg = arg;
    thread->handle = CreateThread(NULL, 0, run_thread, thread, 0, NULL);
    return thread->handle != NULL;
#else
    return pthread_create(&thread->id, NULL, run, arg) == 0;
#endif
}

/* Waits for its end: what the function returned. */
static inline void *join_thread(struct thread *thread)
{
#ifdef _WIN32
    WaitForSingleObject(thread->handle, INFINITE);
    CloseHandle(thread->handle);
    return thread->result;
#else
    void *result = NULL;

    pthread_join(thread->id, &result);
    return result;
#endif
}

#endif

/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The one thread that speaks to the Secret Service.  Jobs are run in it in
 * turn; prompts go on while other jobs are run.
 */
#ifndef MESH_KEYD_SECRET_THREAD_H
#define MESH_KEYD_SECRET_THREAD_H

#include "platform/linux/keyd/failure.h"
#include "platform/linux/keyd/key_source.h"

#include <gio/gio.h>

/* Object paths are what a job carries between threads; proxies stay out. */
#define SECRET_WITH_UNSTABLE
#define SECRET_API_SUBJECT_TO_CHANGE
#include <libsecret/secret.h>

#define SECRET_NAME "org.freedesktop.secrets"

struct mesh_secret_thread;

enum mesh_job_state {
    MESH_JOB_RUNNING,
    MESH_JOB_DONE,
    MESH_JOB_FAILED, /* see failure */
    MESH_JOB_LOCKED  /* see locked */
};

struct mesh_secret_job;
/* Runs in the thread, with the service connected.  Ends the job by mesh_secret_
 * job_end(), at once or in a callback. */
typedef void mesh_secret_run_fn(struct mesh_secret_job *job);

/* Made by mesh_secret_job_new(); whoever waits for it reads the results when it
 * has ended. */
struct mesh_secret_job {
    struct mesh_secret_thread *thread;
    gint refs;
    mesh_secret_run_fn *run;
    enum mesh_job_state state;
    /* what to do */
    const SecretSchema *schema;
    GHashTable *attributes; /* that items are searched by */
    GHashTable *more;       /* that a new one has besides */
    char *label;
    SecretValue *value;
    int replaces; /* a new one takes the place of those found */
    /* for the thread alone */
    SecretService *service;
    GStrv old;     /* to be replaced */
    guint pending; /* calls under way */
    /* results */
    struct mesh_failure failure;
    struct mesh_context ctx; /* raises into failure */
    GStrv locked;            /* what to unlock */
    guint count;             /* items found */
    SecretValue *found;
    GArray *items; /* struct mesh_keystore_item */
    int is_locked; /* of the default collection */
    int no_bus;
};

struct mesh_secret_thread *mesh_secret_thread_new(struct mesh_context *ctx,
                                                  mesh_source_event_fn *event,
                                                  void *arg);

struct mesh_secret_job *mesh_secret_job_new(struct mesh_secret_thread *thread,
                                            mesh_secret_run_fn *run,
                                            const SecretSchema *schema);
void mesh_secret_job_unref(struct mesh_secret_job *job);
void mesh_secret_job_end(struct mesh_secret_job *job,
                         enum mesh_job_state state);
/* Ends the job with an error of GLib's, which is freed. */
void mesh_secret_job_fail(struct mesh_secret_job *job, GError *error);

/*
 * Runs a job and waits for it; unlocks what it needs, if the caller may, and
 * runs it again.  One prompt at a time, for all that wait.  The deadline ends
 * the wait, never the prompt.
 */
int mesh_secret_job_do(struct mesh_secret_job *job, struct mesh_context *ctx,
                       const struct mesh_patience *patience);

/* A property of an object of the service, for jobs; NULL with the error set. */
GVariant *mesh_secret_property(struct mesh_secret_thread *thread,
                               const char *path, const char *interface,
                               const char *name, GError **error);
/* The collection that is called "default", else the login keyring.  NULL with
 * the job ended; *locked tells about it. */
char *mesh_secret_default_collection(struct mesh_secret_job *job, int *locked);

#endif

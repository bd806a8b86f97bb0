/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The one thread that speaks to the Secret Service.
 */
#include "platform/linux/keyd/secret_thread.h"

#include "platform/linux/keyd/harden.h"
#include "platform/linux/keyd/log.h"
#include "platform/linux/keyd/rhythm.h"

#include <string.h>
#include <unistd.h>

#define COLLECTION_INTERFACE "org.freedesktop.Secret.Collection"
#define LOGIN_COLLECTION     "/org/freedesktop/secrets/collection/login"
#define SERVICE_INTERFACE    "org.freedesktop.Secret.Service"
#define BUS_ADDRESS          "DBUS_SESSION_BUS_ADDRESS"
#define DBUS_NAME            "org.freedesktop.DBus"
#define PROPERTIES_INTERFACE "org.freedesktop.DBus.Properties"
#define ROUNDS_MAX           3 /* of unlocking for one request */

struct mesh_secret_thread {
    struct mesh_context *ctx;
    mesh_source_event_fn *event;
    void *event_arg;
    GMainContext *context;
    /* for the thread alone */
    GDBusConnection *bus;
    SecretService *service;
    guint subscriptions[3];
    gulong closed_handler;
    /* between threads */
    GMutex mutex;
    GCond changed; /* a job ended, or an unlocking */
    GThread *thread;
    int unlocking;
    unsigned unlock_round; /* counts the ends of unlocking */
    GStrv unlock_paths;
    struct mesh_failure unlock_failure; /* of the last one */
};

struct mesh_secret_thread *mesh_secret_thread_new(struct mesh_context *ctx,
                                                  mesh_source_event_fn *event,
                                                  void *arg)
{
    struct mesh_secret_thread *t = g_new0(struct mesh_secret_thread, 1);
    const char *address = g_getenv(BUS_ADDRESS);

    /* Without one GLib tries $XDG_RUNTIME_DIR/bus, each time anew: it may come
     * later than we. */
    if (address != NULL && address[0] == '\0')
        g_unsetenv(BUS_ADDRESS);
    t->ctx = ctx;
    t->event = event;
    t->event_arg = arg;
    g_mutex_init(&t->mutex);
    g_cond_init(&t->changed);
    t->context = g_main_context_new();
    return t;
}

static gpointer thread_main(gpointer arg)
{
    struct mesh_secret_thread *t = arg;

    mesh_rhythm_unbound();
    g_main_context_push_thread_default(t->context);
    for (;;) /* to the end of the process */
        g_main_context_iteration(t->context, TRUE);
    return NULL;
}

static void post(struct mesh_secret_thread *t, GSourceFunc function,
                 gpointer arg)
{
    GSource *source = g_idle_source_new();

    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, function, arg, NULL);
    g_source_attach(source, t->context);
    g_source_unref(source);
}

struct mesh_secret_job *mesh_secret_job_new(struct mesh_secret_thread *thread,
                                            mesh_secret_run_fn *run,
                                            const SecretSchema *schema)
{
    struct mesh_secret_job *job = g_new0(struct mesh_secret_job, 1);

    job->thread = thread;
    job->refs = 1;
    job->run = run;
    job->schema = schema;
    job->attributes =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    job->more = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return job;
}

static void clear_results(struct mesh_secret_job *job)
{
    g_clear_pointer(&job->locked, g_strfreev);
    g_clear_pointer(&job->old, g_strfreev);
    g_clear_pointer(&job->found, secret_value_unref);
    g_clear_pointer(&job->items, g_array_unref);
    g_clear_object(&job->service);
    job->count = 0;
    job->no_bus = 0;
    job->ctx = mesh_failure_context(job->thread->ctx, &job->failure);
}

void mesh_secret_job_unref(struct mesh_secret_job *job)
{
    if (!g_atomic_int_dec_and_test(&job->refs))
        return;
    clear_results(job);
    g_hash_table_unref(job->attributes);
    g_hash_table_unref(job->more);
    g_clear_pointer(&job->value, secret_value_unref);
    g_free(job->label);
    g_free(job);
}

void mesh_secret_job_end(struct mesh_secret_job *job, enum mesh_job_state state)
{
    struct mesh_secret_thread *t = job->thread;

    g_clear_object(&job->service);
    mesh_wipe_stack();
    g_mutex_lock(&t->mutex);
    job->state = state;
    g_cond_broadcast(&t->changed);
    g_mutex_unlock(&t->mutex);
    mesh_secret_job_unref(job);
}

/* Leaves the service, not the bus, whose end is news; the next job tries
 * again. */
static void disconnect(struct mesh_secret_thread *t)
{
    for (size_t i = 0; i < G_N_ELEMENTS(t->subscriptions); i++) {
        if (t->subscriptions[i] != 0)
            g_dbus_connection_signal_unsubscribe(t->bus, t->subscriptions[i]);
        t->subscriptions[i] = 0;
    }
    g_clear_object(&t->service);
    secret_service_disconnect(); /* libsecret keeps one, too */
}

void mesh_secret_job_fail(struct mesh_secret_job *job, GError *error)
{
    enum mesh_reason reason = MESH_R_NO_SECRET_SERVICE;
    char *remote = g_dbus_error_get_remote_error(error);

    if (g_error_matches(error, SECRET_ERROR, SECRET_ERROR_IS_LOCKED))
        reason = MESH_R_LOCKED;
    else if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
        reason = MESH_R_TIMEOUT;
    g_dbus_error_strip_remote_error(error);
    mesh_raise(&job->ctx, reason, "%s%s%s%s", error->message,
               remote != NULL ? " (" : "", remote != NULL ? remote : "",
               remote != NULL ? ")" : "");
    g_free(remote);
    g_error_free(error);
    mesh_secret_job_end(job, MESH_JOB_FAILED);
}

GVariant *mesh_secret_property(struct mesh_secret_thread *t, const char *path,
                               const char *interface, const char *name,
                               GError **error)
{
    GVariant *reply, *value = NULL;

    reply = g_dbus_connection_call_sync(
        t->bus, SECRET_NAME, path, PROPERTIES_INTERFACE, "Get",
        g_variant_new("(ss)", interface, name), G_VARIANT_TYPE("(v)"),
        G_DBUS_CALL_FLAGS_NONE, -1, NULL, error);
    if (reply != NULL)
        g_variant_get(reply, "(v)", &value);
    g_clear_pointer(&reply, g_variant_unref);
    return value;
}

char *mesh_secret_default_collection(struct mesh_secret_job *job, int *locked)
{
    GError *error = NULL;
    GVariant *value;
    char *path = secret_service_read_alias_dbus_path_sync(
        job->service, "default", NULL, &error);

    if (path == NULL && error == NULL)
        path = g_strdup(LOGIN_COLLECTION);
    value = path == NULL
                ? NULL
                : mesh_secret_property(job->thread, path, COLLECTION_INTERFACE,
                                       "Locked", &error);
    if (value == NULL) {
        g_free(path);
        if (error->domain == G_DBUS_ERROR
            && error->code == G_DBUS_ERROR_UNKNOWN_METHOD) {
            g_error_free(error);
            mesh_raise(&job->ctx, MESH_R_NO_SECRET_SERVICE,
                       "the Secret Service has no default collection: make a "
                       "keyring first");
            mesh_secret_job_end(job, MESH_JOB_FAILED);
        } else {
            mesh_secret_job_fail(job, error);
        }
        return NULL;
    }
    *locked = g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN)
              && g_variant_get_boolean(value);
    g_variant_unref(value);
    return path;
}

static void on_properties(GDBusConnection *bus, const char *sender,
                          const char *path, const char *interface,
                          const char *signal, GVariant *parameters,
                          gpointer arg)
{
    struct mesh_secret_thread *t = arg;
    GVariant *changed;
    gboolean locked = FALSE;

    (void)bus, (void)sender, (void)path, (void)interface, (void)signal;
    if (!g_variant_is_of_type(parameters, G_VARIANT_TYPE("(sa{sv}as)")))
        return;
    g_variant_get(parameters, "(s@a{sv}as)", NULL, &changed, NULL);
    if (g_variant_lookup(changed, "Locked", "b", &locked) && locked)
        t->event(t->event_arg, MESH_SOURCE_LOCKED);
    g_variant_unref(changed);
}

/* Not every service announces the property: some say no more than that a
 * collection changed or is gone. */
static void on_service_signal(GDBusConnection *bus, const char *sender,
                              const char *path, const char *interface,
                              const char *signal, GVariant *parameters,
                              gpointer arg)
{
    struct mesh_secret_thread *t = arg;
    GVariant *value = NULL;
    const char *collection;
    int locked = strcmp(signal, "CollectionDeleted") == 0;

    (void)bus, (void)sender, (void)path, (void)interface;
    if (strcmp(signal, "CollectionChanged") == 0
        && g_variant_is_of_type(parameters, G_VARIANT_TYPE("(o)"))) {
        g_variant_get(parameters, "(&o)", &collection);
        value = mesh_secret_property(t, collection, COLLECTION_INTERFACE,
                                     "Locked", NULL);
        locked = value != NULL
                 && g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN)
                 && g_variant_get_boolean(value);
    }
    if (locked)
        t->event(t->event_arg, MESH_SOURCE_LOCKED);
    g_clear_pointer(&value, g_variant_unref);
}

/* Ends an unlocking: all that wait for it go on. */
static void unlock_end(struct mesh_secret_thread *t)
{
    g_mutex_lock(&t->mutex);
    t->unlocking = 0;
    t->unlock_round++;
    g_clear_pointer(&t->unlock_paths, g_strfreev);
    g_cond_broadcast(&t->changed);
    g_mutex_unlock(&t->mutex);
}

static void on_owner(GDBusConnection *bus, const char *sender, const char *path,
                     const char *interface, const char *signal,
                     GVariant *parameters, gpointer arg)
{
    struct mesh_secret_thread *t = arg;
    struct mesh_context local;
    int unlocking;

    (void)bus, (void)sender, (void)path, (void)interface, (void)signal;
    (void)parameters;
    t->event(t->event_arg, MESH_SOURCE_LOCKED);
    disconnect(t);
    g_mutex_lock(&t->mutex);
    unlocking = t->unlocking;
    g_mutex_unlock(&t->mutex);
    if (unlocking) { /* libsecret forgets a prompt that went with the bus */
        local = mesh_failure_context(t->ctx, &t->unlock_failure);
        mesh_raise(&local, MESH_R_NO_SECRET_SERVICE,
                   "the Secret Service went away while it was asked to unlock");
        unlock_end(t);
    }
}

static void on_closed(GDBusConnection *bus, gboolean remote, GError *error,
                      gpointer arg)
{
    struct mesh_secret_thread *t = arg;

    (void)remote, (void)error;
    on_owner(bus, NULL, NULL, NULL, NULL, NULL, t);
    g_signal_handler_disconnect(t->bus, t->closed_handler);
    g_clear_object(&t->bus);
    t->event(t->event_arg, MESH_SOURCE_GONE);
}

static int connect_bus(struct mesh_secret_thread *t, GError **error)
{
    char *text;

    if (t->bus != NULL)
        return 1;
    t->bus = g_bus_get_sync(G_BUS_TYPE_SESSION, NULL, error);
    if (t->bus == NULL) {
        g_prefix_error(error, MESH_KEYSTORE_NO_BUS " (", (int)getpid());
        text = g_strconcat((*error)->message, ")", NULL);
        g_free((*error)->message);
        (*error)->message = text;
        t->event(t->event_arg, MESH_SOURCE_GONE);
        return 0;
    }
    /* the end of the session is not ours */
    g_dbus_connection_set_exit_on_close(t->bus, FALSE);
    t->closed_handler =
        g_signal_connect(t->bus, "closed", G_CALLBACK(on_closed), t);
    return 1;
}

static int connect_service(struct mesh_secret_thread *t, GError **error)
{
    if (t->service != NULL)
        return 1;
    if (!connect_bus(t, error))
        return 0;
    t->service =
        secret_service_get_sync(SECRET_SERVICE_OPEN_SESSION, NULL, error);
    if (t->service == NULL) {
        disconnect(t);
        return 0;
    }
    if (g_strcmp0(secret_service_get_session_algorithms(t->service), "plain")
        == 0) /* and leaves copies in the buffers of the bus */
        mesh_log("this Secret Service sends secrets unencrypted over the bus");
    t->subscriptions[0] = g_dbus_connection_signal_subscribe(
        t->bus, SECRET_NAME, PROPERTIES_INTERFACE, "PropertiesChanged", NULL,
        COLLECTION_INTERFACE, G_DBUS_SIGNAL_FLAGS_NONE, on_properties, t, NULL);
    t->subscriptions[1] = g_dbus_connection_signal_subscribe(
        t->bus, SECRET_NAME, SERVICE_INTERFACE, NULL, NULL, NULL,
        G_DBUS_SIGNAL_FLAGS_NONE, on_service_signal, t, NULL);
    t->subscriptions[2] = g_dbus_connection_signal_subscribe(
        t->bus, DBUS_NAME, DBUS_NAME, "NameOwnerChanged", NULL, SECRET_NAME,
        G_DBUS_SIGNAL_FLAGS_NONE, on_owner, t, NULL);
    return 1;
}

static gboolean run_job(gpointer arg)
{
    struct mesh_secret_job *job = arg;
    GError *error = NULL;

    if (connect_service(job->thread, &error)) {
        job->service = g_object_ref(job->thread->service);
        job->run(job);
    } else {
        job->no_bus = job->thread->bus == NULL;
        mesh_secret_job_fail(job, error);
    }
    return G_SOURCE_REMOVE;
}

static void on_unlocked(GObject *object, GAsyncResult *result, gpointer arg)
{
    struct mesh_secret_thread *t = arg;
    struct mesh_context local;
    GStrv unlocked = NULL;
    GError *error = NULL;
    int n = secret_service_unlock_dbus_paths_finish(SECRET_SERVICE(object),
                                                    result, &unlocked, &error);

    if (SECRET_SERVICE(object) == t->service) { /* else on_owner() ended it */
        local = mesh_failure_context(t->ctx, &t->unlock_failure);
        if (error != NULL)
            mesh_raise(&local, MESH_R_NO_SECRET_SERVICE, "%s", error->message);
        else if (n == 0)
            mesh_raise(&local, MESH_R_PROMPT_DISMISSED,
                       "the prompt to unlock the keyring was dismissed, or "
                       "could not be shown; unlock the keyring first");
        unlock_end(t);
    }
    g_clear_error(&error);
    g_strfreev(unlocked);
}

static gboolean start_unlock(gpointer arg)
{
    struct mesh_secret_thread *t = arg;
    struct mesh_context local =
        mesh_failure_context(t->ctx, &t->unlock_failure);
    GError *error = NULL;

    /* no GCancellable: one that fires ends gnome-keyring */
    if (connect_service(t, &error)) {
        secret_service_unlock_dbus_paths(
            t->service, (const char **)t->unlock_paths, NULL, on_unlocked, t);
        return G_SOURCE_REMOVE;
    }
    mesh_raise(&local, MESH_R_NO_SECRET_SERVICE, "%s", error->message);
    g_error_free(error);
    unlock_end(t);
    return G_SOURCE_REMOVE;
}

/* Waits for the end of an unlocking, begun here unless one is under way. */
static int unlock(struct mesh_secret_thread *t, struct mesh_context *ctx,
                  const GStrv paths, const struct mesh_patience *patience)
{
    struct mesh_failure failure = {MESH_R_NONE, ""};
    gboolean in_time = TRUE;
    unsigned round;

    g_mutex_lock(&t->mutex);
    if (!t->unlocking) {
        t->unlocking = 1;
        t->unlock_paths = g_strdupv(paths);
        post(t, start_unlock, t);
    }
    round = t->unlock_round;
    while (t->unlock_round == round && in_time)
        in_time = g_cond_wait_until(&t->changed, &t->mutex, patience->deadline);
    if (t->unlock_round != round)
        failure = t->unlock_failure;
    in_time = t->unlock_round != round;
    g_mutex_unlock(&t->mutex);
    if (!in_time)
        return mesh_raise(ctx, MESH_R_TIMEOUT,
                          "the keyring was not unlocked in time; its prompt "
                          "is still open");
    return failure.reason == MESH_R_NONE || mesh_failure_raise(ctx, &failure);
}

/* One run of the job.  0 when the time is over; raised. */
static int run_and_wait(struct mesh_secret_job *job, struct mesh_context *ctx,
                        const struct mesh_patience *patience)
{
    struct mesh_secret_thread *t = job->thread;
    gboolean in_time = TRUE;

    clear_results(job);
    g_mutex_lock(&t->mutex);
    if (t->thread == NULL)
        t->thread = g_thread_new("secret-service", thread_main, t);
    job->state = MESH_JOB_RUNNING;
    g_atomic_int_inc(&job->refs); /* the thread's, until the job ends */
    post(t, run_job, job);
    while (job->state == MESH_JOB_RUNNING && in_time)
        in_time = g_cond_wait_until(&t->changed, &t->mutex, patience->deadline);
    in_time = job->state != MESH_JOB_RUNNING;
    g_mutex_unlock(&t->mutex);
    return in_time
           || mesh_raise(ctx, MESH_R_TIMEOUT,
                         "the Secret Service did not answer in time");
}

int mesh_secret_job_do(struct mesh_secret_job *job, struct mesh_context *ctx,
                       const struct mesh_patience *patience)
{
    int round;

    for (round = 0; run_and_wait(job, ctx, patience); round++) {
        if (job->state == MESH_JOB_DONE)
            return 1;
        if (job->state == MESH_JOB_FAILED)
            return mesh_failure_raise(ctx, &job->failure);
        if (!patience->may_prompt || round == ROUNDS_MAX)
            return mesh_raise(ctx, MESH_R_LOCKED, "the keyring is locked%s",
                              patience->may_prompt
                                  ? ""
                                  : ", and nobody may be asked to unlock it");
        if (!unlock(job->thread, ctx, job->locked, patience))
            return 0;
    }
    return 0;
}

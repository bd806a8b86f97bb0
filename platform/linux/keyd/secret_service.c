/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The source of keys that the Secret Service of the desktop keeps.
 */
#include "platform/linux/keyd/secret_service.h"

#include "platform/algorithm.h"
#include "platform/linux/keyd/key_data.h"
#include "platform/linux/keyd/secret_thread.h"

#include <openssl/crypto.h>
#include <string.h>
#include <time.h>

#define SOURCE_NAME       "secret-service"
#define ITEM_INTERFACE    "org.freedesktop.Secret.Item"
#define CONTENT_TYPE      "application/octet-stream"
#define ATTRIBUTE_VERSION "1"
#define SILENT_SECONDS    10 /* for questions that have no time limit */

/* What is searched by must not be a name that KeePassXC uses itself: Title,
 * UserName, URL, Notes, Path, Uuid; it tells upper and lower case apart. */
static const SecretSchema key_schema = {
    .name = "org.cryptomesh.PrivateKey",
    .flags = SECRET_SCHEMA_NONE,
    .attributes =
        {
            {"udf", SECRET_SCHEMA_ATTRIBUTE_STRING},
            {"algorithm", SECRET_SCHEMA_ATTRIBUTE_STRING},
            {"spki-sha256", SECRET_SCHEMA_ATTRIBUTE_STRING},
            {"version", SECRET_SCHEMA_ATTRIBUTE_STRING},
            {NULL, 0},
        },
};

static const SecretSchema passphrase_schema = {
    .name = "org.cryptomesh.KeyFilePassphrase",
    .flags = SECRET_SCHEMA_NONE,
    .attributes = {{"path", SECRET_SCHEMA_ATTRIBUTE_STRING}, {NULL, 0}},
};

struct secret_source {
    struct mesh_key_source source;
    struct mesh_secret_thread *thread;
};

/* What a search found, unlocked and locked. */
struct found {
    GStrv unlocked, locked;
    guint count;
};

static void clear_found(struct found *found)
{
    g_clear_pointer(&found->unlocked, g_strfreev);
    g_clear_pointer(&found->locked, g_strfreev);
}

/* Ends the job itself if it fails. */
static int search(struct mesh_secret_job *job, struct found *found)
{
    GError *error = NULL;

    memset(found, 0, sizeof(*found));
    if (!secret_service_search_for_dbus_paths_sync(
            job->service, job->schema, job->attributes, NULL, &found->unlocked,
            &found->locked, &error)) {
        mesh_secret_job_fail(job, error);
        return 0;
    }
    found->count =
        g_strv_length(found->unlocked) + g_strv_length(found->locked);
    return 1;
}

static void end_locked(struct mesh_secret_job *job, GStrv *paths)
{
    job->locked = *paths;
    *paths = NULL;
    mesh_secret_job_end(job, MESH_JOB_LOCKED);
}

static void run_count(struct mesh_secret_job *job)
{
    struct found found;

    if (!search(job, &found))
        return;
    job->count = found.count;
    clear_found(&found);
    mesh_secret_job_end(job, MESH_JOB_DONE);
}

static void run_fetch(struct mesh_secret_job *job)
{
    struct found found;
    GError *error = NULL;

    if (!search(job, &found))
        return;
    job->count = found.count;
    if (found.count > 1) {
        mesh_raise(&job->ctx, MESH_R_KEY_DUPLICATE,
                   "%s: the Secret Service has %u items for it: delete all "
                   "but one",
                   job->label, found.count);
        mesh_secret_job_end(job, MESH_JOB_FAILED);
    } else if (found.locked[0] != NULL) {
        end_locked(job, &found.locked);
    } else if (found.count == 0) {
        mesh_secret_job_end(job, MESH_JOB_DONE);
    } else {
        job->found = secret_service_get_secret_for_dbus_path_sync(
            job->service, found.unlocked[0], NULL, &error);
        if (job->found != NULL)
            mesh_secret_job_end(job, MESH_JOB_DONE);
        else if (g_error_matches(error, SECRET_ERROR, SECRET_ERROR_IS_LOCKED)) {
            g_error_free(error); /* it was locked this moment */
            end_locked(job, &found.unlocked);
        } else
            mesh_secret_job_fail(job, error);
    }
    clear_found(&found);
}

static void run_status(struct mesh_secret_job *job)
{
    char *path = mesh_secret_default_collection(job, &job->is_locked);

    if (path == NULL)
        return;
    g_free(path);
    mesh_secret_job_end(job, MESH_JOB_DONE);
}

/* Deleting may prompt (KeePassXC), so other jobs go on. */
static void on_deleted(GObject *object, GAsyncResult *result, gpointer arg)
{
    struct mesh_secret_job *job = arg;
    GError *error = NULL;
    gboolean deleted = secret_service_delete_item_dbus_path_finish(
        SECRET_SERVICE(object), result, &error);

    job->pending--;
    if (!deleted)
        mesh_raise(&job->ctx, MESH_R_PROMPT_DISMISSED,
                   "the item was not deleted: %s",
                   error != NULL ? error->message : "the prompt was dismissed");
    g_clear_error(&error);
    if (job->pending == 0)
        mesh_secret_job_end(job, job->failure.reason == MESH_R_NONE
                                     ? MESH_JOB_DONE
                                     : MESH_JOB_FAILED);
}

static void delete_items(struct mesh_secret_job *job, const GStrv paths)
{
    job->pending = g_strv_length(paths);
    for (guint i = 0; paths[i] != NULL; i++)
        secret_service_delete_item_dbus_path(job->service, paths[i], NULL,
                                             on_deleted, job);
}

static void run_delete(struct mesh_secret_job *job)
{
    struct found found;

    if (!search(job, &found))
        return;
    job->count = found.count;
    if (found.count == 0)
        mesh_secret_job_end(job, MESH_JOB_DONE);
    else if (found.locked[0] != NULL)
        end_locked(job, &found.locked);
    else
        delete_items(job, found.unlocked);
    clear_found(&found);
}

/* What we made and may not keep. */
static void take_back(struct mesh_secret_job *job, const char *path,
                      enum mesh_reason reason, const char *text)
{
    char *const paths[] = {(char *)path, NULL};

    mesh_raise(&job->ctx, reason, "%s", text);
    delete_items(job, (GStrv)paths);
}

static int same_value(SecretValue *a, SecretValue *b)
{
    gsize a_len, b_len;
    const char *a_data = secret_value_get(a, &a_len);
    const char *b_data = secret_value_get(b, &b_len);

    return a_len == b_len && CRYPTO_memcmp(a_data, b_data, a_len) == 0;
}

/* The item is there: look whether it is the only one, and whole. */
static void on_created(GObject *object, GAsyncResult *result, gpointer arg)
{
    struct mesh_secret_job *job = arg;
    SecretValue *value = NULL;
    struct found found;
    GError *error = NULL;
    char *path = secret_service_create_item_dbus_path_finish(
        SECRET_SERVICE(object), result, &error);

    if (path == NULL) {
        if (error != NULL) {
            mesh_secret_job_fail(job, error);
        } else {
            mesh_raise(&job->ctx, MESH_R_PROMPT_DISMISSED,
                       "the prompt to make the item was dismissed, or "
                       "could not be shown; unlock the keyring first");
            mesh_secret_job_end(job, MESH_JOB_FAILED);
        }
        return;
    }
    if (!search(job, &found)) {
        g_free(path);
        return;
    }
    value = secret_service_get_secret_for_dbus_path_sync(job->service, path,
                                                         NULL, NULL);
    if (found.count != 1 + (job->old != NULL ? g_strv_length(job->old) : 0))
        take_back(job, path, MESH_R_KEY_EXISTS,
                  "somebody else put the same into the Secret Service at this "
                  "moment");
    else if (value == NULL || !same_value(value, job->value))
        take_back(job, path, MESH_R_OPERATION_FAILED,
                  "the Secret Service did not keep the secret as it was given");
    else if (job->old != NULL && job->old[0] != NULL)
        delete_items(job, job->old);
    else
        mesh_secret_job_end(job, MESH_JOB_DONE);
    clear_found(&found);
    g_clear_pointer(&value, secret_value_unref);
    g_free(path);
}

/* The properties of a new item; secret_item_create() does the same. */
static GHashTable *item_properties(struct mesh_secret_job *job)
{
    GHashTable *all[] = {job->attributes, job->more};
    GHashTable *properties = g_hash_table_new_full(
        g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_variant_unref);
    GVariantBuilder builder;
    GHashTableIter iter;
    gpointer name, value;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("a{ss}"));
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
        g_hash_table_iter_init(&iter, all[i]);
        while (g_hash_table_iter_next(&iter, &name, &value))
            g_variant_builder_add(&builder, "{ss}", name, value);
    }
    g_variant_builder_add(&builder, "{ss}", "xdg:schema", job->schema->name);
    g_hash_table_insert(properties, ITEM_INTERFACE ".Attributes",
                        g_variant_ref_sink(g_variant_builder_end(&builder)));
    g_hash_table_insert(properties, ITEM_INTERFACE ".Label",
                        g_variant_ref_sink(g_variant_new_string(job->label)));
    return properties;
}

/* Never with replace: that takes items that have more attributes, too. */
static void run_create(struct mesh_secret_job *job)
{
    struct found found;
    GHashTable *properties;
    char *collection = NULL;
    int locked;

    if (!search(job, &found))
        return;
    if (found.count > 0 && !job->replaces) {
        mesh_raise(&job->ctx, MESH_R_KEY_EXISTS,
                   "the Secret Service has it already");
        mesh_secret_job_end(job, MESH_JOB_FAILED);
    } else if (found.locked[0] != NULL) {
        end_locked(job, &found.locked);
    } else if ((collection = mesh_secret_default_collection(job, &locked))
               == NULL) {
        ; /* the job has ended */
    } else if (locked) {
        GStrv paths = g_new0(char *, 2);

        paths[0] = g_strdup(collection);
        end_locked(job, &paths);
    } else {
        job->old = found.unlocked;
        found.unlocked = NULL;
        properties = item_properties(job);
        secret_service_create_item_dbus_path(
            job->service, collection, properties, job->value,
            SECRET_ITEM_CREATE_NONE, NULL, on_created, job);
        g_hash_table_unref(properties);
    }
    g_free(collection);
    clear_found(&found);
}

/* Adds the item at path to the list; 0 if its attributes cannot be read. */
static int add_item(struct mesh_secret_job *job, const char *path)
{
    struct mesh_keystore_item item = {.source = SOURCE_NAME};
    const char *udf = "", *algorithm = "", *spki = NULL;
    GVariant *attributes;
    size_t len = 0;
    int ok;

    attributes = mesh_secret_property(job->thread, path, ITEM_INTERFACE,
                                      "Attributes", NULL);
    if (attributes == NULL
        || !g_variant_is_of_type(attributes, G_VARIANT_TYPE("a{ss}"))) {
        g_clear_pointer(&attributes, g_variant_unref);
        return 0;
    }
    g_variant_lookup(attributes, "udf", "&s", &udf);
    g_variant_lookup(attributes, "algorithm", "&s", &algorithm);
    g_variant_lookup(attributes, "spki-sha256", "&s", &spki);
    ok = spki != NULL
         && OPENSSL_hexstr2buf_ex(item.name.spki_sha256, 32, &len, spki, '\0')
         && len == 32;
    OPENSSL_strlcpy(item.name.udf, udf, sizeof(item.name.udf));
    OPENSSL_strlcpy(item.algorithm, algorithm, sizeof(item.algorithm));
    if (ok)
        g_array_append_val(job->items, item);
    g_variant_unref(attributes);
    return ok;
}

/* A keyring that was never unlocked since the start of gnome-keyring can be
 * searched, but not listed. */
static void run_list(struct mesh_secret_job *job)
{
    struct found found;
    int readable = 1;

    if (!search(job, &found))
        return;
    job->items = g_array_new(FALSE, TRUE, sizeof(struct mesh_keystore_item));
    for (guint i = 0; found.unlocked[i] != NULL; i++)
        (void)add_item(job, found.unlocked[i]); /* not one of ours */
    for (guint i = 0; found.locked[i] != NULL; i++)
        readable &= add_item(job, found.locked[i]);
    if (readable)
        mesh_secret_job_end(job, MESH_JOB_DONE);
    else
        end_locked(job, &found.locked);
    clear_found(&found);
}

static struct mesh_secret_job *key_job(struct mesh_key_source *source,
                                       mesh_secret_run_fn *run,
                                       const struct mesh_key_name *name)
{
    struct secret_source *secrets = (struct secret_source *)source;
    struct mesh_secret_job *job =
        mesh_secret_job_new(secrets->thread, run, &key_schema);
    char hex[65];
    size_t i;

    for (i = 0; name != NULL && i < 32; i++)
        g_snprintf(hex + 2 * i, 3, "%02x", name->spki_sha256[i]);
    if (name != NULL)
        g_hash_table_insert(job->attributes, g_strdup("spki-sha256"),
                            g_strdup(hex));
    return job;
}

/* Does a job that has no results, and frees it. */
static int do_job(struct mesh_secret_job *job, struct mesh_context *ctx,
                  const struct mesh_patience *patience)
{
    int ok = mesh_secret_job_do(job, ctx, patience);

    mesh_secret_job_unref(job);
    return ok;
}

static struct mesh_patience silently(void)
{
    return (struct mesh_patience){
        .deadline = g_get_monotonic_time() + SILENT_SECONDS * G_USEC_PER_SEC};
}

static int secret_holds(struct mesh_key_source *source,
                        struct mesh_context *ctx,
                        const struct mesh_key_name *name, int *held)
{
    struct mesh_secret_job *job = key_job(source, run_count, name);
    struct mesh_patience patience = silently();
    int ok = mesh_secret_job_do(job, ctx, &patience);

    *held = ok && job->count > 0;
    mesh_secret_job_unref(job);
    return ok;
}

/* A key in the Secret Service is never encrypted once more. */
static int no_passphrase(char *buf, int size, int rwflag, void *arg)
{
    (void)buf, (void)size, (void)rwflag, (void)arg;
    return -1;
}

static int secret_find(struct mesh_key_source *source, struct mesh_context *ctx,
                       const struct mesh_key_name *name,
                       const struct mesh_patience *patience, EVP_PKEY **key)
{
    struct mesh_secret_job *job = key_job(source, run_fetch, name);
    const char *data;
    gsize len;
    int ok;

    job->label = g_strdup(name->udf);
    ok = mesh_secret_job_do(job, ctx, patience);
    *key = NULL;
    if (ok && job->found != NULL) {
        /* the content type is text/plain whatever was stored */
        data = secret_value_get(job->found, &len);
        *key = mesh_key_decode(ctx, data, len, no_passphrase, NULL);
        ok = *key != NULL
             || mesh_raise(ctx, MESH_R_KEY_MALFORMED,
                           "%s: its item in the Secret Service holds no "
                           "private key",
                           name->udf);
    }
    mesh_secret_job_unref(job);
    return ok;
}

static int secret_store(struct mesh_key_source *source,
                        struct mesh_context *ctx,
                        const struct mesh_key_name *name, EVP_PKEY *key,
                        const struct mesh_patience *patience)
{
    const char *algorithm = mesh_algorithm_of(key);
    struct mesh_secret_job *job;
    unsigned char *der;
    size_t len;

    if (!mesh_key_encode_pkcs8(ctx, key, &der, &len))
        return 0;
    job = key_job(source, run_create, name);
    job->value = secret_value_new((char *)der, (gssize)len, CONTENT_TYPE);
    OPENSSL_clear_free(der, len);
    job->label = g_strdup_printf("mmm:%s (%s)", name->udf, algorithm);
    g_hash_table_insert(job->more, g_strdup("udf"), g_strdup(name->udf));
    g_hash_table_insert(job->more, g_strdup("algorithm"), g_strdup(algorithm));
    g_hash_table_insert(job->more, g_strdup("version"),
                        g_strdup(ATTRIBUTE_VERSION));
    return do_job(job, ctx, patience);
}

static int secret_remove(struct mesh_key_source *source,
                         struct mesh_context *ctx,
                         const struct mesh_key_name *name,
                         const struct mesh_patience *patience, int *removed)
{
    struct mesh_secret_job *job = key_job(source, run_delete, name);
    int ok = mesh_secret_job_do(job, ctx, patience);

    *removed = ok && job->count > 0;
    mesh_secret_job_unref(job);
    return ok;
}

static int secret_list(struct mesh_key_source *source, struct mesh_context *ctx,
                       const struct mesh_patience *patience, mesh_item_fn *item,
                       void *arg)
{
    struct mesh_secret_job *job = key_job(source, run_list, NULL);
    int ok = mesh_secret_job_do(job, ctx, patience);

    for (guint i = 0; ok && i < job->items->len; i++)
        ok = item(arg, &g_array_index(job->items, struct mesh_keystore_item, i))
             || mesh_raise(ctx, MESH_R_MEMORY, "out of memory");
    mesh_secret_job_unref(job);
    return ok;
}

static void secret_status(struct mesh_key_source *source,
                          struct mesh_context *ctx,
                          struct mesh_keystore_status *status)
{
    struct mesh_secret_job *job = key_job(source, run_status, NULL);
    struct mesh_context quiet = mesh_context_quiet(ctx);
    struct mesh_patience patience = silently();

    status->secret_service = mesh_secret_job_do(job, &quiet, &patience);
    status->no_bus = job->no_bus;
    status->locked = status->secret_service && job->is_locked;
    mesh_secret_job_unref(job);
}

/* The thread stays: what it waits for may never come, and the process ends. */
static void secret_free(struct mesh_key_source *source)
{
    (void)source;
}

static struct mesh_secret_job *
passphrase_job(void *arg, mesh_secret_run_fn *run, const char *path)
{
    struct secret_source *secrets = arg;
    struct mesh_secret_job *job =
        mesh_secret_job_new(secrets->thread, run, &passphrase_schema);

    g_hash_table_insert(job->attributes, g_strdup("path"), g_strdup(path));
    return job;
}

static int get_passphrase(void *arg, struct mesh_context *ctx, const char *path,
                          const struct mesh_patience *patience,
                          char **passphrase, size_t *len)
{
    struct mesh_secret_job *job = passphrase_job(arg, run_fetch, path);
    const char *data;
    int ok;

    job->label = g_strdup(path);
    ok = mesh_secret_job_do(job, ctx, patience);
    *passphrase = NULL;
    *len = 0;
    if (ok && job->found != NULL) {
        data = secret_value_get(job->found, len);
        *passphrase = OPENSSL_malloc(*len + 1);
        if (*passphrase != NULL) {
            memcpy(*passphrase, data, *len);
            (*passphrase)[*len] = '\0';
        } else {
            ok = mesh_raise(ctx, MESH_R_MEMORY, "out of memory");
        }
    }
    mesh_secret_job_unref(job);
    return ok;
}

static int set_passphrase(void *arg, struct mesh_context *ctx, const char *path,
                          const struct mesh_patience *patience,
                          const char *passphrase, size_t len)
{
    struct mesh_secret_job *job = passphrase_job(arg, run_create, path);

    job->replaces = 1;
    job->label = g_strdup_printf("mmm: passphrase of %s", path);
    job->value = secret_value_new(passphrase, (gssize)len, CONTENT_TYPE);
    return do_job(job, ctx, patience);
}

static int remove_passphrase(void *arg, struct mesh_context *ctx,
                             const char *path,
                             const struct mesh_patience *patience)
{
    return do_job(passphrase_job(arg, run_delete, path), ctx, patience);
}

struct mesh_key_source *
mesh_secret_service_source_new(struct mesh_context *ctx,
                               mesh_source_event_fn *event, void *arg,
                               struct mesh_passphrase_store *passphrases)
{
    struct secret_source *secrets = OPENSSL_zalloc(sizeof(*secrets));

    if (secrets == NULL)
        return NULL;
    secrets->source = (struct mesh_key_source){
        .name = SOURCE_NAME,
        .holds = secret_holds,
        .find = secret_find,
        .store = secret_store,
        .remove = secret_remove,
        .list = secret_list,
        .status = secret_status,
        .free = secret_free,
    };
    secrets->thread = mesh_secret_thread_new(ctx, event, arg);
    *passphrases = (struct mesh_passphrase_store){
        get_passphrase, set_passphrase, remove_passphrase, secrets};
    return &secrets->source;
}

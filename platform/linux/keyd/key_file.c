/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The source of keys that lie in files, where applications expect them.
 */
#include "platform/linux/keyd/key_file.h"

#include "platform/algorithm.h"
#include "platform/linux/keyd/failure.h"
#include "platform/linux/keyd/key_data.h"
#include "platform/linux/keyd/log.h"
#include "platform/key_files.h"
#include "platform/reference.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOURCE_NAME    "key-file"
#define FILE_SIZE_MAX  (1 << 20) /* octets: a key with its chain, at most */
#define PASSPHRASE_MAX 1024
#define FROM_SERVICE   "secret-service"
#define FROM_SYSTEMD   "credential:"

struct file_source {
    struct mesh_key_source source;
    const struct mesh_passphrase_store *passphrases;
};

/* Opens a file that holds a secret; *size is its length.  -1 with the error
 * raised. */
static int open_secret(struct mesh_context *ctx, const char *path, size_t *size)
{
    /* Links are followed, servers' key files are often some.  O_NONBLOCK: a
     * FIFO in the place of the file must not stop us. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat st;
    mode_t open_to;

    if (fd < 0 || fstat(fd, &st) < 0) {
        mesh_raise(ctx, MESH_R_FILE_IO, "%s: %s", path, strerror(errno));
        goto fail;
    }
    /* root's files may be read by a group, as in /etc/ssl/private */
    open_to = st.st_mode & (st.st_uid == 0 ? 0037 : 0077);
    if (!S_ISREG(st.st_mode)) {
        mesh_raise(ctx, MESH_R_UNSAFE_FILE, "%s is not a regular file", path);
        goto fail;
    }
    if ((st.st_uid != geteuid() && st.st_uid != 0) || open_to != 0) {
        mesh_raise(ctx, MESH_R_UNSAFE_FILE,
                   "%s (owner %u, mode %04o) holds a private key and is open "
                   "to others: chown it to user %u or root, and chmod 600",
                   path, (unsigned)st.st_uid, (unsigned)st.st_mode & 07777,
                   (unsigned)geteuid());
        goto fail;
    }
    if (st.st_size > FILE_SIZE_MAX) {
        mesh_raise(ctx, MESH_R_KEY_MALFORMED,
                   "%s is larger than a key can be: %lld octets", path,
                   (long long)st.st_size);
        goto fail;
    }
    *size = (size_t)st.st_size;
    return fd;
fail:
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Reads it; *data is for OPENSSL_clear_free(*data, *len). */
static int read_secret(struct mesh_context *ctx, const char *path,
                       unsigned char **data, size_t *len)
{
    size_t size, done = 0;
    ssize_t n = 1;
    int fd = open_secret(ctx, path, &size);

    if (fd < 0)
        return 0;
    *data = OPENSSL_zalloc(size + 1);
    if (*data == NULL) {
        close(fd);
        return mesh_raise(ctx, MESH_R_MEMORY, "%s: out of memory", path);
    }
    while (done < size && n > 0) {
        n = read(fd, *data + done, size - done);
        if (n > 0)
            done += (size_t)n;
        else if (n < 0 && errno == EINTR)
            n = 1;
    }
    if (n < 0) {
        mesh_raise(ctx, MESH_R_FILE_IO, "%s: %s", path, strerror(errno));
        OPENSSL_clear_free(*data, size);
        *data = NULL;
    }
    close(fd);
    *len = done;
    return n >= 0;
}

/* $CREDENTIALS_DIRECTORY/NAME (systemd.exec(5)); a line feed at its end is not
 * a part of it. */
static int read_credential(struct mesh_context *ctx, const char *name,
                           char **passphrase, size_t *len)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    unsigned char *data = NULL;
    char path[4096];

    if (folder == NULL)
        return mesh_raise(ctx, MESH_R_PASSPHRASE,
                          "there is no credential \"%.64s\": systemd gives "
                          "them to the service that names them",
                          name);
    if (snprintf(path, sizeof(path), "%s/%s", folder, name)
        >= (int)sizeof(path))
        return mesh_raise(ctx, MESH_R_PASSPHRASE, "%s: the path is too long",
                          name);
    if (!read_secret(ctx, path, &data, len))
        return 0;
    if (*len > 0 && data[*len - 1] == '\n')
        data[--*len] = '\0';
    *passphrase = (char *)data;
    return 1;
}

/* Gets the passphrase of a file from where it is kept: *passphrase is NULL if
 * the file has none. */
static int get_passphrase(struct file_source *files, struct mesh_context *ctx,
                          const char *path, const char *passphrase_source,
                          const struct mesh_patience *patience,
                          char **passphrase, size_t *len)
{
    const struct mesh_passphrase_store *store = files->passphrases;
    const size_t prefix = sizeof(FROM_SYSTEMD) - 1;

    *passphrase = NULL;
    *len = 0;
    if (passphrase_source == NULL)
        return 1;
    if (strncmp(passphrase_source, FROM_SYSTEMD, prefix) == 0)
        return read_credential(ctx, passphrase_source + prefix, passphrase,
                               len);
    if (store == NULL)
        return mesh_raise(ctx, MESH_R_NO_SECRET_SERVICE,
                          "%s: its passphrase is in a Secret Service, and "
                          "there is none here",
                          path);
    if (!store->get(store->arg, ctx, path, patience, passphrase, len))
        return 0;
    if (*passphrase == NULL)
        return mesh_raise(ctx, MESH_R_PASSPHRASE,
                          "%s: the Secret Service has no passphrase for it; "
                          "register the file again",
                          path);
    return 1;
}

struct answer {
    const char *passphrase;
    size_t len;
    int asked;
};

/* Never asks on a terminal. */
static int give_passphrase(char *buf, int size, int rwflag, void *arg)
{
    struct answer *answer = arg;

    (void)rwflag;
    answer->asked = 1;
    if (answer->passphrase == NULL || answer->len > (size_t)size)
        return -1;
    memcpy(buf, answer->passphrase, answer->len);
    return (int)answer->len;
}

static int load(struct mesh_context *ctx, const char *path,
                struct answer *answer, EVP_PKEY **key)
{
    unsigned char *data = NULL;
    char *uri = NULL;
    size_t len;

    if (!read_secret(ctx, path, &data, &len))
        return 0;
    *key = mesh_key_decode(ctx, data, len, give_passphrase, answer);
    if (*key == NULL)
        uri = mesh_reference_of_file(ctx, data, len);
    OPENSSL_clear_free(data, len);
    if (*key != NULL)
        return 1;
    if (uri != NULL) {
        OPENSSL_free(uri);
        return mesh_raise(ctx, MESH_R_KEY_MALFORMED,
                          "%s is now a key-reference file, not the private key",
                          path);
    }
    if (answer->asked && answer->passphrase == NULL)
        return mesh_raise(ctx, MESH_R_PASSPHRASE,
                          "%s is encrypted: register it with a passphrase",
                          path);
    if (answer->asked)
        return mesh_raise(ctx, MESH_R_PASSPHRASE,
                          "%s: the passphrase does not open it", path);
    return mesh_raise(ctx, MESH_R_KEY_MALFORMED,
                      "%s holds no private key that libcrypto can read", path);
}

/* The registration of a key; NULL if there is none.  layout is the caller's. */
static int registration(struct mesh_context *ctx,
                        const struct mesh_key_name *name,
                        struct mesh_layout **layout,
                        const struct mesh_key_file **file)
{
    if (!mesh_layout_open(ctx, layout))
        return 0;
    for (size_t i = 0; (*file = mesh_key_file_entry(*layout, i)) != NULL; i++)
        if (memcmp((*file)->spki_sha256, name->spki_sha256, 32) == 0)
            break;
    return 1;
}

static int file_holds(struct mesh_key_source *source, struct mesh_context *ctx,
                      const struct mesh_key_name *name, int *held)
{
    struct mesh_layout *layout;
    const struct mesh_key_file *file;
    size_t size;
    int fd = -1, ok;

    (void)source;
    *held = 0;
    if (!registration(ctx, name, &layout, &file))
        return 0;
    if (file != NULL) {
        fd = open_secret(ctx, file->path, &size);
        *held = fd >= 0;
        if (fd >= 0)
            close(fd);
    }
    ok = file == NULL || *held;
    mesh_layout_free(layout);
    return ok;
}

static int file_find(struct mesh_key_source *source, struct mesh_context *ctx,
                     const struct mesh_key_name *name,
                     const struct mesh_patience *patience, EVP_PKEY **key)
{
    struct file_source *files = (struct file_source *)source;
    struct mesh_layout *layout;
    const struct mesh_key_file *file;
    struct answer answer = {NULL, 0, 0};
    char *passphrase;
    int ok = 1;

    *key = NULL;
    if (!registration(ctx, name, &layout, &file))
        return 0;
    if (file != NULL) {
        ok = get_passphrase(files, ctx, file->path, file->passphrase, patience,
                            &passphrase, &answer.len);
        if (ok) {
            answer.passphrase = passphrase;
            ok = load(ctx, file->path, &answer, key);
            OPENSSL_clear_free(passphrase, answer.len);
        }
    }
    mesh_layout_free(layout);
    return ok;
}

/* Removes the passphrase that is kept for a file, unless another registration
 * has the same path: a key that took the place of this one. */
static int remove_passphrase(const struct file_source *files,
                             struct mesh_context *ctx,
                             const struct mesh_layout *layout,
                             const struct mesh_key_file *file,
                             const struct mesh_patience *patience)
{
    const struct mesh_passphrase_store *store = files->passphrases;
    const struct mesh_key_file *other;
    struct mesh_failure failure;
    struct mesh_context local = mesh_failure_context(ctx, &failure);

    if (file->passphrase == NULL || strcmp(file->passphrase, FROM_SERVICE) != 0
        || store == NULL)
        return 1;
    for (size_t i = 0; (other = mesh_key_file_entry(layout, i)) != NULL; i++)
        if (other != file && strcmp(other->path, file->path) == 0)
            return 1;
    if (store->remove(store->arg, &local, file->path, patience))
        return 1;
    if (failure.reason != MESH_R_NO_SECRET_SERVICE)
        return mesh_failure_raise(ctx, &failure);
    mesh_log("%s: no Secret Service to remove its passphrase from", file->path);
    return 1;
}

static int file_remove(struct mesh_key_source *source, struct mesh_context *ctx,
                       const struct mesh_key_name *name,
                       const struct mesh_patience *patience, int *removed)
{
    struct mesh_layout *layout;
    const struct mesh_key_file *file;
    int ok = 1;

    *removed = 0;
    if (!registration(ctx, name, &layout, &file))
        return 0;
    /* in this order: what fails can be tried again */
    if (file != NULL)
        *removed = ok = remove_passphrase((struct file_source *)source, ctx,
                                          layout, file, patience)
                        && mesh_key_file_remove(ctx, file->udf);
    mesh_layout_free(layout);
    return ok;
}

static int file_list(struct mesh_key_source *source, struct mesh_context *ctx,
                     const struct mesh_patience *patience, mesh_item_fn *item,
                     void *arg)
{
    struct mesh_layout *layout;
    const struct mesh_key_file *file;
    int ok = 1;

    (void)patience;
    if (!mesh_layout_open(ctx, &layout))
        return 0;
    for (size_t i = 0; ok && (file = mesh_key_file_entry(layout, i)) != NULL;
         i++) {
        struct mesh_keystore_item entry = {.source = SOURCE_NAME};

        /* the algorithm is in the file, which a listing does not open */
        OPENSSL_strlcpy(entry.name.udf, file->udf, sizeof(entry.name.udf));
        memcpy(entry.name.spki_sha256, file->spki_sha256, 32);
        ok = item(arg, &entry)
             || mesh_raise(ctx, MESH_R_MEMORY, "out of memory");
    }
    mesh_layout_free(layout);
    (void)source;
    return ok;
}

static void file_status(struct mesh_key_source *source,
                        struct mesh_context *ctx,
                        struct mesh_keystore_status *status)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    char *home = mesh_layout_home(&quiet);

    (void)source;
    if (home != NULL)
        OPENSSL_strlcpy(status->home, home, sizeof(status->home));
    OPENSSL_free(home);
}

static void file_free(struct mesh_key_source *source)
{
    OPENSSL_free(source);
}

struct mesh_key_source *
mesh_key_file_source_new(const struct mesh_passphrase_store *passphrases)
{
    struct file_source *files = OPENSSL_zalloc(sizeof(*files));

    if (files == NULL)
        return NULL;
    files->source = (struct mesh_key_source){
        .name = SOURCE_NAME,
        .holds = file_holds,
        .find = file_find,
        .remove = file_remove,
        .list = file_list,
        .status = file_status,
        .free = file_free,
    };
    files->passphrases = passphrases;
    return &files->source;
}

static int check_register(struct mesh_context *ctx,
                          const struct file_source *files, const char *path,
                          const char *passphrase_source, const char *passphrase,
                          size_t passphrase_len)
{
    if (!mesh_key_file_check(ctx, path, passphrase_source))
        return 0;
    if (passphrase != NULL
        && (passphrase_source == NULL
            || strcmp(passphrase_source, FROM_SERVICE) != 0))
        return mesh_raise(ctx, MESH_R_USAGE,
                          "%.256s: only the Secret Service can be given a "
                          "passphrase to keep",
                          path);
    if (passphrase != NULL && files->passphrases == NULL)
        return mesh_raise(ctx, MESH_R_NO_SECRET_SERVICE,
                          "%.256s: there is no Secret Service to keep its "
                          "passphrase",
                          path);
    if (passphrase_len > PASSPHRASE_MAX)
        return mesh_raise(ctx, MESH_R_PASSPHRASE,
                          "%.256s: a passphrase has at most %d octets", path,
                          PASSPHRASE_MAX);
    return 1;
}

int mesh_key_file_register(struct mesh_key_source *source,
                           struct mesh_context *ctx, const char *path,
                           const char *passphrase_source,
                           const char *passphrase, size_t passphrase_len,
                           const struct mesh_patience *patience, EVP_PKEY **key)
{
    struct file_source *files = (struct file_source *)source;
    struct answer answer = {passphrase, passphrase_len, 0};
    struct mesh_key_name name;
    struct mesh_key_file file = {
        .udf = name.udf, .path = path, .passphrase = passphrase_source};
    char *kept = NULL;
    int ok = 0;

    *key = NULL;
    if (!check_register(ctx, files, path, passphrase_source, passphrase,
                        passphrase_len))
        return 0;
    if (passphrase == NULL) {
        if (!get_passphrase(files, ctx, path, passphrase_source, patience,
                            &kept, &answer.len))
            return 0;
        answer.passphrase = kept;
    }
    if (!load(ctx, path, &answer, key) || !mesh_key_check_new(ctx, *key)
        || !mesh_key_name_of(ctx, *key, &name))
        goto end;
    if (passphrase_source != NULL && !answer.asked) {
        mesh_raise(ctx, MESH_R_USAGE,
                   "%s is not encrypted: register it without a passphrase",
                   path);
        goto end;
    }
    if (passphrase != NULL
        && !files->passphrases->set(files->passphrases->arg, ctx, path,
                                    patience, passphrase, passphrase_len))
        goto end;
    memcpy(file.spki_sha256, name.spki_sha256, sizeof(file.spki_sha256));
    ok = mesh_key_file_add(ctx, &file);
end:
    OPENSSL_clear_free(kept, passphrase == NULL ? answer.len : 0);
    if (!ok) {
        EVP_PKEY_free(*key);
        *key = NULL;
    }
    return ok;
}

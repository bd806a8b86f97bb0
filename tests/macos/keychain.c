/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The double's keychain: a folder of PEM files that several processes share.
 */
#include "internal.h"

#include <Security/SecBase.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define LOCK_FILE   ".lock"
#define LOCKED_FILE "locked"

static char own_folder[PATH_MAX]; /* made by the process maker */
static pid_t maker;

static void make_own_folder(void)
{
    const char *place = getenv("TMPDIR");

    snprintf(own_folder, sizeof(own_folder), "%s/macos-double-XXXXXX",
             place == NULL ? "/tmp" : place);
    if (mkdtemp(own_folder) == NULL)
        double_die(own_folder, "cannot be made");
    maker = getpid();
}

const char *macos_double_folder(void)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    const char *folder = getenv("MACOS_DOUBLE_KEYCHAIN");

    if (folder != NULL)
        return folder;
    pthread_mutex_lock(&mutex);
    if (own_folder[0] == 0)
        make_own_folder();
    pthread_mutex_unlock(&mutex);
    return own_folder;
}

static void path_of(char path[PATH_MAX], const char *file)
{
    if (snprintf(path, PATH_MAX, "%s/%s", macos_double_folder(), file)
        >= PATH_MAX)
        double_die("MACOS_DOUBLE_KEYCHAIN", "is too long");
}

/* For each file of the folder. */
static bool each_file(bool (*use)(void *argument, const char *file),
                      void *argument)
{
    DIR *folder = opendir(macos_double_folder());
    struct dirent *entry;
    bool ok = true;

    if (folder == NULL)
        return false;
    while (ok && (entry = readdir(folder)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            ok = use(argument, entry->d_name);
    closedir(folder);
    return ok;
}

static bool remove_file(void *argument, const char *file)
{
    char path[PATH_MAX];

    (void)argument;
    path_of(path, file);
    unlink(path);
    return true;
}

void keychain_destroy_own(void)
{
    if (own_folder[0] == 0 || getenv("MACOS_DOUBLE_KEYCHAIN") != NULL)
        return;
    if (maker == getpid()) {
        each_file(remove_file, NULL);
        rmdir(own_folder);
    }
    own_folder[0] = 0;
}

OSStatus keychain_enter(int *lock)
{
    char path[PATH_MAX];

    path_of(path, LOCK_FILE);
    /* Opened anew each time: so it holds between threads, too. */
    *lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*lock < 0)
        return errno == ENOENT ? errSecNoSuchKeychain : errSecIO;
    while (flock(*lock, LOCK_EX) != 0)
        if (errno != EINTR)
            double_die(path, strerror(errno));
    return errSecSuccess;
}

void keychain_leave(int lock)
{
    close(lock);
}

bool keychain_is_locked(void)
{
    char path[PATH_MAX];

    path_of(path, LOCKED_FILE);
    return access(path, F_OK) == 0;
}

void keychain_set_locked(bool locked)
{
    char path[PATH_MAX];
    int file;

    path_of(path, LOCKED_FILE);
    if (!locked) {
        unlink(path);
        return;
    }
    file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0)
        double_die(path, strerror(errno));
    close(file);
}

size_t keychain_public_bytes(EVP_PKEY *key, unsigned char **bytes)
{
    int size;

    *bytes = NULL;
    if (EVP_PKEY_is_a(key, "EC"))
        return EVP_PKEY_get1_encoded_public_key(key, bytes);
    size = i2d_PublicKey(key, bytes);
    return size < 0 ? 0 : (size_t)size;
}

void keychain_hash(EVP_PKEY *key, unsigned char hash[SHA1_SIZE])
{
    unsigned char *bytes;
    size_t size = keychain_public_bytes(key, &bytes);

    if (size == 0
        || EVP_Q_digest(double_library(), "SHA1", NULL, bytes, size, hash, NULL)
               != 1)
        double_die("keychain", "a key without a public half");
    OPENSSL_free(bytes);
}

static void item_free(struct item *item)
{
    EVP_PKEY_free(item->key);
    OPENSSL_free(item->certificate);
    free(item->label);
    free(item->tag);
    free(item->trusted);
}

void keychain_free(struct items *items)
{
    for (size_t i = 0; i < items->count; i++)
        item_free(&items->list[i]);
    free(items->list);
    items->list = NULL;
    items->count = 0;
}

static void add_trusted(struct item *item, const char *name)
{
    char *all;

    if (asprintf(&all, "%s%s\n", item->trusted == NULL ? "" : item->trusted,
                 name)
        < 0)
        double_die("memory", "the double has none left");
    free(item->trusted);
    item->trusted = all;
}

/* "name: value" of the lines before the PEM block. */
static void read_attribute(struct item *item, const char *name,
                           const char *value)
{
    if (strcmp(name, "label") == 0)
        item->label = strdup(value);
    else if (strcmp(name, "tag") == 0)
        item->tag = strdup(value);
    else if (strcmp(name, "extractable") == 0)
        item->extractable = strcmp(value, "yes") == 0;
    else if (strcmp(name, "sensitive") == 0)
        item->sensitive = strcmp(value, "yes") == 0;
    else if (strcmp(name, "trusted") == 0)
        add_trusted(item, value);
    else
        double_die(item->file, "has an unknown attribute");
}

static void read_attributes(struct item *item, FILE *file)
{
    char line[1024], *value;

    while (fgets(line, sizeof(line), file) != NULL
           && strncmp(line, "-----", 5) != 0) {
        line[strcspn(line, "\n")] = 0;
        value = strstr(line, ": ");
        if (value == NULL)
            continue;
        *value = 0;
        read_attribute(item, line, value + 2);
    }
    rewind(file);
}

static bool read_certificate(struct item *item, const unsigned char *der,
                             long size)
{
    X509 *certificate = X509_new_ex(double_library(), NULL);
    const unsigned char *start = der;
    bool ok = certificate != NULL && d2i_X509(&certificate, &der, size) != NULL
              && X509_get0_pubkey(certificate) != NULL;

    if (ok) {
        keychain_hash(X509_get0_pubkey(certificate), item->hash);
        item->certificate = OPENSSL_memdup(start, (size_t)size);
        item->certificate_len = (size_t)size;
    }
    X509_free(certificate);
    return ok;
}

static bool read_block(struct item *item, const char *type,
                       const unsigned char *der, long size)
{
    OSSL_LIB_CTX *library = double_library();

    if (strcmp(type, PEM_STRING_X509) == 0)
        return read_certificate(item, der, size);
    item->private = strcmp(type, PEM_STRING_PUBLIC) != 0;
    if (item->private)
        item->key = d2i_AutoPrivateKey_ex(NULL, &der, size, library, NULL);
    else
        item->key = d2i_PUBKEY_ex(NULL, &der, size, library, NULL);
    if (item->key == NULL)
        return false;
    keychain_hash(item->key, item->hash);
    return true;
}

static bool read_item(void *argument, const char *name)
{
    struct items *items = argument;
    struct item *item;
    char path[PATH_MAX], *type = NULL, *header = NULL;
    unsigned char *der = NULL;
    long size;
    FILE *file;
    bool ok;

    if (name[0] == '.' || strcmp(name, LOCKED_FILE) == 0)
        return true;
    if (strlen(name) >= sizeof(item->file))
        double_die(name, "is too long a name");
    path_of(path, name);
    file = fopen(path, "re");
    if (file == NULL)
        return false;
    items->list =
        realloc(items->list, (items->count + 1) * sizeof(*items->list));
    if (items->list == NULL)
        double_die("memory", "the double has none left");
    item = &items->list[items->count++];
    memset(item, 0, sizeof(*item));
    strcpy(item->file, name);
    read_attributes(item, file);
    ok = PEM_read(file, &type, &header, &der, &size) == 1
         && read_block(item, type, der, size);
    OPENSSL_free(type);
    OPENSSL_free(header);
    OPENSSL_clear_free(der, ok ? (size_t)size : 0);
    fclose(file);
    return ok;
}

static int by_file(const void *one, const void *other)
{
    return strcmp(((const struct item *)one)->file,
                  ((const struct item *)other)->file);
}

OSStatus keychain_read(struct items *items)
{
    items->list = NULL;
    items->count = 0;
    if (!each_file(read_item, items)) {
        keychain_free(items);
        return access(macos_double_folder(), F_OK) == 0 ? errSecInvalidKeychain
                                                        : errSecNoSuchKeychain;
    }
    if (items->count > 0)
        qsort(items->list, items->count, sizeof(*items->list), by_file);
    return errSecSuccess;
}

static void write_attributes(const struct item *item, FILE *file)
{
    char *copy, *next, *name;

    if (item->label != NULL)
        fprintf(file, "label: %s\n", item->label);
    if (item->tag != NULL)
        fprintf(file, "tag: %s\n", item->tag);
    fprintf(file, "extractable: %s\nsensitive: %s\n",
            item->extractable ? "yes" : "no", item->sensitive ? "yes" : "no");
    if (item->trusted == NULL)
        return;
    copy = next = strdup(item->trusted);
    while ((name = strsep(&next, "\n")) != NULL)
        if (name[0] != 0)
            fprintf(file, "trusted: %s\n", name);
    free(copy);
}

/* Written beside it and renamed: readers see the old one or the new one. */
OSStatus keychain_replace(const struct item *item)
{
    char path[PATH_MAX], temporary[PATH_MAX];
    FILE *file;
    int ok;

    path_of(path, item->file);
    path_of(temporary, ".new");
    file = fopen(temporary, "we");
    if (file == NULL)
        return errSecWrPerm;
    write_attributes(item, file);
    ok = item->private ? PEM_write_PKCS8PrivateKey(file, item->key, NULL, NULL,
                                                   0, NULL, NULL)
                       : PEM_write_PUBKEY(file, item->key);
    if (fclose(file) != 0 || ok != 1 || rename(temporary, path) != 0)
        return errSecIO;
    return errSecSuccess;
}

OSStatus keychain_add(struct item *item)
{
    struct items items;
    OSStatus status = keychain_read(&items);
    size_t length = 0;

    if (status != errSecSuccess)
        return status;
    keychain_hash(item->key, item->hash);
    for (size_t i = 0; i < items.count; i++)
        if (items.list[i].key != NULL && items.list[i].private == item->private
            && memcmp(items.list[i].hash, item->hash, SHA1_SIZE) == 0)
            status = errSecDuplicateItem;
    keychain_free(&items);
    if (status != errSecSuccess)
        return status;
    for (int i = 0; i < SHA1_SIZE; i++)
        length += (size_t)sprintf(item->file + length, "%02x", item->hash[i]);
    strcat(item->file, item->private ? ".private" : ".public");
    return keychain_replace(item);
}

OSStatus keychain_remove(const struct item *item)
{
    char path[PATH_MAX];

    path_of(path, item->file);
    return unlink(path) == 0 ? errSecSuccess : errSecIO;
}

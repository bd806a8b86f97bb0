/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Where the layout and its files are: a key of the registry below
 * HKEY_CURRENT_USER, and a folder of its last name in %APPDATA%.
 */
#include "platform/layout_tree.h"
#include "platform/system.h"
#include "platform/windows/files.h"
#include "platform/windows/registry.h"
#include "platform/windows/wide.h"

#include <openssl/crypto.h>
#include <shlobj.h>
#include <string.h>

#define HOME_DEFAULT "SOFTWARE\\CryptoMesh"
#define KEY_NAME_MAX 255 /* characters that a key's name may have */

static int is_separator(char c)
{
    return c == '\\' || c == '/';
}

int mesh_path_climbs(const char *path)
{
    while (*path != '\0') {
        size_t len = strcspn(path, "\\/");

        if (len == 2 && memcmp(path, "..", 2) == 0)
            return 1;
        path += len + (path[len] != '\0');
    }
    return 0;
}

const char *mesh_registry_path(const char *home)
{
    static const char *const roots[] = {MESH_REGISTRY_ROOT "\\", "HKCU\\"};

    for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
        if (OPENSSL_strncasecmp(home, roots[i], strlen(roots[i])) == 0)
            return home + strlen(roots[i]);
    return home;
}

/* Whether each part may be a key's name, and the last a folder's, too. */
static int is_key(const char *path)
{
    const char *last = strrchr(path, '\\');

    last = last != NULL ? last + 1 : path;
    if (strpbrk(last, "<>:\"/|?*") != NULL
        || OPENSSL_strncasecmp(path, "HKEY_", 5) == 0
        || mesh_system_is_absolute(path))
        return 0;
    for (;;) {
        size_t len = strcspn(path, "\\");

        if (len == 0 || len > KEY_NAME_MAX)
            return 0;
        for (size_t i = 0; i < len; i++)
            if ((unsigned char)path[i] < ' ' || path[i] == '"')
                return 0;
        if (path[len] == '\0')
            return path[len - 1] != ' ' && path[len - 1] != '.';
        path += len + 1;
    }
}

char *mesh_layout_home(struct mesh_context *ctx)
{
    const char *home =
        ctx->config.home != NULL ? ctx->config.home : HOME_DEFAULT;
    const char *path = mesh_registry_path(home);
    size_t len = strlen(path);

    while (len > 1 && path[len - 1] == '\\')
        len--;
    home = mesh_path(ctx, MESH_REGISTRY_ROOT "\\%.*s", (int)len, path);
    if (home != NULL && !is_key(mesh_registry_path(home))) {
        mesh_raise(
            ctx, MESH_R_CONFIGURATION,
            "home %.200s: a key of the registry below " MESH_REGISTRY_ROOT
            " is wanted, such as " HOME_DEFAULT,
            path);
        OPENSSL_free((char *)home);
        home = NULL;
    }
    return (char *)home;
}

char *mesh_files_folder(struct mesh_context *ctx)
{
    char *home = mesh_layout_home(ctx), *data = NULL, *folder = NULL;
    wchar_t *wide = NULL;
    HRESULT result;

    if (home == NULL)
        return NULL;
    result = SHGetKnownFolderPath(&FOLDERID_RoamingAppData, 0, NULL, &wide);
    if (result != S_OK)
        mesh_raise(ctx, MESH_R_CONFIGURATION,
                   "the folder of the user's application data (%%APPDATA%%) "
                   "is not known (error %08lx)",
                   (unsigned long)result);
    else if ((data = mesh_utf8(ctx, wide)) != NULL)
        folder = mesh_path(ctx, "%s\\%s", data, strrchr(home, '\\') + 1);
    CoTaskMemFree(wide);
    OPENSSL_free(data);
    OPENSSL_free(home);
    return folder;
}

char *mesh_tree_entered(struct mesh_context *ctx, const char *udf,
                        const char *ending)
{
    char *folder = mesh_files_folder(ctx), *path = NULL;

    if (folder != NULL)
        path = mesh_path(ctx, "%s\\%s\\%s%s", folder, udf, udf, ending);
    OPENSSL_free(folder);
    return path;
}

static char *standard_path(struct mesh_context *ctx, const char *udf,
                           const char *ending)
{
    struct mesh_udf parsed; /* so udf is no path */

    return mesh_udf_parse(ctx, udf, &parsed)
               ? mesh_tree_entered(ctx, udf, ending)
               : NULL;
}

char *mesh_layout_standard_file(struct mesh_context *ctx, const char *udf)
{
    return standard_path(ctx, udf, MESH_FILE_ENDING);
}

char *mesh_layout_standard_archive(struct mesh_context *ctx, const char *udf)
{
    return standard_path(ctx, udf, MESH_ARCHIVE_ENDING);
}

/* Folders of users may be on a server, and then ours is. */
static int is_ours(struct mesh_context *ctx, const char *path)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    char *folder = mesh_files_folder(&quiet);
    size_t len = folder != NULL ? strlen(folder) : 0;
    int is = len > 0 && OPENSSL_strncasecmp(path, folder, len) == 0
             && path[len] == '\\';

    OPENSSL_free(folder);
    return is;
}

/* C:\folder\nul is no file; Windows knows which names are such. */
static int is_device(const char *path)
{
    wchar_t *wide = mesh_wide_path(NULL, path);
    int is = wide != NULL && wcsncmp(wide, L"\\\\.\\", 4) == 0;

    OPENSSL_free(wide);
    return is;
}

/* A path of the registry: on a drive of this machine.  Opening one of a server
 * would send that the user's name and what proves it. */
static char *check_path(struct mesh_context *ctx, const char *home,
                        const char *name, const char *path)
{
    const char *wrong = NULL;

    if (mesh_path_climbs(path))
        wrong = "\"..\" is not allowed";
    else if (!mesh_system_is_absolute(path))
        wrong = "an absolute path is wanted, such as C:\\folder\\file";
    else if (is_separator(path[0]) && !is_ours(ctx, path))
        wrong = "it is on a network or a device; put the file on a drive";
    else if (!is_separator(path[0]) && strchr(path + 2, ':') != NULL)
        wrong = "only a drive has a colon";
    else if (is_device(path))
        wrong = "Windows takes it for a device; give the file another name";
    if (wrong == NULL)
        return mesh_path(ctx, "%s", path);
    mesh_raise(ctx, MESH_R_UNSAFE_PATH,
               "%.200s, the file of %.80s in %.200s: %s", path, name, home,
               wrong);
    return NULL;
}

char *mesh_tree_file(struct mesh_context *ctx, const char *home,
                     const char *name, const char *given)
{
    if (given != NULL)
        return check_path(ctx, home, name, given);
    mesh_raise(ctx, MESH_R_INTERNAL, "%.80s in %.200s has no file", name, home);
    return NULL; /* the registry's reader leaves such entries out */
}

/* Beside the file, where the registry does not say. */
char *mesh_tree_archive(struct mesh_context *ctx, const char *home,
                        const char *name, const char *given, const char *file)
{
    size_t len = strlen(file);

    if (given != NULL)
        return check_path(ctx, home, name, given);
    while (len > 0 && !is_separator(file[len - 1]))
        len--;
    return mesh_path(ctx, "%.*s%s" MESH_ARCHIVE_ENDING, (int)len, file, name);
}

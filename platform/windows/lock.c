/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The lock of the layout.
 */
#include "platform/layout_tree.h"
#include "platform/windows/files.h"

#include <openssl/crypto.h>

#define LOCK_FILE         ".lock"
#define LOCK_MS           5000
#define LOCK_INTERVAL_MS  20
#define LOCK_BYTE_WRITERS 0
#define LOCK_BYTE_CHANGE  1

/* Two bytes of one file are two locks, as on other systems: writers of profiles
 * hold theirs while each change of the registry takes the other.  They are of
 * the handle, so threads exclude one another, too. */
static int lock_byte(struct mesh_context *ctx, DWORD byte, mesh_lock *lock)
{
    char *folder = mesh_files_folder(ctx), *path = NULL;
    HANDLE file = INVALID_HANDLE_VALUE;
    ULONGLONG start = GetTickCount64();
    OVERLAPPED at = {.Offset = byte};
    wchar_t *made = NULL;
    uint64_t size;
    DWORD error;
    int ok = 0;

    *lock = MESH_LOCK_NONE;
    if (folder == NULL
        || (path = mesh_path(ctx, "%s\\" LOCK_FILE, folder)) == NULL
        || !mesh_file_make_folders(ctx, path, &made)
        || !mesh_file_open_safe(ctx, path, GENERIC_READ | GENERIC_WRITE,
                                OPEN_ALWAYS, &file, &size))
        goto end;
    while (!LockFileEx(file,
                       LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0,
                       1, 0, &at)) {
        error = GetLastError();
        if (error != ERROR_LOCK_VIOLATION && error != ERROR_IO_PENDING) {
            mesh_file_raise(ctx, path, "lock it", error);
            goto end;
        }
        if (GetTickCount64() - start >= LOCK_MS) {
            mesh_raise(ctx, MESH_R_FILE_LOCKED,
                       "%.500s: another program has held the lock for %d "
                       "seconds",
                       path, LOCK_MS / 1000);
            goto end;
        }
        Sleep(LOCK_INTERVAL_MS);
    }
    *lock = (mesh_lock)file;
    file = INVALID_HANDLE_VALUE;
    ok = 1;

end:
    if (file != INVALID_HANDLE_VALUE)
        CloseHandle(file);
    OPENSSL_free(made);
    OPENSSL_free(path);
    OPENSSL_free(folder);
    return ok;
}

int mesh_layout_lock(struct mesh_context *ctx, mesh_lock *lock)
{
    return lock_byte(ctx, LOCK_BYTE_WRITERS, lock);
}

int mesh_layout_lock_change(struct mesh_context *ctx, mesh_lock *lock)
{
    return lock_byte(ctx, LOCK_BYTE_CHANGE, lock);
}

void mesh_layout_unlock(mesh_lock lock)
{
    OVERLAPPED at = {0};

    if (lock == MESH_LOCK_NONE)
        return;
    /* closing frees it, but only at some time */
    for (DWORD byte = LOCK_BYTE_WRITERS; byte <= LOCK_BYTE_CHANGE; byte++) {
        at.Offset = byte;
        UnlockFileEx((HANDLE)lock, 0, 1, 0, &at);
    }
    CloseHandle((HANDLE)lock);
}

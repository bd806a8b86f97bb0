/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the files of this folder share about files, folders and their owners.
 */
#ifndef MESH_PLATFORM_WINDOWS_FILES_H
#define MESH_PLATFORM_WINDOWS_FILES_H

#include "platform/context.h"

#include <stdint.h>
#include <windows.h>

/* The system's words for an error, in UTF-8, with its number. */
#define MESH_WINDOWS_TEXT_MAX 256
const char *mesh_windows_text(DWORD error, char text[MESH_WINDOWS_TEXT_MAX]);

/*
 * Whether the open file or folder belongs to the user, the system or its
 * administrators, and nobody else may write it; it was opened with
 * READ_CONTROL.  MESH_R_UNSAFE_FILE names who may, and the command that mends
 * it.
 */
int mesh_access_check(struct mesh_context *ctx, HANDLE file, const char *path,
                      int is_folder);
/* The same of a descriptor with owner and list of rights. */
int mesh_access_check_descriptor(struct mesh_context *ctx,
                                 PSECURITY_DESCRIPTOR descriptor,
                                 const char *path, int is_folder);
/* For new files and folders: the user and the system, nobody else.  The caller
 * frees the descriptor (LocalFree); NULL with the error raised. */
PSECURITY_DESCRIPTOR mesh_access_own(struct mesh_context *ctx, int is_folder);

/* The path as Windows takes it however long it is, made absolute; the caller
 * frees (OPENSSL_free).  A ctx of NULL raises nothing. */
wchar_t *mesh_wide_path(struct mesh_context *ctx, const char *path);
/* Raises that path cannot be opened, written …; is 0. */
int mesh_file_raise(struct mesh_context *ctx, const char *path,
                    const char *what, DWORD error);
/* Whether an error says that there is no such file or folder. */
int mesh_file_is_missing(DWORD error);
/* The letter of the drive of a path of mesh_wide_path(), if there is no such
 * drive; else 0. */
char mesh_file_missing_drive(const wchar_t *path);

/*
 * Opens a regular file that nobody else may write, nor the folder that holds
 * it, and never a link; made for us alone if disposition lets it be made.
 * MESH_R_UNSAFE_FILE, MESH_R_FILE_MISSING, MESH_R_FILE_IO.  The caller closes.
 */
int mesh_file_open_safe(struct mesh_context *ctx, const char *path,
                        DWORD access, DWORD disposition, HANDLE *file,
                        uint64_t *size);
/* Makes the folders of ours that path needs.  *made is the one that holds path
 * if it was missing, else NULL; the caller frees. */
int mesh_file_make_folders(struct mesh_context *ctx, const char *path,
                           wchar_t **made);

/* The folder of the files that we make, %APPDATA%\CryptoMesh, or with the name
 * of another layout's key; the caller frees (OPENSSL_free). */
char *mesh_files_folder(struct mesh_context *ctx);

#endif

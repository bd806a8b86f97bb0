/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Who may write a file: its owner and its list of access rights.
 */
#include "platform/windows/files.h"
#include "platform/windows/wide.h"

#include <aclapi.h>
#include <openssl/crypto.h>
#include <sddl.h>
#include <stdio.h>
#include <string.h>

/* What changes a file or folder, or lets somebody do so later. */
#define WRITING                                                                \
    (FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_DELETE_CHILD | DELETE           \
     | WRITE_DAC | WRITE_OWNER | GENERIC_WRITE | GENERIC_ALL                   \
     | MAXIMUM_ALLOWED)

#define TRUSTEE_MAX 256

/* Who may do anything to this machine anyway; the system's own programs belong
 * to the last but one, and the last is whoever owns the file. */
static const wchar_t *const trusted[] = {
    L"S-1-5-18",     /* SYSTEM */
    L"S-1-5-32-544", /* Administrators */
    L"S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",
    L"S-1-3-4", /* OWNER RIGHTS */
};

/* The user of this thread; the caller frees (OPENSSL_free). */
static TOKEN_USER *read_user(struct mesh_context *ctx)
{
    TOKEN_USER *user = NULL;
    HANDLE token = NULL;
    DWORD size = 0;

    /* (one that acts for somebody without a name is not the process's user) */
    if (!OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token)
        && (GetLastError() != ERROR_NO_TOKEN
            || !OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))) {
        mesh_raise(ctx, MESH_R_INTERNAL, "no token of the user (error %lu)",
                   GetLastError());
        return NULL;
    }
    GetTokenInformation(token, TokenUser, NULL, 0, &size);
    user = OPENSSL_malloc(size);
    if (user == NULL
        || !GetTokenInformation(token, TokenUser, user, size, &size)) {
        mesh_raise(ctx, MESH_R_INTERNAL, "no user in the token (error %lu)",
                   GetLastError());
        OPENSSL_free(user);
        user = NULL;
    }
    CloseHandle(token);
    return user;
}

static int is_trusted(PSID sid, PSID user)
{
    wchar_t *text = NULL;
    int is = EqualSid(sid, user);

    if (is || !ConvertSidToStringSidW(sid, &text))
        return is;
    for (size_t i = 0; !is && i < sizeof(trusted) / sizeof(trusted[0]); i++)
        is = wcscmp(text, trusted[i]) == 0;
    LocalFree(text);
    return is;
}

/* A name for people, and one that icacls takes in every language. */
struct trustee {
    char name[TRUSTEE_MAX];
    char sid[TRUSTEE_MAX];
};

static void to_utf8(const wchar_t *wide, char *text, size_t size)
{
    char *utf8 = wide != NULL ? mesh_utf8(NULL, wide) : NULL;

    OPENSSL_strlcpy(text, utf8 != NULL ? utf8 : "?", size);
    OPENSSL_free(utf8);
}

static void describe(PSID sid, struct trustee *trustee)
{
    wchar_t name[TRUSTEE_MAX], domain[TRUSTEE_MAX], *text = NULL;
    DWORD name_size = TRUSTEE_MAX, domain_size = TRUSTEE_MAX;
    SID_NAME_USE use;

    if (!ConvertSidToStringSidW(sid, &text))
        text = NULL;
    to_utf8(text, trustee->sid, sizeof(trustee->sid));
    LocalFree(text);
    if (LookupAccountSidW(NULL, sid, name, &name_size, domain, &domain_size,
                          &use))
        to_utf8(name, trustee->name, sizeof(trustee->name));
    else
        OPENSSL_strlcpy(trustee->name, trustee->sid, sizeof(trustee->name));
}

static int raise_writer(struct mesh_context *ctx, const char *path,
                        int is_folder, PSID sid, int inherited, PSID user)
{
    struct trustee writer, own;

    describe(sid, &writer);
    describe(user, &own);
    if (!inherited)
        return mesh_raise(ctx, MESH_R_UNSAFE_FILE,
                          "%.400s: %.100s may write it: icacls \"%.400s\" "
                          "/remove:g *%.100s",
                          path, writer.name, path, writer.sid);
    return mesh_raise(ctx, MESH_R_UNSAFE_FILE,
                      "%.400s: %.100s may write it, as the folder above has "
                      "it: icacls \"%.400s\" /inheritance:r /grant:r "
                      "*%.100s:%sF",
                      path, writer.name, path, own.sid,
                      is_folder ? "(OI)(CI)" : "");
}

/* The SID of an entry that lets somebody write; NULL: it does not. */
static PSID writer_of(const ACE_HEADER *ace)
{
    /* both begin alike */
    const ACCESS_ALLOWED_ACE *allowed = (const ACCESS_ALLOWED_ACE *)ace;

    if ((ace->AceType != ACCESS_ALLOWED_ACE_TYPE
         && ace->AceType != ACCESS_ALLOWED_CALLBACK_ACE_TYPE)
        || (ace->AceFlags & INHERIT_ONLY_ACE) != 0
        || (allowed->Mask & WRITING) == 0)
        return NULL;
    return (PSID)&allowed->SidStart;
}

static int check_list(struct mesh_context *ctx, const char *path, int is_folder,
                      PACL list, PSID user)
{
    if (list == NULL)
        return mesh_raise(ctx, MESH_R_UNSAFE_FILE,
                          "%.400s has no access rights, so everybody may write "
                          "it: icacls \"%.400s\" /reset",
                          path, path);
    for (DWORD i = 0; i < list->AceCount; i++) {
        ACE_HEADER *ace;
        PSID writer;

        if (!GetAce(list, i, (void **)&ace))
            return mesh_raise(ctx, MESH_R_UNSAFE_FILE,
                              "%.400s: its access rights cannot be read", path);
        writer = writer_of(ace);
        if (writer != NULL && !is_trusted(writer, user))
            return raise_writer(ctx, path, is_folder, writer,
                                (ace->AceFlags & INHERITED_ACE) != 0, user);
    }
    return 1;
}

int mesh_access_check_descriptor(struct mesh_context *ctx,
                                 PSECURITY_DESCRIPTOR descriptor,
                                 const char *path, int is_folder)
{
    TOKEN_USER *user = read_user(ctx);
    struct trustee other, own;
    BOOL has_list = FALSE, defaulted;
    PACL list = NULL;
    PSID owner = NULL;
    int ok = 0;

    if (user == NULL)
        return 0;
    if (!GetSecurityDescriptorOwner(descriptor, &owner, &defaulted))
        owner = NULL;
    if (!GetSecurityDescriptorDacl(descriptor, &has_list, &list, &defaulted)
        || !has_list)
        list = NULL;
    if (owner != NULL && is_trusted(owner, user->User.Sid)) {
        ok = check_list(ctx, path, is_folder, list, user->User.Sid);
    } else {
        describe(user->User.Sid, &own);
        if (owner != NULL)
            describe(owner, &other);
        mesh_raise(ctx, MESH_R_UNSAFE_FILE,
                   "%.400s belongs to %.100s, neither to %.100s nor to the "
                   "system: icacls \"%.400s\" /setowner *%.100s",
                   path, owner != NULL ? other.name : "nobody", own.name, path,
                   own.sid);
    }
    OPENSSL_free(user);
    return ok;
}

int mesh_access_check(struct mesh_context *ctx, HANDLE file, const char *path,
                      int is_folder)
{
    PSECURITY_DESCRIPTOR descriptor = NULL;
    char text[MESH_WINDOWS_TEXT_MAX];
    DWORD error =
        GetSecurityInfo(file, SE_FILE_OBJECT,
                        OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
                        NULL, NULL, NULL, NULL, &descriptor);
    int ok;

    if (error != ERROR_SUCCESS)
        return mesh_raise(ctx, MESH_R_UNSAFE_FILE,
                          "%.400s: its access rights cannot be read: %s", path,
                          mesh_windows_text(error, text));
    ok = mesh_access_check_descriptor(ctx, descriptor, path, is_folder);
    LocalFree(descriptor);
    return ok;
}

PSECURITY_DESCRIPTOR mesh_access_own(struct mesh_context *ctx, int is_folder)
{
    PSECURITY_DESCRIPTOR descriptor = NULL;
    const wchar_t *flags = is_folder ? L"OICI" : L"";
    wchar_t text[TRUSTEE_MAX], *sid = NULL;
    TOKEN_USER *user = read_user(ctx);

    if (user == NULL)
        return NULL;
    if (!ConvertSidToStringSidW(user->User.Sid, &sid)
        || swprintf(text, TRUSTEE_MAX, L"D:P(A;%ls;FA;;;SY)(A;%ls;FA;;;%ls)",
                    flags, flags, sid)
               < 0
        || !ConvertStringSecurityDescriptorToSecurityDescriptorW(
            text, SDDL_REVISION_1, &descriptor, NULL)) {
        mesh_raise(ctx, MESH_R_INTERNAL,
                   "no access rights for a new file (error %lu)",
                   GetLastError());
        descriptor = NULL;
    }
    LocalFree(sid);
    OPENSSL_free(user);
    return descriptor;
}

/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the Keychain answers, and what is to be done about it: a table.
 */
#include "platform/macos/status.h"

/* Layers below the Keychain have numbers of their own, which some of its
 * functions hand on. */
#define CSP_ERROR(n)       ((OSStatus)(-2147483647 - 1 + 0x10800 + (n)))
#define CSP_DENIED         CSP_ERROR(0x20)
#define CSP_NO_INTERACTION CSP_ERROR(0xe0)
#define CSP_CANCELLED      CSP_ERROR(0xe1)

static const char not_there[] = "the Keychain does not have it";
static const char locked[] =
    "the keychain is locked, or this program may not use the key: unlock it "
    "(security unlock-keychain), or let the program use the key (security "
    "set-key-partition-list)";
static const char nobody[] =
    "the Keychain would have to ask, and may not (prompt = never, or no "
    "session with a screen): unlock it before, and let the program use the key";
static const char cancelled[] = "it was refused in the Keychain's window";
static const char denied[] =
    "the key's access list does not let this program use it: answer Always "
    "Allow, or change it (security set-key-partition-list)";
static const char no_keychain[] =
    "there is no such keychain, or its file is gone: see security "
    "list-keychains and default-keychain";
static const char read_only[] = "the keychain's file cannot be written";
static const char unsupported[] = "the Keychain cannot do this";
static const char sensitive[] = "the key may not leave the Keychain";
static const char bad_data[] = "the Keychain did not take the data";
static const char form[] = "the Keychain does not know the key's form";
static const char memory[] = "out of memory";

static const struct {
    OSStatus status;
    enum mesh_reason reason;
    int of_data;
    const char *text;
} known[] = {
    {errSecItemNotFound, MESH_R_KEY_NOT_HELD, 0, not_there},
    {errSecInvalidItemRef, MESH_R_KEY_NOT_HELD, 0,
     "the key was removed from the Keychain meanwhile"},
    {errSecAuthFailed, MESH_R_LOCKED, 0, locked},
    {errSecInteractionNotAllowed, MESH_R_LOCKED, 0, nobody},
    {errSecInteractionRequired, MESH_R_LOCKED, 0, nobody},
    {CSP_NO_INTERACTION, MESH_R_LOCKED, 0, nobody},
    {errSecInDarkWake, MESH_R_LOCKED, 0,
     "nobody can be asked while the computer is asleep"},
    {errSecUserCanceled, MESH_R_PROMPT_DISMISSED, 0, cancelled},
    {CSP_CANCELLED, MESH_R_PROMPT_DISMISSED, 0, cancelled},
    {CSP_DENIED, MESH_R_PROMPT_DISMISSED, 0, denied},
    {errSecNoAccessForItem, MESH_R_PROMPT_DISMISSED, 0, denied},
    {errSecMissingEntitlement, MESH_R_OPERATION_UNSUPPORTED, 0,
     "this program lacks an entitlement, as all do that Apple has not signed "
     "for it: only the file-based keychain can be used"},
    {errSecDuplicateItem, MESH_R_KEY_EXISTS, 0, "the Keychain has it already"},
    {errSecNoSuchKeychain, MESH_R_OPERATION_FAILED, 0, no_keychain},
    {errSecInvalidKeychain, MESH_R_OPERATION_FAILED, 0, no_keychain},
    {errSecNoDefaultKeychain, MESH_R_OPERATION_FAILED, 0,
     "there is no default keychain: security default-keychain -s names one"},
    {errSecNotAvailable, MESH_R_OPERATION_FAILED, 0,
     "no keychain is available, as in a process without a user's session"},
    {errSecReadOnly, MESH_R_OPERATION_FAILED, 0, read_only},
    {errSecWrPerm, MESH_R_OPERATION_FAILED, 0, read_only},
    {errSecIO, MESH_R_OPERATION_FAILED, 0,
     "the keychain's file cannot be read or written"},
    {errSecKeySizeNotAllowed, MESH_R_OPERATION_UNSUPPORTED, 0,
     "the Keychain does not take keys of this length"},
    {errSecDataNotAvailable, MESH_R_NOT_EXPORTABLE, 0, sensitive},
    {errSecKeyIsSensitive, MESH_R_NOT_EXPORTABLE, 0, sensitive},
    {errSecUnimplemented, MESH_R_OPERATION_UNSUPPORTED, 0, unsupported},
    {errSecParam, MESH_R_OPERATION_FAILED, 1, bad_data},
    {errSecDecode, MESH_R_OPERATION_FAILED, 1, bad_data},
    {errSecUnknownFormat, MESH_R_KEY_MALFORMED, 1, form},
    {errSecUnsupportedFormat, MESH_R_KEY_MALFORMED, 1, form},
    {errSecInternalComponent, MESH_R_OPERATION_FAILED, 1,
     "the Keychain failed inside"},
    {errSecAllocate, MESH_R_MEMORY, 0, memory},
};

#define KNOWN (sizeof(known) / sizeof(known[0]))

static size_t find(OSStatus status)
{
    size_t i = 0;

    while (i < KNOWN && known[i].status != status)
        i++;
    return i;
}

int mesh_status_raise(struct mesh_context *ctx, OSStatus status,
                      const char *what, const char *of)
{
    size_t i = find(status);

    return mesh_raise(
        ctx, i < KNOWN ? known[i].reason : MESH_R_OPERATION_FAILED,
        "%s%s%.100s: %s (macOS's status %ld)", what, *of != '\0' ? ", " : "",
        of, i < KNOWN ? known[i].text : "it failed", (long)status);
}

OSStatus mesh_status_of(CFErrorRef *error)
{
    OSStatus status = errSecAllocate;

    if (*error == NULL)
        return status;
    status = CFEqual(CFErrorGetDomain(*error), kCFErrorDomainOSStatus)
                 ? (OSStatus)CFErrorGetCode(*error)
                 : errSecInternalComponent;
    CFRelease(*error);
    *error = NULL;
    return status != errSecSuccess ? status : errSecInternalComponent;
}

int mesh_status_is_of_data(OSStatus status)
{
    size_t i = find(status);

    return i == KNOWN || known[i].of_data;
}

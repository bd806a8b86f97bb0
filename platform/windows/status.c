/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The statuses that matter, and what one can do about them.
 */
#include "platform/windows/status.h"

/* Not in every version of the headers. */
#define STATUS_ACCESS_DENIED_     0xC0000022u
#define STATUS_INVALID_PARAMETER_ 0xC000000Du
#define STATUS_NO_MEMORY_         0xC0000017u
#define STATUS_BUFFER_TOO_SMALL_  0xC0000023u
#define STATUS_NOT_SUPPORTED_     0xC00000BBu
#define STATUS_NOT_FOUND_         0xC0000225u
#define TBS_SERVICE_NOT_RUNNING   0x80284008u
#define TBS_TPM_NOT_FOUND         0x8028400Fu
#define TBS_SERVICE_DISABLED      0x80284010u
#define TPM_LOCKED_OUT            0x80280921u
#define PCP_BAD_SALT              0x40290423u

#define NO_KEY      MESH_STATUS_NO_KEY
#define NO_DEVICE   MESH_STATUS_NO_DEVICE
#define DATA        MESH_STATUS_DATA
#define UNSUPPORTED MESH_STATUS_UNSUPPORTED

static const char not_there[] = "the key is not there";
static const char not_permitted[] =
    "not permitted: the key belongs to another user, or may not be used for "
    "this";
static const char refused[] = "refused by the user";
static const char silent[] =
    "the key can be used only after asking, and nobody may be asked now: set "
    "prompt = at-use, and use it in a session with a desktop";
static const char wrong_pin[] = "the PIN or password is wrong";
static const char no_device[] =
    "the device that holds the key was removed, or is not ready; if there is "
    "no "
    "TPM, or it is turned off, keystore = auto does without it";
static const char no_tpm[] =
    "no TPM is there, or it is turned off; keystore = auto does without it";
static const char exists[] = "a key of this name is there already";
static const char not_supported[] =
    "the key store cannot do this with this key";
static const char bad_data[] = "the key store does not take the data";
static const char bad_key[] = "the key is damaged";
static const char small[] = "the result does not fit";
static const char memory[] = "out of memory";

static const struct {
    DWORD status;
    enum mesh_reason reason;
    unsigned kind;
    const char *text;
} known[] = {
    {(DWORD)NTE_BAD_KEYSET, MESH_R_KEY_NOT_HELD, NO_KEY, not_there},
    {(DWORD)NTE_NO_KEY, MESH_R_KEY_NOT_HELD, NO_KEY, not_there},
    {(DWORD)NTE_NOT_FOUND, MESH_R_KEY_NOT_HELD, NO_KEY, not_there},
    {STATUS_NOT_FOUND_, MESH_R_KEY_NOT_HELD, NO_KEY, not_there},
    {ERROR_FILE_NOT_FOUND, MESH_R_KEY_NOT_HELD, NO_KEY, not_there},
    {(DWORD)NTE_PERM, MESH_R_OPERATION_FAILED, 0, not_permitted},
    {(DWORD)E_ACCESSDENIED, MESH_R_OPERATION_FAILED, 0, not_permitted},
    {ERROR_ACCESS_DENIED, MESH_R_OPERATION_FAILED, 0, not_permitted},
    {STATUS_ACCESS_DENIED_, MESH_R_OPERATION_FAILED, 0, not_permitted},
    {(DWORD)SCARD_W_SECURITY_VIOLATION, MESH_R_OPERATION_FAILED, 0,
     not_permitted},
    {(DWORD)SCARD_W_CANCELLED_BY_USER, MESH_R_PROMPT_DISMISSED, 0, refused},
    {(DWORD)SCARD_E_CANCELLED, MESH_R_PROMPT_DISMISSED, 0, refused},
    {(DWORD)NTE_USER_CANCELLED, MESH_R_PROMPT_DISMISSED, 0, refused},
    {ERROR_CANCELLED, MESH_R_PROMPT_DISMISSED, 0, refused},
    {(DWORD)HRESULT_FROM_WIN32(ERROR_CANCELLED), MESH_R_PROMPT_DISMISSED, 0,
     refused},
    {(DWORD)NTE_SILENT_CONTEXT, MESH_R_LOCKED, 0, silent},
    {(DWORD)NTE_UI_REQUIRED, MESH_R_LOCKED, 0, silent},
    {(DWORD)SCARD_W_WRONG_CHV, MESH_R_PASSPHRASE, 0, wrong_pin},
    {(DWORD)SCARD_W_CHV_BLOCKED, MESH_R_PASSPHRASE, 0,
     "the PIN was wrong too often and is blocked"},
    {TPM_LOCKED_OUT, MESH_R_PASSPHRASE, 0,
     "the TPM is locked after too many wrong PINs; it opens again by itself, "
     "later"},
    {(DWORD)NTE_DEVICE_NOT_READY, MESH_R_OPERATION_FAILED, NO_DEVICE,
     no_device},
    {(DWORD)NTE_DEVICE_NOT_FOUND, MESH_R_OPERATION_FAILED, NO_DEVICE,
     no_device},
    {(DWORD)SCARD_W_REMOVED_CARD, MESH_R_OPERATION_FAILED, NO_DEVICE,
     no_device},
    {(DWORD)SCARD_E_NO_SMARTCARD, MESH_R_OPERATION_FAILED, NO_DEVICE,
     no_device},
    {TBS_TPM_NOT_FOUND, MESH_R_OPERATION_FAILED, NO_DEVICE, no_tpm},
    {TBS_SERVICE_NOT_RUNNING, MESH_R_OPERATION_FAILED, NO_DEVICE, no_tpm},
    {TBS_SERVICE_DISABLED, MESH_R_OPERATION_FAILED, NO_DEVICE, no_tpm},
    {(DWORD)NTE_PROV_DLL_NOT_FOUND, MESH_R_OPERATION_FAILED, NO_DEVICE,
     "this Windows does not have the provider"},
    {(DWORD)NTE_KEYSET_NOT_DEF, MESH_R_OPERATION_FAILED, NO_DEVICE,
     "this Windows does not have the provider"},
    {PCP_BAD_SALT, MESH_R_OPERATION_UNSUPPORTED, UNSUPPORTED,
     "the TPM does not take a PSS salt of this length; it takes one of the "
     "digest's length, or PKCS#1"},
    {(DWORD)NTE_EXISTS, MESH_R_KEY_EXISTS, 0, exists},
    {(DWORD)NTE_NOT_SUPPORTED, MESH_R_OPERATION_UNSUPPORTED, UNSUPPORTED,
     not_supported},
    {STATUS_NOT_SUPPORTED_, MESH_R_OPERATION_UNSUPPORTED, UNSUPPORTED,
     not_supported},
    {ERROR_NOT_SUPPORTED, MESH_R_OPERATION_UNSUPPORTED, UNSUPPORTED,
     not_supported},
    {(DWORD)E_NOTIMPL, MESH_R_OPERATION_UNSUPPORTED, UNSUPPORTED,
     not_supported},
    {ERROR_CALL_NOT_IMPLEMENTED, MESH_R_OPERATION_UNSUPPORTED, UNSUPPORTED,
     not_supported},
    {(DWORD)NTE_BAD_ALGID, MESH_R_OPERATION_UNSUPPORTED, UNSUPPORTED,
     "the key store does not have the algorithm"},
    {(DWORD)NTE_BAD_FLAGS, MESH_R_OPERATION_UNSUPPORTED, UNSUPPORTED,
     not_supported},
    {(DWORD)NTE_BAD_TYPE, MESH_R_OPERATION_UNSUPPORTED, UNSUPPORTED,
     not_supported},
    {(DWORD)NTE_BAD_DATA, MESH_R_OPERATION_FAILED, DATA, bad_data},
    {(DWORD)NTE_BAD_LEN, MESH_R_OPERATION_FAILED, DATA, bad_data},
    {(DWORD)NTE_BAD_HASH, MESH_R_OPERATION_FAILED, DATA, bad_data},
    {(DWORD)NTE_INVALID_PARAMETER, MESH_R_OPERATION_FAILED, DATA, bad_data},
    {STATUS_INVALID_PARAMETER_, MESH_R_OPERATION_FAILED, DATA, bad_data},
    {(DWORD)E_INVALIDARG, MESH_R_OPERATION_FAILED, DATA, bad_data},
    {ERROR_INVALID_PARAMETER, MESH_R_OPERATION_FAILED, DATA, bad_data},
    {(DWORD)NTE_DECRYPTION_FAILURE, MESH_R_OPERATION_FAILED, DATA, bad_data},
    {(DWORD)NTE_BUFFER_TOO_SMALL, MESH_R_BUFFER_TOO_SMALL, DATA, small},
    {STATUS_BUFFER_TOO_SMALL_, MESH_R_BUFFER_TOO_SMALL, DATA, small},
    {ERROR_MORE_DATA, MESH_R_BUFFER_TOO_SMALL, DATA, small},
    {ERROR_INSUFFICIENT_BUFFER, MESH_R_BUFFER_TOO_SMALL, DATA, small},
    {(DWORD)NTE_KEYSET_ENTRY_BAD, MESH_R_KEY_MALFORMED, 0, bad_key},
    {(DWORD)NTE_BAD_KEY, MESH_R_KEY_MALFORMED, 0, bad_key},
    {(DWORD)NTE_BAD_KEY_STATE, MESH_R_OPERATION_UNSUPPORTED, UNSUPPORTED,
     "the key may not be used for this, or may not leave the key store"},
    {(DWORD)NTE_BAD_PUBLIC_KEY, MESH_R_KEY_MALFORMED, 0, bad_key},
    {(DWORD)NTE_NO_MEMORY, MESH_R_MEMORY, 0, memory},
    {STATUS_NO_MEMORY_, MESH_R_MEMORY, 0, memory},
    {ERROR_NOT_ENOUGH_MEMORY, MESH_R_MEMORY, 0, memory},
    {ERROR_OUTOFMEMORY, MESH_R_MEMORY, 0, memory},
};

#define KNOWN (sizeof(known) / sizeof(known[0]))

static size_t find(DWORD status)
{
    size_t i = 0;

    while (i < KNOWN && known[i].status != status)
        i++;
    return i;
}

unsigned mesh_status_kind(DWORD status)
{
    size_t i = find(status);

    return i < KNOWN ? known[i].kind : MESH_STATUS_DATA;
}

int mesh_status_raise(struct mesh_context *ctx, DWORD status, const char *what,
                      const char *of)
{
    size_t i = find(status);

    return mesh_raise(
        ctx, i < KNOWN ? known[i].reason : MESH_R_OPERATION_FAILED,
        "%s%s%.100s: %s (Windows's status 0x%08lx)", what,
        *of != '\0' ? ", " : "", of, i < KNOWN ? known[i].text : "it failed",
        (unsigned long)status);
}

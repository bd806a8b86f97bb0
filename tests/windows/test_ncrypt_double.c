/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The double's switches and what a test relies on: faults, a TPM that is there
 * or not, users who decline, handles that are none any more.  What it answers
 * as CNG: cng_conformance.c.
 */
#define WINVER       0x0A00
#define _WIN32_WINNT 0x0A00
#include <windows.h>

#include <bcrypt.h>
#include <ncrypt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define NAME L"double-test"

static NCRYPT_PROV_HANDLE provider;

static void assert_status(SECURITY_STATUS came, SECURITY_STATUS expected)
{
    assert_int_equal((unsigned)came, (unsigned)expected);
}

static int setup(void **state)
{
    (void)state;
    SetEnvironmentVariableA("NCRYPT_DOUBLE_FAIL", NULL);
    SetEnvironmentVariableA("NCRYPT_DOUBLE_PROMPT", NULL);
    SetEnvironmentVariableA("NCRYPT_DOUBLE_TPM", NULL);
    return NCryptOpenStorageProvider(&provider, MS_KEY_STORAGE_PROVIDER, 0)
           != 0;
}

static int teardown(void **state)
{
    NCRYPT_KEY_HANDLE key;

    (void)state;
    SetEnvironmentVariableA("NCRYPT_DOUBLE_FAIL", NULL);
    SetEnvironmentVariableA("NCRYPT_DOUBLE_PROMPT", NULL);
    if (NCryptOpenKey(provider, &key, NAME, 0, 0) == 0)
        NCryptDeleteKey(key, 0);
    return NCryptFreeObject(provider) != 0;
}

static NCRYPT_KEY_HANDLE make(NCRYPT_PROV_HANDLE where, const wchar_t *name,
                              DWORD ui_flags)
{
    NCRYPT_UI_POLICY ui = {1, ui_flags, NULL, NULL, NULL};
    NCRYPT_KEY_HANDLE key = 0;

    assert_status(NCryptCreatePersistedKey(
                      where, &key, BCRYPT_ECDSA_P256_ALGORITHM, name, 0, 0),
                  0);
    if (ui_flags != 0)
        assert_status(NCryptSetProperty(key, NCRYPT_UI_POLICY_PROPERTY,
                                        (PBYTE)&ui, sizeof(ui), 0),
                      0);
    assert_status(NCryptFinalizeKey(key, 0), 0);
    return key;
}

static SECURITY_STATUS sign(NCRYPT_KEY_HANDLE key, DWORD flags)
{
    BYTE hash[32] = {0}, signature[64];
    DWORD len;

    return NCryptSignHash(key, NULL, hash, sizeof(hash), signature,
                          sizeof(signature), &len, flags);
}

static void test_fault(void **state)
{
    NCRYPT_KEY_HANDLE key = make(provider, NAME, 0), again = 0;

    (void)state;
    SetEnvironmentVariableA("NCRYPT_DOUBLE_FAIL",
                            "NCryptSignHash=8010006e;NCryptOpenKey=80090010");
    assert_status(sign(key, 0), SCARD_W_CANCELLED_BY_USER);
    assert_status(sign(key, 0), SCARD_W_CANCELLED_BY_USER);
    assert_status(NCryptOpenKey(provider, &again, NAME, 0, 0), NTE_PERM);
    assert_int_equal(again, 0);
    SetEnvironmentVariableA("NCRYPT_DOUBLE_FAIL", NULL);
    assert_status(sign(key, 0), 0);
    assert_status(NCryptFreeObject(key), 0);
}

/* A TPM's error that is not negative, once, and the counting starts again with
 * another text. */
static void test_fault_of_one_call(void **state)
{
    NCRYPT_KEY_HANDLE key = make(provider, NAME, 0);

    (void)state;
    SetEnvironmentVariableA("NCRYPT_DOUBLE_FAIL", "NCryptSignHash@2=40290423");
    assert_status(sign(key, 0), 0);
    assert_status(sign(key, 0), 0x40290423);
    assert_status(sign(key, 0), 0);
    SetEnvironmentVariableA("NCRYPT_DOUBLE_FAIL", "NCryptSignHash@1=80090010");
    assert_status(sign(key, 0), NTE_PERM);
    assert_status(sign(key, 0), 0);
    assert_status(NCryptFreeObject(key), 0);
}

/* A name that another begins with is not the other. */
static void test_fault_of_another_name(void **state)
{
    (void)state;
    SetEnvironmentVariableA("NCRYPT_DOUBLE_FAIL", "NCryptSign=80090010");
    assert_status(NCryptFreeObject(make(provider, NAME, 0)), 0);
}

/* What failed has made no key. */
static void test_fault_of_making(void **state)
{
    NCRYPT_KEY_HANDLE key = 0;

    (void)state;
    assert_status(NCryptCreatePersistedKey(
                      provider, &key, BCRYPT_ECDSA_P256_ALGORITHM, NAME, 0, 0),
                  0);
    SetEnvironmentVariableA("NCRYPT_DOUBLE_FAIL", "NCryptFinalizeKey=80090030");
    assert_status(NCryptFinalizeKey(key, 0), NTE_DEVICE_NOT_READY);
    assert_status(NCryptFreeObject(key), 0);
    SetEnvironmentVariableA("NCRYPT_DOUBLE_FAIL", NULL);
    assert_status(NCryptOpenKey(provider, &key, NAME, 0, 0), NTE_BAD_KEYSET);
}

static void test_no_tpm(void **state)
{
    NCRYPT_PROV_HANDLE tpm = 0;

    (void)state;
    assert_status(
        NCryptOpenStorageProvider(&tpm, MS_PLATFORM_KEY_STORAGE_PROVIDER, 0),
        NTE_DEVICE_NOT_READY);
    assert_int_equal(tpm, 0);
}

/* Each provider has keys of its own. */
static void test_tpm(void **state)
{
    NCRYPT_PROV_HANDLE tpm = 0;
    NCRYPT_KEY_HANDLE key, none = 0;

    (void)state;
    SetEnvironmentVariableA("NCRYPT_DOUBLE_TPM", "1");
    assert_status(
        NCryptOpenStorageProvider(&tpm, MS_PLATFORM_KEY_STORAGE_PROVIDER, 0),
        0);
    key = make(tpm, NAME, 0);
    assert_status(NCryptOpenKey(provider, &none, NAME, 0, 0), NTE_BAD_KEYSET);
    assert_status(NCryptDeleteKey(key, 0), 0);
    assert_status(NCryptOpenKey(tpm, &none, NAME, 0, 0), NTE_BAD_KEYSET);
    assert_status(NCryptIsAlgSupported(tpm, BCRYPT_ECDSA_P521_ALGORITHM, 0),
                  NTE_NOT_SUPPORTED);
    assert_status(
        NCryptIsAlgSupported(provider, BCRYPT_ECDSA_P521_ALGORITHM, 0), 0);
    assert_status(NCryptFreeObject(tpm), 0);
}

/* A key that asks its user: not in silence, and only if the user agrees. */
static void test_prompt(void **state)
{
    NCRYPT_KEY_HANDLE key = make(provider, NAME, NCRYPT_UI_PROTECT_KEY_FLAG);

    (void)state;
    assert_status(NCryptFreeObject(key), 0);
    assert_status(NCryptOpenKey(provider, &key, NAME, 0, NCRYPT_SILENT_FLAG),
                  0);
    assert_status(sign(key, NCRYPT_SILENT_FLAG), NTE_SILENT_CONTEXT);
    assert_status(sign(key, 0), 0);
    SetEnvironmentVariableA("NCRYPT_DOUBLE_PROMPT", "cancel");
    assert_status(sign(key, 0), SCARD_W_CANCELLED_BY_USER);
    assert_status(NCryptDeleteKey(key, 0), SCARD_W_CANCELLED_BY_USER);
    assert_status(NCryptDeleteKey(key, NCRYPT_SILENT_FLAG),
                  NTE_SILENT_CONTEXT);
    assert_status(NCryptFreeObject(key), 0);
}

static void test_no_handle_any_more(void **state)
{
    NCRYPT_KEY_HANDLE key = make(provider, NULL, 0);

    (void)state;
    assert_true(NCryptIsKeyHandle(key));
    assert_false(NCryptIsKeyHandle(provider));
    assert_status(NCryptFreeObject(key), 0);
    assert_false(NCryptIsKeyHandle(key));
    assert_status(sign(key, 0), NTE_INVALID_HANDLE);
    assert_status(NCryptFreeObject(key), NTE_INVALID_HANDLE);
    key = make(provider, NAME, 0);
    assert_status(NCryptDeleteKey(key, 0), 0);
    assert_status(NCryptFreeObject(key), NTE_INVALID_HANDLE);
}

/* Two keys, and one that goes away while they are enumerated. */
static void test_enumerate(void **state)
{
    NCRYPT_KEY_HANDLE first = make(provider, L"double-test-ü", 0);
    NCRYPT_KEY_HANDLE second = make(provider, NAME, 0);
    NCryptKeyName *name = NULL;
    PVOID list = NULL;

    (void)state;
    assert_status(NCryptEnumKeys(provider, NULL, &name, &list, 0), 0);
    assert_true(wcscmp(name->pszName, NAME) == 0
                || wcscmp(name->pszName, L"double-test-ü") == 0);
    assert_true(wcscmp(name->pszAlgid, BCRYPT_ECDSA_P256_ALGORITHM) == 0);
    assert_status(NCryptFreeObject((NCRYPT_HANDLE)list), NTE_INVALID_HANDLE);
    assert_status(NCryptFreeBuffer(name), 0);
    assert_status(NCryptDeleteKey(first, 0), 0);
    assert_status(NCryptDeleteKey(second, 0), 0);
    assert_status(NCryptEnumKeys(provider, NULL, &name, &list, 0),
                  NTE_NO_MORE_ITEMS);
    assert_status(NCryptFreeBuffer(list), 0);
    assert_status(NCryptFreeBuffer(list), NTE_INVALID_PARAMETER);
}

static void test_names(void **state)
{
    wchar_t longer[200];
    NCRYPT_KEY_HANDLE key = 0;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(longer) / sizeof(*longer) - 1; i++)
        longer[i] = L'n';
    longer[i] = L'\0';
    assert_status(NCryptOpenKey(provider, &key, longer, 0, 0),
                  NTE_INVALID_PARAMETER);
    assert_status(NCryptOpenKey(provider, &key, L"", 0, 0),
                  NTE_INVALID_PARAMETER);
    key = make(provider, L"..\\mmm:double/test", 0); /* a name is no path */
    assert_status(NCryptDeleteKey(key, 0), 0);
}

/* What may leave is as the policy says, and none of it does: the double has no
 * way out for a private half. */
static void test_exportable(void **state)
{
    NCRYPT_KEY_HANDLE key = 0;
    DWORD policy =
        NCRYPT_ALLOW_EXPORT_FLAG | NCRYPT_ALLOW_PLAINTEXT_EXPORT_FLAG;
    DWORD read = 0, len = 0;
    BYTE blob[512];

    (void)state;
    assert_status(NCryptCreatePersistedKey(
                      provider, &key, BCRYPT_ECDSA_P256_ALGORITHM, NAME, 0, 0),
                  0);
    assert_status(NCryptSetProperty(key, NCRYPT_EXPORT_POLICY_PROPERTY,
                                    (PBYTE)&policy, sizeof(policy), 0),
                  0);
    assert_status(NCryptFinalizeKey(key, 0), 0);
    assert_status(NCryptFreeObject(key), 0);
    assert_status(NCryptOpenKey(provider, &key, NAME, 0, 0), 0);
    assert_status(NCryptGetProperty(key, NCRYPT_EXPORT_POLICY_PROPERTY,
                                    (PBYTE)&read, sizeof(read), &len, 0),
                  0);
    assert_int_equal(read, policy);
    policy = 0;
    assert_status(NCryptSetProperty(key, NCRYPT_EXPORT_POLICY_PROPERTY,
                                    (PBYTE)&policy, sizeof(policy), 0),
                  NTE_NOT_SUPPORTED);
    assert_status(NCryptExportKey(key, 0, BCRYPT_ECCPRIVATE_BLOB, NULL, blob,
                                  sizeof(blob), &len, 0),
                  NTE_NOT_SUPPORTED);
    assert_status(NCryptFreeObject(key), 0);
}

#define each(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        each(test_fault),
        each(test_fault_of_one_call),
        each(test_fault_of_another_name),
        each(test_fault_of_making),
        each(test_no_tpm),
        each(test_tpm),
        each(test_prompt),
        each(test_no_handle_any_more),
        each(test_enumerate),
        each(test_names),
        each(test_exportable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

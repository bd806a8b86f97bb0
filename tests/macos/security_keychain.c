/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The double's keychain as a whole: its status, and the person who is asked.
 */
#include "internal.h"

#include <Security/SecAccessControl.h>
#include <Security/SecItem.h>
#include <Security/SecKeychain.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct __SecKeychain {
    struct object object;
};
struct __SecAccessControl {
    struct object object;
};

static atomic_bool interaction = true;
static atomic_uint prompts;
static atomic_int answer = -1; /* not read from the environment yet */

static const char *const answers[] = {[MACOS_ANSWER_NONE] = "none",
                                      [MACOS_ANSWER_ALLOW] = "allow",
                                      [MACOS_ANSWER_ALWAYS] = "always",
                                      [MACOS_ANSWER_DENY] = "deny",
                                      [MACOS_ANSWER_CANCEL] = "cancel"};
#define ANSWERS (sizeof(answers) / sizeof(answers[0]))

void double_keychain_reset(void)
{
    keychain_destroy_own();
    interaction = true;
    prompts = 0;
    answer = -1;
}

void macos_double_lock(bool locked)
{
    keychain_set_locked(locked);
}

void macos_double_answer(enum macos_double_answer given)
{
    answer = (int)given;
}

unsigned macos_double_prompts(void)
{
    return prompts;
}

static enum macos_double_answer the_answer(void)
{
    const char *name = getenv("MACOS_DOUBLE_PROMPT");

    if (answer >= 0)
        return (enum macos_double_answer)answer;
    if (name == NULL)
        return MACOS_ANSWER_NONE;
    for (size_t i = 0; i < ANSWERS; i++)
        if (strcmp(name, answers[i]) == 0)
            return (enum macos_double_answer)i;
    double_die("MACOS_DOUBLE_PROMPT", name);
}

/* Asks a person; *always: the answer is to be kept. */
static OSStatus ask(const char *what, bool *always)
{
    static const OSStatus results[ANSWERS] = {
        [MACOS_ANSWER_NONE] = errSecInteractionNotAllowed,
        [MACOS_ANSWER_DENY] = errSecAuthFailed,
        [MACOS_ANSWER_CANCEL] = errSecUserCanceled};
    enum macos_double_answer given = the_answer();

    prompts++;
    double_report("prompt", what);
    *always = given == MACOS_ANSWER_ALWAYS;
    return results[given];
}

OSStatus double_unlock(void)
{
    OSStatus status;
    bool always;

    if (!keychain_is_locked())
        return errSecSuccess;
    /* Not errSecInteractionNotAllowed, as one would think. */
    if (!interaction)
        return errSecAuthFailed;
    status = ask("unlock", &always);
    if (status == errSecSuccess)
        keychain_set_locked(false);
    return status;
}

static bool trusts(const struct item *item, const char *program)
{
    const char *line = item->trusted;
    size_t length = strlen(program);

    while (line != NULL && *line != 0) {
        if (strncmp(line, program, length) == 0 && line[length] == '\n')
            return true;
        line = strchr(line, '\n');
        if (line != NULL)
            line++;
    }
    return item->trusted == NULL;
}

OSStatus double_permit(struct item *item)
{
    const char *program = double_program();
    OSStatus status;
    bool always;
    char *all;

    if (trusts(item, program))
        return errSecSuccess;
    if (!interaction)
        return errSecInteractionNotAllowed;
    status = ask("use", &always);
    if (status != errSecSuccess || !always)
        return status;
    if (asprintf(&all, "%s%s\n", item->trusted, program) < 0)
        double_die("memory", "the double has none left");
    free(item->trusted);
    item->trusted = all;
    return keychain_replace(item);
}

OSStatus SecKeychainCopyDefault(SecKeychainRef *keychain)
{
    OSStatus status = double_enter(__func__);

    if (status != errSecSuccess)
        return status;
    if (access(macos_double_folder(), F_OK) != 0)
        return errSecNoDefaultKeychain;
    *keychain = double_new(sizeof(**keychain), OBJECT_KEYCHAIN);
    return *keychain != NULL ? errSecSuccess : errSecAllocate;
}

OSStatus SecKeychainGetStatus(SecKeychainRef keychain, SecKeychainStatus *flags)
{
    OSStatus status = double_enter(__func__);

    if (status != errSecSuccess)
        return status;
    if (keychain != NULL)
        double_checked(keychain, OBJECT_KEYCHAIN);
    if (access(macos_double_folder(), F_OK) != 0)
        return keychain == NULL ? errSecNoDefaultKeychain
                                : errSecNoSuchKeychain;
    *flags = kSecReadPermStatus | kSecWritePermStatus;
    if (!keychain_is_locked())
        *flags |= kSecUnlockStateStatus;
    return errSecSuccess;
}

OSStatus SecKeychainSetUserInteractionAllowed(Boolean state)
{
    OSStatus status = double_enter(__func__);

    if (status == errSecSuccess)
        interaction = state != 0;
    return status;
}

OSStatus SecKeychainGetUserInteractionAllowed(Boolean *state)
{
    OSStatus status = double_enter(__func__);

    if (status == errSecSuccess)
        *state = interaction;
    return status;
}

SecAccessControlRef
SecAccessControlCreateWithFlags(CFAllocatorRef allocator, CFTypeRef protection,
                                SecAccessControlCreateFlags flags,
                                CFErrorRef *error)
{
    OSStatus status = double_enter(__func__);
    SecAccessControlRef control = NULL;

    if (allocator != NULL || flags == 0
        || !CFEqual(protection, kSecAttrAccessibleWhenUnlockedThisDeviceOnly))
        double_die(__func__, "not in the double");
    if (status == errSecSuccess)
        control = double_new(sizeof(*control), OBJECT_ACCESS_CONTROL);
    if (control == NULL)
        double_set_error(error, status == 0 ? errSecAllocate : status);
    return control;
}

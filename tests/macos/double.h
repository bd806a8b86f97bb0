/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A double of CoreFoundation and Security: what platform/macos calls, over
 * OpenSSL in a library context of its own and a keychain that is a folder.
 * It is stricter than macOS: what Apple's code would ignore, or what would
 * crash there, aborts here with the reason on stderr.
 *
 * The folder: each item is a PEM file (PRIVATE KEY, PUBLIC KEY, CERTIFICATE)
 * with lines "label: …", "tag: …", "extractable: yes|no", "sensitive: yes|no",
 * "trusted: PROGRAM" before it.  A key without a line "trusted" may be used by
 * every program.  A file "locked" in the folder: the keychain is locked.
 *
 * Taken from Apple's published source: which attributes count where, the label
 * of a key, what an import keeps, what raw RSA fills up, that an imported
 * private key has no public half.  Assumed, until a Mac says otherwise:
 * errSecParam for each size, point, length and padding that is refused,
 * errSecKeySizeNotAllowed at an import, errSecInvalidItemRef and
 * errSecNoSuchKeychain for what has gone, errSecAuthFailed when a person
 * denies.
 *
 * Environment, read at the first call:
 * MACOS_DOUBLE_KEYCHAIN    the folder; unset: one that ends with the process
 * MACOS_DOUBLE_FAIL        FUNCTION=STATUS,… : fails so each time;
 *                          FUNCTION@N=STATUS: only its N-th call
 * MACOS_DOUBLE_FAIL_ALLOC  N: the N-th CF object is not made
 * MACOS_DOUBLE_PROMPT      who answers: none (default: nobody is at a screen),
 *                          allow, always, deny, cancel
 * MACOS_DOUBLE_PROGRAM     instead of the path of the running program
 * MACOS_DOUBLE_REPORT      a file, appended to: "call FUNCTION", "prompt WHAT",
 *                          "private bytes FUNCTION", at the end "leaked N …"
 * MACOS_DOUBLE_LEAKS       abort: leaked objects end the process by abort()
 */
#ifndef MACOS_DOUBLE_H
#define MACOS_DOUBLE_H

#include <CoreFoundation/CoreFoundation.h>

enum macos_double_answer {
    MACOS_ANSWER_NONE, /* no screen: errSecInteractionNotAllowed */
    MACOS_ANSWER_ALLOW,
    MACOS_ANSWER_ALWAYS,
    MACOS_ANSWER_DENY,
    MACOS_ANSWER_CANCEL
};

/* An empty keychain (a folder that was given stays as it is), every count 0,
 * nothing fails; the environment is read again.  Living objects stay so. */
void macos_double_reset(void);

/* The n-th call of function from now fails with status; n 0: each call. */
void macos_double_fail(const char *function, OSStatus status, unsigned n);

/* The n-th CF object from now is not made (NULL); 0: all are. */
void macos_double_fail_allocation(long n);
/* CF objects made, or refused, since the reset. */
long macos_double_allocations(void);
/* CF objects alive now. */
long macos_double_live(void);

/* How often private bytes were asked for, and a person, since the reset. */
unsigned macos_double_private_attempts(void);
unsigned macos_double_prompts(void);

void macos_double_lock(bool locked);
void macos_double_answer(enum macos_double_answer answer);
/* The program that this process is from now on, for access lists. */
void macos_double_program(const char *path);
/* The keychain's folder; the double's. */
const char *macos_double_folder(void);

#endif

/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Linked into mesh-keyd under AddressSanitizer: its search for leaks traces the
 * process, which a process that is not dumpable does not allow.
 */
const char *__asan_default_options(void);

__attribute__((visibility("default"))) const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

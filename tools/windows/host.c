/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What meshctl takes from Windows.
 */
#include "tools/host.h"

#include "platform/windows/files.h"
#include "platform/windows/wide.h"

#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include <shellapi.h> /* wants the one above */

#ifndef STATUS_CONTROL_C_EXIT
#define STATUS_CONTROL_C_EXIT ((DWORD)0xC000013A)
#endif

static volatile LONG waiting; /* the event + 1 */
static UINT code_page;

/* main()'s arguments are in the code page of this machine, which lacks letters.
 * They live as long as the process. */
int host_begin(int *argc, char ***argv)
{
    int count = 0, ok;
    wchar_t **wide = CommandLineToArgvW(GetCommandLineW(), &count);
    char **texts = NULL;

    if (wide != NULL)
        texts = OPENSSL_zalloc(((size_t)count + 1) * sizeof(*texts));
    ok = texts != NULL;
    for (int i = 0; ok && i < count; i++)
        ok = (texts[i] = mesh_utf8(NULL, wide[i])) != NULL;
    LocalFree(wide);
    if (!ok)
        return 0;
    *argc = count;
    *argv = texts;
    /* What is printed is the same everywhere: key references, JSON. */
    _setmode(_fileno(stdout), _O_BINARY);
    code_page = GetConsoleOutputCP();
    SetConsoleOutputCP(CP_UTF8);
    return 1;
}

void host_end(void)
{
    if (code_page != 0)
        SetConsoleOutputCP(code_page);
    if (waiting != 0)
        ExitProcess(STATUS_CONTROL_C_EXIT);
}

static BOOL WINAPI hold(DWORD event)
{
    InterlockedExchange(&waiting, (LONG)event + 1);
    /* Of these the system would end us as soon as we return. */
    while (event != CTRL_C_EVENT && event != CTRL_BREAK_EVENT)
        Sleep(INFINITE);
    return TRUE;
}

void host_hold_signals(void)
{
    SetConsoleCtrlHandler(hold, TRUE);
}

const char *host_waiting_signal(void)
{
    LONG event = InterlockedCompareExchange(&waiting, 0, 0);

    return event == 0 ? NULL : (event - 1 == CTRL_C_EVENT ? "Ctrl-C" : "ended");
}

int host_is_terminal(FILE *file)
{
    return _isatty(_fileno(file));
}

int host_has_terminal(void)
{
    HANDLE console = CreateFileW(L"CONIN$", GENERIC_READ | GENERIC_WRITE,
                                 FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                                 OPEN_EXISTING, 0, NULL);

    if (console == INVALID_HANDLE_VALUE)
        return 0;
    CloseHandle(console);
    return 1;
}

void host_interrupt(void)
{
    ExitProcess(STATUS_CONTROL_C_EXIT);
}

int host_name(char *name, size_t size)
{
    wchar_t wide[256];
    DWORD len = sizeof(wide) / sizeof(wide[0]);
    char *text = NULL;

    if (GetComputerNameExW(ComputerNameDnsHostname, wide, &len))
        text = mesh_utf8(NULL, wide);
    if (text != NULL)
        OPENSSL_strlcpy(name, text, size);
    OPENSSL_free(text);
    return text != NULL;
}

FILE *host_open(const char *path)
{
    wchar_t *wide = mesh_wide(NULL, path);
    FILE *file = NULL;

    if (wide == NULL)
        errno = EINVAL;
    else
        file = _wfopen(wide, L"rb");
    OPENSSL_free(wide);
    return file;
}

int host_can_read(const char *path)
{
    FILE *file = host_open(path);

    if (file != NULL)
        fclose(file);
    return file != NULL;
}

int host_can_execute(const char *path)
{
    return host_can_read(path);
}

/* Windows Error Reporting takes what a crash leaves only from whom it may ask;
 * the process says that it has nothing to give. */
void host_no_core(void)
{
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
}

unsigned host_seconds(void)
{
    return (unsigned)(GetTickCount64() / 1000);
}

/* Sockets have errors of Windows, which strerror() does not know. */
const char *host_network_text(long error, char text[HOST_TEXT_MAX])
{
    _Static_assert(HOST_TEXT_MAX >= MESH_WINDOWS_TEXT_MAX, "it fits");
    return mesh_windows_text((DWORD)error, text);
}

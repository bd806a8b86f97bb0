/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The table of commands.
 */
#include "tools/commands.h"

const struct command commands[] = {
    {"create device", command_create_device,
     "make a device profile with three new keys",
     "[OPTION]...\n\n"
     "  --algorithm A             of the keys for signatures and "
     "authentication;\n"
     "                            default RSA-2048\n"
     "  --encryption-algorithm A  of the key for encryption; default as\n"
     "                            --algorithm if that is RSA, else RSA-2048\n"
     "  --description TEXT        default: the name of this computer\n"
     "  --default                 make it the default though there is one\n"},
    {"create personal", command_create_personal,
     "make a personal profile that contains the default device",
     "[OPTION]...\n\n"
     "  --algorithm A             of the master and the online key; default\n"
     "                            RSA-2048\n"
     "  --description TEXT\n"
     "  --portal ACCOUNT          where it is registered; may be repeated, "
     "the\n"
     "                            default first\n"
     "  --default                 make it the default though there is one\n"},
    {"create application", command_create_application,
     "make an application profile with a new key",
     "TYPE [OPTION]...\n\n"
     "  TYPE                      web, ssh, network, mail\n"
     "  --algorithm A             default RSA-2048; must be able to sign, or\n"
     "                            for mail to encrypt to\n"
     "  --description TEXT\n"
     "  --default                 make it the default though there is one\n"},
    {"add device", command_add_device, "put a device into a personal profile",
     "FILE|URI [OPTION]...\n\n"
     "  FILE                      the profile that the device itself has made\n"
     "  --personal PROFILE        default: personal\n"
     "  --admin                   let it change all applications\n"},
    {"remove device", command_remove_device,
     "take a device out of a personal profile",
     "URI|UDF [OPTION]\n\n"
     "  --personal PROFILE        default: personal\n"},
    {"remove application", command_remove_application,
     "take an application out of a personal profile",
     "URI|UDF [OPTION]\n\n"
     "  --personal PROFILE        default: personal\n"},
    {"remove account", command_remove_account,
     "take an account out of a personal profile",
     "ACCOUNT [OPTION]\n\n"
     "  ACCOUNT                   NAME@HOST\n"
     "  --personal PROFILE        default: the one that has ACCOUNT\n"},
    {"describe", command_describe, "change the description of a profile",
     "PROFILE TEXT\n\n"
     "  PROFILE                   its fingerprint, URI, or word such as "
     "device\n"
     "  TEXT                      empty: no description\n"},
    {"rollover", command_rollover,
     "put a new key in the place of one, which is retired", "URI\n"},
    {"import", command_import, "put a key from a file into the key store",
     "FILE [OPTION]...\n\n"
     "  FILE                      PEM, DER, PKCS#8 or PKCS#12; -: standard\n"
     "                            input\n"
     "  --role NAME               member of the profile that takes the key;\n"
     "                            default ImportedKeys\n"
     "  --profile PROFILE         default: device\n"
#ifdef MESH_PLATFORM_LINUX
     "  --in-place                leave the key in FILE; mesh-keyd uses it "
     "there\n"
     "  --keep-passphrase         with --in-place: keep the passphrase of "
     "FILE\n"
     "                            in the Secret Service\n"
#endif
     "  --passphrase-file FILE    read the passphrase from the first line of\n"
     "                            FILE; default: ask on the terminal\n"},
    {"csr", command_csr, "make a certificate request, signed by a key",
     "URI [OPTION]...\n\n"
     "  URI                       of a key, or of a profile: its key sign\n"
     "  --subject NAME            such as /C=NL/O=Example/CN=www.example.net;\n"
     "                            default: /CN= the first DNS name, else the\n"
     "                            description of the profile\n"
     "  --name TYPE:NAME          one more name of the subject; TYPE is DNS, "
     "IP,\n"
     "                            email or URI; may be repeated\n"
     "  --out FILE                write it to FILE; default: standard "
     "output\n"},
    {"certificate", command_certificate, "attach a certificate to a key",
     "URI FILE\n\n"
     "  FILE                      the certificate and its chain, PEM or DER\n"},
    {"ssh-key", command_ssh_key, "print a key as a line of authorized_keys",
     "URI\n\n"
     "  URI                       of a key, or of a profile: its key sign\n"},
    {"list", command_list, "list the profiles",
     "[OPTION]...\n\n"
     "  --keys                    list what the key store holds, too\n"
     "  --json\n"},
    {"show", command_show, "show what a profile or a key says",
     "URI|FILE [OPTION]...\n\n"
     "  --json\n"},
    {"verify", command_verify, "verify profiles with the whole trust chain",
     "URI|FILE... [OPTION]...\n\n"
     "  --personal FILE           the personal profile that application\n"
     "                            profiles are verified by; default: those of\n"
     "                            this device\n"
     "  --json\n"},
    {"reference", command_reference,
     "print the URI that only this key answers to, or write it as a file",
     "URI [OPTION]\n\n"
     "  --out FILE                write a key-reference file, for programs "
     "that\n"
     "                            read keys from files; -: standard output\n"},
    {"adopt", command_adopt, "take profiles from files into the layout",
     "FILE...\n\n"
     "  FILE                      a profile; -: standard input.  A version of\n"
     "                            one that is here must not be older\n"},
    {"log", command_log, "show the versions of a profile in its archive",
     "PROFILE [OPTION]\n\n"
     "  --json\n"},
    {"archive", command_archive, "append a version of a profile to its archive",
     "PROFILE [FILE]\n\n"
     "  FILE                      the version; default: the latest copy\n"},
    {"repair", command_repair,
     "write latest copies back that are missing, damaged or old",
     "PROFILE...|--all\n\n"
     "  --all                     all profiles of the layout\n"},
    {"default", command_default, "show, set or remove the default profiles",
     "[KIND|TYPE [PROFILE]] [OPTION]\n\n"
     "  KIND                      device, personal\n"
     "  TYPE                      web, ssh, network, mail\n"
     "  PROFILE                   its fingerprint, URI, or account\n"
     "  --none                    have no default of KIND or TYPE\n"
     "  --json\n"},
    {"delete", command_delete, "delete a profile or a private key",
     "URI [OPTION]...\n\n"
     "  --keys                    with a profile: its private keys, too\n"
     "  --yes                     do not ask\n"},
    {"refresh", command_refresh, "get new versions of profiles from a portal",
     "[PROFILE|ACCOUNT]...|--all [OPTION]...\n\n"
     "  PROFILE                   its fingerprint or URI; default: personal\n"
     "  ACCOUNT                   NAME@HOST; a new one is added\n"
     "  --all                     every profile that has a portal\n"
     "  --portal HOST             ask this one instead; HOST or HOST:PORT\n"
     "  --cacert FILE             the CA certificates for TLS\n"
     "  --timeout SECONDS         for each request; default 60\n\n"
     "The status is 0 if something changed, 3 if nothing did.\n"},
    {"publish", command_publish, "send a profile to its portals",
     "[PROFILE] [OPTION]...\n\n"
     "  PROFILE                   its fingerprint or URI; default: personal\n"
     "  --portal HOST             send it to this one alone\n"
     "  --cacert FILE             the CA certificates for TLS\n"
     "  --timeout SECONDS         for each request; default 60\n"},
    {"lock", command_lock,
#ifdef MESH_PLATFORM_LINUX
     "make the key holder forget all keys in memory",
#else
     "do nothing: here no key is in the memory of a key holder",
#endif
     "\n"},
    {"doctor", command_doctor, "say what is wrong with the set-up",
     "[OPTION]\n\n"
     "  --json\n"},
    {"help", command_help, "say what a command takes", "[COMMAND]\n"},
};
const size_t commands_count = sizeof(commands) / sizeof(commands[0]);

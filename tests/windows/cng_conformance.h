/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * For the conformance program: what was expected and what came, and libcrypto's
 * view of CNG's keys, signatures and ciphertexts.
 */
#ifndef MESH_TESTS_CNG_CONFORMANCE_H
#define MESH_TESTS_CNG_CONFORMANCE_H

#define WINVER       0x0A00
#define _WIN32_WINNT 0x0A00
#include <windows.h>

#include <bcrypt.h>
#include <ncrypt.h>
#include <openssl/evp.h>

/* What comes now is of this provider. */
void section(const char *provider);

/* One thing that we believe; with _of, of WHAT.  0 is success. */
void expect_status(const char *belief, SECURITY_STATUS expected,
                   SECURITY_STATUS came);
void expect_status_of(const char *what, const char *belief,
                      SECURITY_STATUS expected, SECURITY_STATUS came);
void expect_refused(const char *belief, SECURITY_STATUS came);
void expect_refused_of(const char *what, const char *belief,
                       SECURITY_STATUS came);
void expect_true(const char *belief, int is_true);
void expect_true_of(const char *what, const char *belief, int is_true);

/* A key's property has this value. */
void expect_text(NCRYPT_KEY_HANDLE key, const wchar_t *property,
                 const wchar_t *expected);
void expect_number(NCRYPT_KEY_HANDLE key, const wchar_t *property,
                   DWORD expected);

/* Prints "N passed, N failed"; the status of the program. */
int summary(void);

/* The public half of a CNG key; the caller's, NULL if it is none. */
EVP_PKEY *public_key(NCRYPT_KEY_HANDLE key, int is_rsa);

/* Blobs of libcrypto's keys, in a buffer with room; their lengths. */
DWORD ecc_blob(EVP_PKEY *key, int is_ecdsa, int is_private, BYTE *blob);
DWORD rsa_blob(EVP_PKEY *key, BYTE *blob);
DWORD pkcs8_blob(EVP_PKEY *key, BYTE *blob);

/* Whether it is an RSA signature of a hash; without a digest's name, of the
 * octets themselves.  SALT is for PSS. */
int is_signature(EVP_PKEY *key, int padding, const char *digest, int salt,
                 const BYTE *hash, DWORD len, const BYTE *signature,
                 DWORD signature_len);

/* Whether r and s are a signature of a hash. */
int is_ecdsa(EVP_PKEY *key, const BYTE *hash, DWORD len, const BYTE *signature,
             DWORD signature_len);

/* Encrypts the text, into as many octets as the modulus has; and whether some
 * octets are the text. */
void encrypt(EVP_PKEY *key, int padding, const char *digest, const BYTE *label,
             DWORD label_len, BYTE *out);
int is_text(const BYTE *data, DWORD len);

/* Whether PLAIN encrypted without padding is IN. */
int is_raw(EVP_PKEY *key, const BYTE *plain, const BYTE *in);

/* Whether the two have this secret, its least significant octet first. */
int is_secret(EVP_PKEY *mine, EVP_PKEY *theirs, const BYTE *raw, DWORD len);

#endif

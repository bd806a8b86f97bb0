/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The layout in the registry (draft-hallambaker-mesh-platform, section 3.1),
 * and how it becomes the tree of layout_tree.h:
 *
 *   PersonalProfiles              (Default)     the default's fingerprint
 *   PersonalProfiles\<UDF>        (Default), Archive, Portals
 *   ApplicationProfiles           Web, SSH, …   the defaults' fingerprints
 *                                 <UDF>         file
 *   DeviceProfiles, or ThisDevice (Default)     the default's fingerprint
 *                                 <UDF>         file
 */
#ifndef MESH_PLATFORM_WINDOWS_REGISTRY_H
#define MESH_PLATFORM_WINDOWS_REGISTRY_H

#include "platform/layout_tree.h"

#include <windows.h>

#define MESH_REGISTRY_ROOT "HKEY_CURRENT_USER"

/* The part of a home below HKEY_CURRENT_USER. */
const char *mesh_registry_path(const char *home);

/* Opens the key of a home, for reading, or made for writing; a key that is not
 * there is NULL and no failure.  The caller closes it. */
int mesh_registry_open(struct mesh_context *ctx, const char *home, int write,
                       HKEY *key);

/* Reads what a home has, the devices from DeviceProfiles alone if own is set;
 * the caller json_decref()s. */
int mesh_registry_read(struct mesh_context *ctx, const char *home, int own,
                       json_t **root);

/* Raises what a function of the registry answered, and is 0. */
int mesh_registry_raise(struct mesh_context *ctx, LSTATUS status,
                        const char *key, const char *what);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "gnomon/tlslib.h"

/* The rows of tlslib_table, one file each. */
extern const struct tlslib_ops openssl_tlslib;
extern const struct tlslib_ops boringssl_tlslib;
extern const struct tlslib_ops gnutls_tlslib;
extern const struct tlslib_ops go_tlslib;
extern const struct tlslib_ops aws_lc_tlslib;
extern const struct tlslib_ops ring_tlslib;
extern const struct tlslib_ops nspr_tlslib;

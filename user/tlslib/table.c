/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "gnomon/tlslib.h"
#include "tlslib/openssl.h"

const struct tlslib_ops *const tlslib_table[] = {
	&openssl_tlslib,
	NULL,
};

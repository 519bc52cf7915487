/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "policy/condition_code.h"

enum token_kind {
	TOKEN_END,
	TOKEN_WORD,
	TOKEN_STRING,
	TOKEN_NUMBER,
	TOKEN_LIST,  /* $name; `text` is the name */
	TOKEN_OP,    /* a comparison; `op` says which */
	TOKEN_OPEN,  /* ( or [ */
	TOKEN_CLOSE, /* ) or ] */
	TOKEN_COMMA,
	TOKEN_BAD, /* the error is set */
};

struct token {
	enum token_kind kind;
	size_t offset;
	struct span text; /* as written; a string's without quotes and escapes */
	enum step_op op;
	struct value number;
};

struct lexer {
	struct arena *arena;
	struct span text;
	size_t at;
	struct condition_error *error;
	bool failed;
};

/* The next token; strings with escapes are copied into the arena. */
struct token lexer_next(struct lexer *lexer);
/* Sets the error unless there is one already. */
__attribute__((format(printf, 3, 4))) void lexer_error(struct lexer *lexer, size_t offset,
						       const char *format, ...);

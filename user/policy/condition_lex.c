/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/condition_lex.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/cleanup.h"

void lexer_error(struct lexer *lexer, size_t offset, const char *format, ...)
{
	va_list args;

	if (lexer->failed)
		return;
	lexer->failed = true;
	lexer->error->offset = offset;
	va_start(args, format);
	vsnprintf(lexer->error->message, sizeof(lexer->error->message), format, args);
	va_end(args);
}

static bool is_word_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '@';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word_char(char c)
{
	return is_word_start(c) || is_digit(c) || c == '.' || c == '-';
}

static char lexer_peek(const struct lexer *lexer, size_t ahead)
{
	return lexer->text.len - lexer->at > ahead ? lexer->text.at[lexer->at + ahead] : '\0';
}

static struct token lex_word(struct lexer *lexer, enum token_kind kind)
{
	struct token token = {.kind = kind, .offset = lexer->at};

	if (kind == TOKEN_LIST)
		lexer->at++;
	token.text.at = lexer->text.at + lexer->at;
	while (is_word_char(lexer_peek(lexer, 0))) {
		lexer->at++;
		token.text.len++;
	}
	if (token.text.len == 0) {
		lexer_error(lexer, token.offset, "a '$' needs the name of a list");
		token.kind = TOKEN_BAD;
	}
	return token;
}

static struct token lex_number(struct lexer *lexer)
{
	struct token token = {.kind = TOKEN_NUMBER, .offset = lexer->at};
	char digits[64], *end;

	token.text.at = lexer->text.at + lexer->at;
	while (is_word_char(lexer_peek(lexer, 0)) || lexer_peek(lexer, 0) == '+') {
		lexer->at++;
		token.text.len++;
	}
	if (!span_copy(digits, sizeof(digits), token.text) ||
	    strspn(digits, "+-.0123456789eE") != token.text.len)
		goto bad;
	errno = 0;
	token.number.type = FIELD_INT;
	token.number.integer = strtoll(digits, &end, 10);
	if (*end) {
		errno = 0;
		token.number.type = FIELD_DOUBLE;
		token.number.real = strtod(digits, &end);
	}
	if (*end == '\0' && errno == 0)
		return token;
bad:
	lexer_error(lexer, token.offset, "not a number that can be used: %s", digits);
	token.kind = TOKEN_BAD;
	return token;
}

/* Cuts the string out; `escaped` tells that it holds escapes. */
static bool scan_string(struct lexer *lexer, struct token *token, bool *escaped)
{
	char quote = lexer_peek(lexer, 0);
	size_t i = 1;

	for (; lexer->at + i < lexer->text.len; i++) {
		char c = lexer_peek(lexer, i);

		if (c == quote) {
			token->text = span_of(lexer->text.at + lexer->at + 1, i - 1);
			lexer->at += i + 1;
			return true;
		}
		if (c != '\\')
			continue;
		*escaped = true;
		c = lexer_peek(lexer, ++i);
		if (c != '\\' && c != '"' && c != '\'') {
			lexer_error(lexer, lexer->at + i - 1,
				    "only \\\\, \\\" and \\' may follow a backslash");
			return false;
		}
	}
	lexer_error(lexer, token->offset, "the string does not end");
	return false;
}

static struct token lex_string(struct lexer *lexer)
{
	struct token token = {.kind = TOKEN_STRING, .offset = lexer->at};
	bool escaped = false;
	size_t n = 0;
	char *copy;

	if (!scan_string(lexer, &token, &escaped)) {
		token.kind = TOKEN_BAD;
		return token;
	}
	if (!escaped)
		return token;
	copy = arena_alloc(lexer->arena, token.text.len);
	if (!copy) {
		lexer_error(lexer, token.offset, "out of memory");
		token.kind = TOKEN_BAD;
		return token;
	}
	for (size_t i = 0; i < token.text.len; i++) {
		if (token.text.at[i] == '\\')
			i++;
		copy[n++] = token.text.at[i];
	}
	token.text = span_of(copy, n);
	return token;
}

static const struct {
	const char *text;
	enum token_kind kind;
	enum step_op op;
} symbols[] = {
	{"==", TOKEN_OP, STEP_EQ}, {"!=", TOKEN_OP, STEP_NE}, {"<=", TOKEN_OP, STEP_LE},
	{">=", TOKEN_OP, STEP_GE}, {"<", TOKEN_OP, STEP_LT},  {">", TOKEN_OP, STEP_GT},
	{"(", TOKEN_OPEN},         {")", TOKEN_CLOSE},        {"[", TOKEN_OPEN},
	{"]", TOKEN_CLOSE},        {",", TOKEN_COMMA},
};

static struct token lex_symbol(struct lexer *lexer)
{
	struct span rest = span_skip(lexer->text, lexer->at);
	struct token token = {.kind = TOKEN_BAD, .offset = lexer->at};
	char c = lexer_peek(lexer, 0);

	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
		if (!span_starts(rest, span_str(symbols[i].text)))
			continue;
		token.kind = symbols[i].kind;
		token.op = symbols[i].op;
		token.text = span_of(rest.at, strlen(symbols[i].text));
		lexer->at += token.text.len;
		return token;
	}
	if (c == '=')
		lexer_error(lexer, lexer->at, "unexpected '=', equality is \"==\"");
	else if (c == '&' || c == '|' || c == '!')
		lexer_error(lexer, lexer->at, "unexpected '%c', write \"and\", \"or\" or \"not\"",
			    c);
	else if (c > ' ' && c < 0x7f)
		lexer_error(lexer, lexer->at, "unexpected '%c'", c);
	else
		lexer_error(lexer, lexer->at, "unexpected character");
	return token;
}

struct token lexer_next(struct lexer *lexer)
{
	char c;

	while (lexer->at < lexer->text.len && strchr(" \t\r\n", lexer_peek(lexer, 0)) &&
	       lexer_peek(lexer, 0))
		lexer->at++;
	if (lexer->at == lexer->text.len)
		return (struct token){.kind = TOKEN_END, .offset = lexer->at};
	c = lexer_peek(lexer, 0);
	if (c == '"' || c == '\'')
		return lex_string(lexer);
	if (is_digit(c) || ((c == '-' || c == '+') && is_digit(lexer_peek(lexer, 1))))
		return lex_number(lexer);
	if (c == '$')
		return lex_word(lexer, TOKEN_LIST);
	if (is_word_start(c))
		return lex_word(lexer, TOKEN_WORD);
	return lex_symbol(lexer);
}

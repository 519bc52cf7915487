/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/condition.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy/condition_lex.h"
#include "util/cleanup.h"
#include "util/suggest.h"

struct compiler {
	struct lexer lexer;
	struct token token; /* the one to look at next */
	size_t end;         /* of the token before it */
	struct step *steps;
	uint32_t count, cap;
	unsigned int depth;
};

static const char *const class_names[] = {
	[VALUE_STRING] = "a string", [VALUE_NUMBER] = "a number", [VALUE_BOOL] = "true or false",
	[VALUE_TIME] = "a time",     [VALUE_IP] = "an address",   [VALUE_LIST] = "a list",
};

static bool compile_or(struct compiler *c);

static int text_len(struct span text)
{
	return (int)(text.len < MESSAGE_TEXT_MAX ? text.len : MESSAGE_TEXT_MAX);
}

static bool failed(struct compiler *c, size_t offset, const char *message)
{
	lexer_error(&c->lexer, offset, "%s", message);
	return false;
}

/* The next token; false when it is none. */
static bool advance(struct compiler *c)
{
	c->end = c->lexer.at;
	c->token = lexer_next(&c->lexer);
	return c->token.kind != TOKEN_BAD;
}

static bool is_word(const struct compiler *c, const char *word)
{
	return c->token.kind == TOKEN_WORD && span_eq(c->token.text, span_str(word));
}

/* The number of the new step; UINT32_MAX when there is no room. */
static uint32_t emit(struct compiler *c, const struct step *step)
{
	if (c->count == CONDITION_STEPS_MAX) {
		failed(c, c->token.offset, "the condition is too long");
		return UINT32_MAX;
	}
	if (c->count == c->cap) {
		uint32_t cap = c->cap ? c->cap * 2 : 16;
		struct step *more = reallocarray(c->steps, cap, sizeof(*more));

		if (!more) {
			failed(c, c->token.offset, "out of memory");
			return UINT32_MAX;
		}
		c->steps = more;
		c->cap = cap;
	}
	c->steps[c->count] = *step;
	return c->count++;
}

static bool take_field(struct compiler *c, enum field *field, bool operand)
{
	struct suggestion near = {0};
	int found;

	if (c->token.kind != TOKEN_WORD)
		return failed(c, c->token.offset,
			      c->token.kind == TOKEN_END ? "the condition ends too early"
			      : operand                  ? "expected a value"
							 : "expected a field");
	found = field_by_name(c->token.text);
	if (found >= 0) {
		*field = (enum field)found;
		return advance(c);
	}
	for (int i = 0; i < FIELD_COUNT; i++)
		suggest_offer(&near, c->token.text,
			      span_of(field_table[i].name, field_table[i].name_len));
	lexer_error(&c->lexer, c->token.offset, "unknown field \"%.*s\"%s" SUGGEST_FORMAT,
		    text_len(c->token.text), c->token.text.at,
		    operand && !near.best.len ? ", a string needs quotes" : "", SUGGEST_ARGS(near));
	return false;
}

static bool mismatch(struct compiler *c, size_t offset, enum field field, enum value_class other)
{
	enum value_class is = value_class_of(field_table[field].type);

	if (is == VALUE_TIME)
		lexer_error(&c->lexer, offset,
			    "%s is a time, which compares with other time fields only",
			    field_table[field].name);
	else
		lexer_error(&c->lexer, offset, "%s is %s and does not compare with %s",
			    field_table[field].name, class_names[is], class_names[other]);
	return false;
}

/* A literal for a field of that class. */
static bool take_literal(struct compiler *c, enum field field, enum value_class wanted,
			 struct value *value)
{
	size_t offset = c->token.offset;
	struct span text = c->token.text;
	enum value_class class;

	if (c->token.kind == TOKEN_STRING) {
		*value = (struct value){.type = FIELD_STRING, .string = text};
		if (wanted == VALUE_IP && value_parse_ip(text, value))
			return advance(c);
		if (wanted == VALUE_IP) {
			lexer_error(&c->lexer, offset, "\"%.*s\" is no address or network",
				    text_len(text), text.at);
			return false;
		}
	} else if (c->token.kind == TOKEN_NUMBER) {
		*value = c->token.number;
	} else if (is_word(c, "true") || is_word(c, "false")) {
		*value = (struct value){.type = FIELD_BOOL, .boolean = is_word(c, "true")};
	} else {
		return failed(c, offset,
			      c->token.kind == TOKEN_END ? "the condition ends too early"
							 : "expected a value");
	}
	class = value_class_of(value->type);
	if (class == wanted)
		return advance(c);
	return mismatch(c, offset, field, class);
}

static bool is_literal(const struct compiler *c)
{
	return c->token.kind == TOKEN_STRING || c->token.kind == TOKEN_NUMBER ||
	       is_word(c, "true") || is_word(c, "false");
}

/* The right side of a comparison: a literal or a field of the class. */
static bool take_operand(struct compiler *c, struct step *step, enum value_class wanted)
{
	size_t offset = c->token.offset;
	enum value_class class;

	if (c->token.kind == TOKEN_LIST)
		return failed(c, offset,
			      "a $list stands behind \"in\", \"matches\" and \"cidr\" only");
	if (is_literal(c)) {
		step->operand = OPERAND_VALUE;
		return take_literal(c, step->field, wanted, &step->value);
	}
	step->operand = OPERAND_FIELD;
	if (!take_field(c, &step->other, true))
		return false;
	class = value_class_of(field_table[step->other].type);
	return class == wanted || mismatch(c, offset, step->field, class);
}

static bool compile_comparison(struct compiler *c, struct step *step, size_t field_offset)
{
	enum value_class class = value_class_of(field_table[step->field].type);
	size_t offset = c->token.offset;
	bool ordering;

	step->op = c->token.op;
	ordering = step->op != STEP_EQ && step->op != STEP_NE;
	if (class == VALUE_LIST) {
		lexer_error(&c->lexer, field_offset, "%s is a list: use \"contains\" or \"in\"",
			    field_table[step->field].name);
		return false;
	}
	if (ordering && class != VALUE_NUMBER && class != VALUE_TIME) {
		lexer_error(&c->lexer, offset, "%s is %s, which has no order",
			    field_table[step->field].name, class_names[class]);
		return false;
	}
	return advance(c) && take_operand(c, step, class) && emit(c, step) != UINT32_MAX;
}

static const struct {
	const char *word;
	enum step_op op;
} text_ops[] = {
	{"contains", STEP_CONTAINS},
	{"startswith", STEP_STARTS},
	{"endswith", STEP_ENDS},
	{"matches", STEP_MATCHES},
};

/* A glob that is only the text, a start, an end or a part needs no matching step by step. */
static void simplify_glob(struct step *step)
{
	struct span text = step->value.string;
	bool front = text.len && text.at[0] == '*';
	bool back = text.len > 1 && text.at[text.len - 1] == '*';

	text = span_of(text.at + front, text.len - front - back);
	if (text.len && (memchr(text.at, '*', text.len) || memchr(text.at, '?', text.len)))
		return;
	step->op = front && back ? STEP_CONTAINS : front ? STEP_ENDS : back ? STEP_STARTS : STEP_EQ;
	step->value.string = text;
}

/* The literals of `in ( ... )`. */
static bool take_set(struct compiler *c, enum field field, enum value_class wanted,
		     struct value_set *set)
{
	char close = c->token.text.at[0] == '(' ? ')' : ']';
	size_t cap = 0;

	for (;;) {
		if (set->count == cap) {
			struct value *more;

			cap = cap ? cap * 2 : 8;
			more = arena_array(c->lexer.arena, cap, sizeof(*more));
			if (!more)
				return failed(c, c->token.offset, "out of memory");
			if (set->count)
				memcpy(more, set->items, set->count * sizeof(*more));
			set->items = more;
		}
		if (!advance(c) || !take_literal(c, field, wanted, &set->items[set->count]))
			return false;
		set->count++;
		if (c->token.kind == TOKEN_CLOSE && c->token.text.at[0] == close)
			break;
		if (c->token.kind != TOKEN_COMMA)
			return failed(c, c->token.offset,
				      close == ')' ? "expected ',' or ')'" : "expected ',' or ']'");
	}
	if (wanted == VALUE_STRING && value_set_index(set, c->lexer.arena) < 0)
		return failed(c, c->token.offset, "out of memory");
	return advance(c);
}

/* The $list or the literals behind `in`, `matches` and `cidr`. */
static bool compile_set(struct compiler *c, struct step *step, enum step_op op,
			enum value_class wanted)
{
	size_t offset = c->token.offset;

	step->op = op;
	step->operand = OPERAND_SET;
	step->set = arena_alloc(c->lexer.arena, sizeof(*step->set));
	if (!step->set)
		return failed(c, offset, "out of memory");
	step->set->offset = offset;
	if (c->token.kind == TOKEN_LIST) {
		step->set->list = c->token.text;
		if (!advance(c))
			return false;
	} else if (!take_set(c, step->field, wanted, step->set)) {
		return false;
	}
	if (op == STEP_LIKE && step->set->count > GLOBS_PER_TEST_MAX) {
		lexer_error(&c->lexer, offset, "\"matches\" takes at most %d globs",
			    GLOBS_PER_TEST_MAX);
		return false;
	}
	return emit(c, step) != UINT32_MAX;
}

/* A glob for a list field is a set of one: an item of the list has to match. */
static bool compile_list_glob(struct compiler *c, struct step *step)
{
	struct value_set *set = arena_alloc(c->lexer.arena, sizeof(*set));

	if (!set || !(set->items = arena_alloc(c->lexer.arena, sizeof(*set->items))))
		return failed(c, c->token.offset, "out of memory");
	if (c->token.kind != TOKEN_STRING)
		return failed(c, c->token.offset, "expected a glob, ( globs ) or a $list");
	set->count = 1;
	step->op = STEP_LIKE;
	step->operand = OPERAND_SET;
	step->set = set;
	return take_literal(c, step->field, VALUE_STRING, &set->items[0]) &&
	       emit(c, step) != UINT32_MAX;
}

static bool compile_text_op(struct compiler *c, struct step *step, const char *word)
{
	enum value_class class = value_class_of(field_table[step->field].type);
	bool on_lists = step->op == STEP_CONTAINS || step->op == STEP_MATCHES;

	if (class != VALUE_STRING && !(class == VALUE_LIST && on_lists)) {
		lexer_error(&c->lexer, c->token.offset, "\"%s\" needs a string%s, %s is %s", word,
			    on_lists ? " or a list" : "", field_table[step->field].name,
			    class_names[class]);
		return false;
	}
	if (!advance(c))
		return false;
	if (step->op == STEP_MATCHES &&
	    (c->token.kind == TOKEN_OPEN || c->token.kind == TOKEN_LIST))
		return compile_set(c, step, STEP_LIKE, VALUE_STRING);
	if (step->op == STEP_MATCHES && class == VALUE_LIST)
		return compile_list_glob(c, step);
	if (!take_operand(c, step, VALUE_STRING))
		return false;
	if (step->op == STEP_MATCHES && step->operand == OPERAND_VALUE)
		simplify_glob(step);
	return emit(c, step) != UINT32_MAX;
}

static bool compile_in(struct compiler *c, struct step *step)
{
	enum value_class class = value_class_of(field_table[step->field].type);
	enum value_class wanted = class == VALUE_LIST ? VALUE_STRING : class;
	size_t offset;

	step->op = STEP_IN;
	if (!advance(c))
		return false;
	offset = c->token.offset;
	if (c->token.kind == TOKEN_WORD && !is_literal(c)) {
		step->operand = OPERAND_FIELD;
		if (!take_field(c, &step->other, true))
			return false;
		if (class != VALUE_STRING || field_table[step->other].type != FIELD_LIST)
			return failed(c, offset, "expected a list");
		return emit(c, step) != UINT32_MAX;
	}
	if (c->token.kind != TOKEN_OPEN && c->token.kind != TOKEN_LIST)
		return failed(c, offset, "expected ( values ), a $list or a list field");
	if (wanted == VALUE_BOOL || wanted == VALUE_TIME) {
		lexer_error(&c->lexer, offset, "%s is %s, which \"in\" does not take",
			    field_table[step->field].name, class_names[wanted]);
		return false;
	}
	return compile_set(c, step, STEP_IN, wanted);
}

/* field cidr "10.0.0.0/8", a set of them or a $list. */
static bool compile_cidr(struct compiler *c, struct step *step)
{
	enum value_class class = value_class_of(field_table[step->field].type);

	if (class != VALUE_IP) {
		lexer_error(&c->lexer, c->token.offset, "\"cidr\" needs an address, %s is %s",
			    field_table[step->field].name, class_names[class]);
		return false;
	}
	if (!advance(c))
		return false;
	if (c->token.kind == TOKEN_OPEN || c->token.kind == TOKEN_LIST)
		return compile_set(c, step, STEP_IN, VALUE_IP);
	step->op = STEP_EQ;
	step->operand = OPERAND_VALUE;
	return take_literal(c, step->field, VALUE_IP, &step->value) && emit(c, step) != UINT32_MAX;
}

/* A word that is no field and behind which nothing is compared. */
static bool is_macro(const struct compiler *c)
{
	struct condition_error ignored;
	struct lexer ahead = c->lexer;
	struct token next;

	if (c->token.kind != TOKEN_WORD || field_by_name(c->token.text) >= 0 ||
	    memchr(c->token.text.at, '.', c->token.text.len))
		return false;
	ahead.error = &ignored;
	next = lexer_next(&ahead);
	return next.kind == TOKEN_END || next.kind == TOKEN_CLOSE ||
	       (next.kind == TOKEN_WORD && (span_eq(next.text, SPAN_LITERAL("and")) ||
					    span_eq(next.text, SPAN_LITERAL("or"))));
}

static bool compile_macro(struct compiler *c)
{
	struct step step = {.op = STEP_MACRO};

	step.macro = arena_alloc(c->lexer.arena, sizeof(*step.macro));
	if (!step.macro)
		return failed(c, c->token.offset, "out of memory");
	step.macro->name = c->token.text;
	step.macro->offset = c->token.offset;
	return advance(c) && emit(c, &step) != UINT32_MAX;
}

static bool compile_test(struct compiler *c)
{
	struct step step = {0};
	size_t offset = c->token.offset;

	if (is_macro(c))
		return compile_macro(c);
	if (!take_field(c, &step.field, false))
		return false;
	if (c->token.kind == TOKEN_OP)
		return compile_comparison(c, &step, offset);
	if (is_word(c, "in"))
		return compile_in(c, &step);
	if (is_word(c, "cidr"))
		return compile_cidr(c, &step);
	if (is_word(c, "exists")) {
		step.op = STEP_EXISTS;
		return advance(c) && emit(c, &step) != UINT32_MAX;
	}
	for (size_t i = 0; i < ARRAY_SIZE(text_ops); i++) {
		if (is_word(c, text_ops[i].word)) {
			step.op = text_ops[i].op;
			return compile_text_op(c, &step, text_ops[i].word);
		}
	}
	if (field_table[step.field].type == FIELD_BOOL) {
		step.op = STEP_HOLDS;
		return emit(c, &step) != UINT32_MAX;
	}
	lexer_error(&c->lexer, c->token.offset, "expected an operator behind %s",
		    field_table[step.field].name);
	return false;
}

static bool compile_nested(struct compiler *c, bool (*inner)(struct compiler *))
{
	bool good;

	if (c->depth == CONDITION_DEPTH_MAX)
		return failed(c, c->token.offset, "nested too deeply");
	c->depth++;
	good = advance(c) && inner(c);
	c->depth--;
	return good;
}

static bool compile_test_text(struct compiler *c)
{
	size_t offset = c->token.offset;

	if (!compile_test(c))
		return false;
	c->steps[c->count - 1].text = span_of(c->lexer.text.at + offset, c->end - offset);
	return true;
}

static bool compile_not(struct compiler *c)
{
	static const struct step negate = {.op = STEP_NOT};

	if (is_word(c, "not"))
		return compile_nested(c, compile_not) && emit(c, &negate) != UINT32_MAX;
	if (c->token.kind != TOKEN_OPEN || c->token.text.at[0] != '(')
		return compile_test_text(c);
	if (!compile_nested(c, compile_or))
		return false;
	if (c->token.kind != TOKEN_CLOSE || c->token.text.at[0] != ')')
		return failed(c, c->token.offset, "expected ')'");
	return advance(c);
}

/* left {word right}: the skip jumps behind the combining step when the left side decides. */
static bool compile_chain(struct compiler *c, const char *word, enum step_op skip_op,
			  enum step_op combine_op, bool (*inner)(struct compiler *))
{
	const struct step combine = {.op = combine_op};
	struct step skip = {.op = skip_op};
	uint32_t at;

	if (!inner(c))
		return false;
	while (is_word(c, word)) {
		at = emit(c, &skip);
		if (at == UINT32_MAX || !advance(c) || !inner(c) || emit(c, &combine) == UINT32_MAX)
			return false;
		c->steps[at].jump = c->count;
	}
	return true;
}

static bool compile_and(struct compiler *c)
{
	return compile_chain(c, "and", STEP_SKIP_FALSE, STEP_AND, compile_not);
}

static bool compile_or(struct compiler *c)
{
	return compile_chain(c, "or", STEP_SKIP_TRUE, STEP_OR, compile_and);
}

static bool compile_all(struct compiler *c)
{
	if (!advance(c))
		return false;
	if (c->token.kind == TOKEN_END)
		return failed(c, 0, "the condition is empty");
	if (!compile_or(c))
		return false;
	if (c->token.kind != TOKEN_END)
		return failed(c, c->token.offset, "expected \"and\", \"or\" or the end");
	return true;
}

struct condition *condition_compile(struct arena *arena, struct span text,
				    struct condition_error *error)
{
	struct compiler c = {.lexer = {.arena = arena, .text = text, .error = error}};
	struct condition *condition = NULL;

	if (text.len > CONDITION_BYTES_MAX) {
		failed(&c, 0, "the condition is too long");
	} else if (compile_all(&c)) {
		condition = arena_alloc(arena, sizeof(*condition));
		if (condition) {
			condition->count = c.count;
			condition->steps = arena_array(arena, c.count, sizeof(*c.steps));
		}
		if (!condition || !condition->steps) {
			failed(&c, 0, "out of memory");
			condition = NULL;
		} else {
			memcpy(condition->steps, c.steps, c.count * sizeof(*c.steps));
		}
	}
	free(c.steps);
	return condition;
}

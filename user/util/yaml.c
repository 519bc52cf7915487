/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/yaml.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <yaml.h>

#include "gnomon/limits.h"
#include "util/arena.h"
#include "util/cleanup.h"
#include "util/diag.h"
#include "util/suggest.h"

struct yaml_document {
	struct arena arena;
	const char *name;
	struct span text;
	struct yaml_node *root;
};

/* A container that is still open. */
struct level {
	struct yaml_node *node;
	struct yaml_node *last; /* its last item or key */
	bool want_value;        /* a mapping whose last key has no value yet */
};

struct loader {
	struct yaml_document *document;
	struct diag *diag;
	struct level stack[YAML_DEPTH_MAX];
	size_t depth;
	size_t nodes;
	bool failed;
};

static void loader_error(struct loader *loader, yaml_mark_t mark, const char *message)
{
	loader->failed = true;
	diag_add(loader->diag, loader->document->name, (unsigned int)mark.line + 1,
		 (unsigned int)mark.column + 1, "%s", message);
}

static struct yaml_node *node_new(struct loader *loader, enum yaml_kind kind, yaml_mark_t mark)
{
	struct yaml_node *node;

	if (loader->nodes == YAML_NODES_MAX) {
		loader_error(loader, mark, "too many nodes");
		return NULL;
	}
	node = arena_alloc(&loader->document->arena, sizeof(*node));
	if (!node) {
		loader_error(loader, mark, "out of memory");
		return NULL;
	}
	loader->nodes++;
	node->kind = kind;
	node->line = (uint32_t)mark.line + 1;
	node->column = (uint32_t)mark.column + 1;
	return node;
}

/* Hangs a finished scalar or a beginning container on what is open. */
static bool node_place(struct loader *loader, struct yaml_node *node, yaml_mark_t mark)
{
	struct level *level;

	if (loader->depth == 0) {
		loader->document->root = node;
		return true;
	}
	level = &loader->stack[loader->depth - 1];
	if (level->want_value) {
		level->last->value = node;
		level->want_value = false;
		return true;
	}
	if (level->node->kind == YAML_MAPPING) {
		if (node->kind != YAML_SCALAR) {
			loader_error(loader, mark, "a key must be a scalar");
			return false;
		}
		level->want_value = true;
	}
	if (level->last)
		level->last->next = node;
	else
		level->node->first = node;
	level->last = node;
	level->node->count++;
	return true;
}

static bool load_scalar(struct loader *loader, const yaml_event_t *event)
{
	struct yaml_node *node = node_new(loader, YAML_SCALAR, event->start_mark);
	struct span text = span_of((const char *)event->data.scalar.value,
				   event->data.scalar.length);
	char *copy;

	if (!node)
		return false;
	copy = arena_string(&loader->document->arena, text);
	if (!copy) {
		loader_error(loader, event->start_mark, "out of memory");
		return false;
	}
	node->text = span_of(copy, text.len);
	node->style = (uint8_t)event->data.scalar.style;
	if (event->data.scalar.anchor)
		loader_error(loader, event->start_mark, "anchors are not supported");
	if (event->data.scalar.tag)
		loader_error(loader, event->start_mark, "tags are not supported");
	return node_place(loader, node, event->start_mark);
}

static bool open_container(struct loader *loader, enum yaml_kind kind, const yaml_event_t *event)
{
	bool mapping = kind == YAML_MAPPING;
	const void *anchor = mapping ? event->data.mapping_start.anchor
				     : event->data.sequence_start.anchor;
	const void *tag = mapping ? event->data.mapping_start.tag : event->data.sequence_start.tag;
	struct yaml_node *node;

	if (anchor)
		loader_error(loader, event->start_mark, "anchors are not supported");
	if (tag)
		loader_error(loader, event->start_mark, "tags are not supported");
	if (loader->depth == YAML_DEPTH_MAX) {
		loader_error(loader, event->start_mark, "nested too deeply");
		return false;
	}
	node = node_new(loader, kind, event->start_mark);
	if (!node || !node_place(loader, node, event->start_mark))
		return false;
	loader->stack[loader->depth++] = (struct level){.node = node};
	return true;
}

/* By text, then by place: the first of equal keys comes first. */
static int compare_keys(const void *a, const void *b)
{
	const struct yaml_node *x = *(struct yaml_node *const *)a;
	const struct yaml_node *y = *(struct yaml_node *const *)b;
	size_t least = x->text.len < y->text.len ? x->text.len : y->text.len;
	int order = memcmp(x->text.at, y->text.at, least);

	if (order)
		return order;
	if (x->text.len != y->text.len)
		return x->text.len < y->text.len ? -1 : 1;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->column < y->column ? -1 : x->column > y->column;
}

/* Sorting keeps a mapping of a million keys from taking the square of that. */
static bool check_duplicates(struct loader *loader, const struct yaml_node *mapping)
{
	_cleanup_free_ const struct yaml_node **keys = NULL;
	const struct yaml_node *kept;
	size_t n = 0;

	if (mapping->count < 2)
		return true;
	keys = calloc(mapping->count, sizeof(*keys));
	if (!keys) {
		loader->failed = true;
		diag_add(loader->diag, loader->document->name, 0, 0, "out of memory");
		return false;
	}
	for (const struct yaml_node *key = mapping->first; key; key = key->next)
		keys[n++] = key;
	qsort(keys, n, sizeof(*keys), compare_keys);
	kept = keys[0];
	for (size_t i = 1; i < n; i++) {
		if (!span_eq(keys[i]->text, kept->text)) {
			kept = keys[i];
			continue;
		}
		loader->failed = true;
		yaml_error(loader->document, keys[i], loader->diag,
			   "duplicate key \"%.*s\", first on line %u",
			   (int)(kept->text.len < MESSAGE_TEXT_MAX ? kept->text.len
								   : MESSAGE_TEXT_MAX),
			   kept->text.at, kept->line);
	}
	return true;
}

static bool close_container(struct loader *loader)
{
	const struct yaml_node *node = loader->stack[--loader->depth].node;

	/* libyaml closes only what it has opened */
	assert(node);
	return node->kind != YAML_MAPPING || check_duplicates(loader, node);
}

/* false: the rest makes no sense any more. */
static bool load_event(struct loader *loader, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return load_scalar(loader, event);
	case YAML_SEQUENCE_START_EVENT:
		return open_container(loader, YAML_SEQUENCE, event);
	case YAML_MAPPING_START_EVENT:
		return open_container(loader, YAML_MAPPING, event);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return close_container(loader);
	case YAML_ALIAS_EVENT: {
		struct yaml_node *node = node_new(loader, YAML_SCALAR, event->start_mark);

		loader_error(loader, event->start_mark, "aliases are not supported");
		if (node)
			node->text = SPAN_LITERAL("");
		return node && node_place(loader, node, event->start_mark);
	}
	case YAML_DOCUMENT_START_EVENT:
		if (loader->document->root) {
			loader_error(loader, event->start_mark, "more than one document");
			return false;
		}
		if (event->data.document_start.tag_directives.start !=
		    event->data.document_start.tag_directives.end)
			loader_error(loader, event->start_mark, "tags are not supported");
		return true;
	default:
		return true;
	}
}

/* The line and column of a byte that libyaml's reader refused: it tells only the offset. */
static yaml_mark_t mark_of_byte(struct span text, size_t offset)
{
	yaml_mark_t mark = {0};

	for (size_t i = 0; i < offset && i < text.len; i++) {
		if (text.at[i] == '\n') {
			mark.line++;
			mark.column = 0;
		} else if (((unsigned char)text.at[i] & 0xc0) != 0x80) {
			mark.column++;
		}
	}
	return mark;
}

static void parser_error(struct loader *loader, const yaml_parser_t *parser)
{
	char message[256];

	switch (parser->error) {
	case YAML_READER_ERROR:
		snprintf(message, sizeof(message), "not valid UTF-8 text: %s", parser->problem);
		loader_error(loader, mark_of_byte(loader->document->text, parser->problem_offset),
			     message);
		break;
	case YAML_SCANNER_ERROR:
	case YAML_PARSER_ERROR:
		snprintf(message, sizeof(message), "%s%s%s", parser->context ? parser->context : "",
			 parser->context ? ": " : "", parser->problem);
		loader_error(loader, parser->problem_mark, message);
		break;
	default:
		loader->failed = true;
		diag_add(loader->diag, loader->document->name, 0, 0, "out of memory");
	}
}

static void load_events(struct loader *loader)
{
	struct span text = loader->document->text;
	yaml_parser_t parser;
	bool more = true;

	if (!yaml_parser_initialize(&parser)) {
		loader->failed = true;
		diag_add(loader->diag, loader->document->name, 0, 0, "out of memory");
		return;
	}
	/* Without it a byte order mark could switch to UTF-16. */
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text.at, text.len);
	while (more) {
		yaml_event_t event;

		if (!yaml_parser_parse(&parser, &event)) {
			parser_error(loader, &parser);
			break;
		}
		more = event.type != YAML_STREAM_END_EVENT && load_event(loader, &event);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
}

struct yaml_document *yaml_load(const char *name, struct span text, struct diag *diag)
{
	struct loader loader = {.diag = diag};
	struct yaml_document *document;

	if (text.len > YAML_BYTES_MAX) {
		diag_add(diag, name, 0, 0, "larger than %u bytes", YAML_BYTES_MAX);
		return NULL;
	}
	if (span_starts(text, SPAN_LITERAL("\xef\xbb\xbf")))
		text = span_skip(text, 3);
	document = calloc(1, sizeof(*document));
	if (document) {
		document->name = arena_string(&document->arena, span_str(name));
		document->text = span_of(arena_string(&document->arena, text), text.len);
	}
	if (!document || !document->name || !document->text.at) {
		diag_add(diag, name, 0, 0, "out of memory");
		yaml_unload(document);
		return NULL;
	}
	loader.document = document;
	load_events(&loader);
	if (loader.failed) {
		yaml_unload(document);
		return NULL;
	}
	return document;
}

void yaml_unload(struct yaml_document *document)
{
	if (!document)
		return;
	arena_done(&document->arena);
	free(document);
}

const struct yaml_node *yaml_root(const struct yaml_document *document)
{
	return document->root;
}

struct span yaml_text(const struct yaml_document *document)
{
	return document->text;
}

const char *yaml_name(const struct yaml_document *document)
{
	return document->name;
}

const struct yaml_node *yaml_get(const struct yaml_node *mapping, const char *key)
{
	if (!mapping || mapping->kind != YAML_MAPPING)
		return NULL;
	for (const struct yaml_node *k = mapping->first; k; k = k->next)
		if (span_eq(k->text, span_str(key)))
			return k->value;
	return NULL;
}

static bool is_plain(const struct yaml_node *node)
{
	return node && node->kind == YAML_SCALAR && node->style == YAML_PLAIN_SCALAR_STYLE;
}

static bool is_one_of(struct span text, const char *const *words)
{
	for (; *words; words++)
		if (span_eq(text, span_str(*words)))
			return true;
	return false;
}

int yaml_bool(const struct yaml_node *node, bool *value)
{
	static const char *const yes[] = {"true", "True", "TRUE", NULL};
	static const char *const no[] = {"false", "False", "FALSE", NULL};

	if (!is_plain(node))
		return -EINVAL;
	if (is_one_of(node->text, yes))
		*value = true;
	else if (is_one_of(node->text, no))
		*value = false;
	else
		return -EINVAL;
	return 0;
}

int yaml_int(const struct yaml_node *node, int64_t *value)
{
	const char *digits;
	int base = 10;
	char *end;
	long long n;

	if (!is_plain(node) || node->text.len == 0)
		return -EINVAL;
	digits = node->text.at;
	if (span_starts(node->text, SPAN_LITERAL("0x")))
		base = 16;
	else if (span_starts(node->text, SPAN_LITERAL("0o")))
		base = 8;
	if (base != 10)
		digits += 2;
	/* strtoll would skip blanks, and take a sign after 0x. */
	if (strspn(digits, base == 10 ? "+-0123456789" : "0123456789abcdefABCDEF") !=
	    node->text.len - (size_t)(digits - node->text.at))
		return -EINVAL;
	errno = 0;
	n = strtoll(digits, &end, base);
	if (end == digits || *end)
		return -EINVAL;
	if (errno == ERANGE)
		return -ERANGE;
	*value = n;
	return 0;
}

bool yaml_is_null(const struct yaml_node *node)
{
	static const char *const none[] = {"", "~", "null", "Null", "NULL", NULL};

	return is_plain(node) && is_one_of(node->text, none);
}

const char *yaml_string(const struct yaml_node *node)
{
	if (!node || node->kind != YAML_SCALAR || node->text.len == 0 ||
	    memchr(node->text.at, '\0', node->text.len))
		return NULL;
	return node->text.at;
}

void yaml_error(const struct yaml_document *document, const struct yaml_node *node,
		struct diag *diag, const char *format, ...)
{
	char *message = NULL;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&message, format, args);
	va_end(args);
	diag_add(diag, document->name, node->line, node->column, "%s",
		 n < 0 ? "out of memory" : message);
	if (n >= 0)
		free(message);
}

static const char *kind_name(enum yaml_kind kind)
{
	static const char *const names[] = {"a scalar", "a list", "a mapping"};

	return names[kind];
}

static const struct yaml_key *key_find(const struct yaml_key *keys, struct span name,
				       struct suggestion *suggestion)
{
	for (const struct yaml_key *key = keys; key->name; key++) {
		if (span_eq(name, span_str(key->name)))
			return key;
		suggest_offer(suggestion, name, span_str(key->name));
	}
	return NULL;
}

static bool key_check(const struct yaml_document *document, const struct yaml_node *node,
		      const char *what, const struct yaml_key *keys, struct diag *diag)
{
	struct suggestion suggestion = {0};
	const struct yaml_key *key = key_find(keys, node->text, &suggestion);
	enum yaml_kind kind = node->value->kind;

	if (!key) {
		yaml_error(document, node, diag, "unknown key \"%.*s\" in %s" SUGGEST_FORMAT,
			   (int)(node->text.len < MESSAGE_TEXT_MAX ? node->text.len
								   : MESSAGE_TEXT_MAX),
			   node->text.at, what, SUGGEST_ARGS(suggestion));
		return false;
	}
	if (kind == key->kind || (key->list_too && kind == YAML_SEQUENCE) ||
	    (key->scalar_too && kind == YAML_SCALAR))
		return true;
	yaml_error(document, node->value, diag, "\"%s\" must be %s%s, not %s", key->name,
		   kind_name(key->kind),
		   key->list_too     ? " or a list"
		   : key->scalar_too ? " or a string"
				     : "",
		   kind_name(kind));
	return false;
}

bool yaml_check(const struct yaml_document *document, const struct yaml_node *node,
		const char *what, const struct yaml_key *keys, struct diag *diag)
{
	bool good = true;

	if (node->kind != YAML_MAPPING) {
		yaml_error(document, node, diag, "%s must be a mapping, not %s", what,
			   kind_name(node->kind));
		return false;
	}
	for (const struct yaml_node *key = node->first; key; key = key->next)
		good = key_check(document, key, what, keys, diag) && good;
	for (const struct yaml_key *key = keys; key->name; key++) {
		if (key->required && !yaml_get(node, key->name)) {
			yaml_error(document, node, diag, "%s needs \"%s\"", what, key->name);
			good = false;
		}
	}
	return good;
}

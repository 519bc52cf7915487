/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/yaml.h"

#include <yaml.h>

/*
 * A scalar's text and its source run side by side, with four differences (YAML 1.2.2 chapters 7 and
 * 8): '' in single quotes, escapes in double quotes, folded line ends with the indentation behind
 * them, and block scalars' indentation. The walk stops where the wanted byte of the text was
 * written.
 */
struct walk {
	struct span source;
	size_t at; /* in the source */
	unsigned int line, column;
	struct span text;
	size_t done; /* bytes of the text that were passed */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static char peek(const struct walk *walk, size_t ahead)
{
	return walk->source.len - walk->at > ahead ? walk->source.at[walk->at + ahead] : '\0';
}

static bool at_end(const struct walk *walk)
{
	return walk->at >= walk->source.len;
}

/* One character of the source. */
static void step(struct walk *walk)
{
	char c = walk->source.at[walk->at++];

	if (c == '\n' || (c == '\r' && peek(walk, 0) != '\n')) {
		walk->line++;
		walk->column = 1;
		return;
	}
	while (!at_end(walk) && ((unsigned char)peek(walk, 0) & 0xc0) == 0x80)
		walk->at++;
	walk->column++;
}

/* One character of the text. */
static void pass(struct walk *walk)
{
	if (walk->done < walk->text.len)
		walk->done++;
	while (walk->done < walk->text.len &&
	       ((unsigned char)walk->text.at[walk->done] & 0xc0) == 0x80)
		walk->done++;
}

static bool is_break(char c)
{
	return c == '\n' || c == '\r';
}

/* Do only blanks stand between here and the line's end? */
static bool line_ends(const struct walk *walk)
{
	size_t ahead = 0;

	while (is_blank(peek(walk, ahead)))
		ahead++;
	return is_break(peek(walk, ahead));
}

static size_t folded_len(const struct walk *walk)
{
	size_t n = 0;

	if (walk->done < walk->text.len && walk->text.at[walk->done] == ' ')
		return 1;
	while (walk->done + n < walk->text.len && walk->text.at[walk->done + n] == '\n')
		n++;
	return n;
}

static void skip_fold(struct walk *walk)
{
	walk->done += folded_len(walk);
	while (!at_end(walk) && (is_blank(peek(walk, 0)) || is_break(peek(walk, 0))))
		step(walk);
}

/* YAML 1.2.2 section 5.7. */
static void skip_escape(struct walk *walk)
{
	char kind = peek(walk, 1);
	int digits = kind == 'x' ? 2 : kind == 'u' ? 4 : kind == 'U' ? 8 : 0;

	step(walk);
	if (is_break(kind)) {
		/* An escaped line end stands for nothing, whatever blanks follow. */
		while (!at_end(walk) && (is_blank(peek(walk, 0)) || is_break(peek(walk, 0))))
			step(walk);
		return;
	}
	for (int i = 0; i <= digits && !at_end(walk); i++)
		step(walk);
	pass(walk);
}

static void walk_flow(struct walk *walk, size_t offset, int style)
{
	if (style != YAML_PLAIN_SCALAR_STYLE && !at_end(walk))
		step(walk);
	while (walk->done < offset && !at_end(walk)) {
		char c = peek(walk, 0);

		if (line_ends(walk)) {
			skip_fold(walk);
		} else if (style == YAML_DOUBLE_QUOTED_SCALAR_STYLE && c == '\\') {
			skip_escape(walk);
		} else {
			if (style == YAML_SINGLE_QUOTED_SCALAR_STYLE && c == '\'')
				step(walk);
			if (!at_end(walk))
				step(walk);
			pass(walk);
		}
	}
}

/* The indentation of a block scalar: that of its first line that holds more than blanks. */
static unsigned int block_indent(struct walk walk)
{
	while (!at_end(&walk) && line_ends(&walk)) {
		while (!is_break(peek(&walk, 0)))
			step(&walk);
		step(&walk);
	}
	while (peek(&walk, 0) == ' ')
		step(&walk);
	return walk.column;
}

static void walk_block(struct walk *walk, size_t offset, int style)
{
	unsigned int indent;

	while (!at_end(walk) && !is_break(peek(walk, 0)))
		step(walk);
	if (!at_end(walk))
		step(walk);
	indent = block_indent(*walk);
	for (;;) {
		while (walk->column < indent && peek(walk, 0) == ' ')
			step(walk);
		if (walk->done >= offset || at_end(walk))
			return;
		if (!is_break(peek(walk, 0))) {
			step(walk);
			pass(walk);
		} else if (style == YAML_FOLDED_SCALAR_STYLE) {
			walk->done += folded_len(walk);
			while (!at_end(walk) && is_break(peek(walk, 0))) {
				step(walk);
				while (walk->column < indent && peek(walk, 0) == ' ')
					step(walk);
			}
		} else {
			step(walk);
			pass(walk);
		}
	}
}

void yaml_position(const struct yaml_document *document, const struct yaml_node *scalar,
		   size_t offset, unsigned int *line, unsigned int *column)
{
	struct walk walk = {
		.source = yaml_text(document), .line = 1, .column = 1, .text = scalar->text};

	if (offset > scalar->text.len)
		offset = scalar->text.len;
	while (!at_end(&walk) && (walk.line < scalar->line ||
				  (walk.line == scalar->line && walk.column < scalar->column)))
		step(&walk);
	/* An empty scalar at the very end has a place behind the text. */
	if (at_end(&walk)) {
		*line = scalar->line;
		*column = scalar->column;
		return;
	}
	if (scalar->style == YAML_LITERAL_SCALAR_STYLE || scalar->style == YAML_FOLDED_SCALAR_STYLE)
		walk_block(&walk, offset, scalar->style);
	else
		walk_flow(&walk, offset, scalar->style);
	*line = walk.line;
	*column = walk.column;
}

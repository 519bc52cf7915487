/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "protocol/json_skip.h"

#include "protocol/byte_scan.h"

#define BLOCK 64

/* Bit i tells byte i of a block. */
struct block {
	uint64_t quotes, backslashes, open, close;
};

static struct block block_read(const char *p)
{
	struct block b = {0};

	for (unsigned int i = 0; i < BLOCK; i += SCAN_WIDTH) {
		scan_vector v = scan_load(p + i), folded = v | scan_all(0x20);

		b.quotes |= (uint64_t)scan_mask(v == scan_all('"')) << i;
		b.backslashes |= (uint64_t)scan_mask(v == scan_all('\\')) << i;
		b.open |= (uint64_t)scan_mask(folded == scan_all('{')) << i;
		b.close |= (uint64_t)scan_mask(folded == scan_all('}')) << i;
	}
	return b;
}

/* The bytes that a backslash before them escapes; *carry is that of the first, and becomes that of the
 * byte behind the block. */
static uint64_t escaped_bytes(uint64_t backslashes, bool *carry)
{
	uint64_t escaped = *carry;

	backslashes &= ~escaped; /* an escaped one escapes nothing */
	*carry = false;
	while (backslashes) {
		uint64_t first = backslashes & -backslashes;

		escaped |= first << 1;
		*carry = first >> (BLOCK - 1);
		backslashes &= ~(first | first << 1);
	}
	return escaped;
}

/* Bit i: the parity of the bits up to and with i. */
static uint64_t parity_so_far(uint64_t bits)
{
	for (unsigned int shift = 1; shift < BLOCK; shift *= 2)
		bits ^= bits << shift;
	return bits;
}

/* Brackets one by one, in a block in which the last one may close. How many bytes are taken. */
static size_t count_brackets(struct json_skip *skip, uint64_t open, uint64_t close)
{
	for (uint64_t left = open | close; left; left &= left - 1) {
		unsigned int at = (unsigned int)__builtin_ctzll(left);

		if (open >> at & 1)
			skip->depth++;
		else if (--skip->depth == 0)
			return at + 1;
	}
	return BLOCK;
}

/* A whole block. Returns the bytes taken; 0: a backslash outside of strings, which is no JSON, makes it
 * unfit to be seen at once. */
static size_t skip_block(struct json_skip *skip, const char *p)
{
	struct block b = block_read(p);
	bool carry = skip->escaped;
	uint64_t escaped = escaped_bytes(b.backslashes, &carry);
	uint64_t inside = parity_so_far(b.quotes & ~escaped) ^ (skip->in_string ? ~0ULL : 0);
	uint64_t open = b.open & ~inside, close = b.close & ~inside;
	uint64_t closed = (uint64_t)__builtin_popcountll(close);
	size_t used = BLOCK;

	if (b.backslashes & ~inside)
		return 0;
	if (closed >= skip->depth)
		used = count_brackets(skip, open, close);
	else
		skip->depth += (uint64_t)__builtin_popcountll(open) - closed;
	skip->in_string = skip->depth && inside >> (BLOCK - 1);
	skip->escaped = skip->depth && carry;
	return used;
}

/* The end of the string that the bytes are in, as an index behind it, or `n`. */
static size_t skip_string(struct json_skip *skip, const char *p, size_t n)
{
	size_t i = 0;

	while (i < n) {
		if (skip->escaped) {
			skip->escaped = false;
			i++;
			continue;
		}
		i += scan_two(p + i, n - i, '"', '\\');
		if (i == n)
			break;
		skip->escaped = p[i] == '\\';
		i++;
		if (!skip->escaped) {
			skip->in_string = false;
			break;
		}
	}
	return i;
}

/* Fewer bytes than a block. */
static size_t skip_few(struct json_skip *skip, const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && skip->depth) {
		if (skip->in_string) {
			i += skip_string(skip, p + i, n - i);
			continue;
		}
		i += scan_structure(p + i, n - i);
		if (i == n)
			break;
		if (p[i] == '"')
			skip->in_string = true;
		else if (p[i] == '{' || p[i] == '[')
			skip->depth++;
		else
			skip->depth--;
		i++;
	}
	return i;
}

size_t json_skip(struct json_skip *skip, const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && skip->depth) {
		size_t left = n - i, used = left >= BLOCK ? skip_block(skip, p + i) : 0;

		if (!used)
			used = skip_few(skip, p + i, left < BLOCK ? left : BLOCK);
		i += used;
	}
	return i;
}

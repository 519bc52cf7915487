/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tlslib/scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

/*
 * Needles: every aligned 4-byte word is hashed into a bitmap of the words that a needle may show at
 * such a place (a needle of 7 bytes or more shows one whole word wherever it lies): about a cycle a byte,
 * however many needles there are, and in plain C.
 *
 * References: every 4 bytes of code are taken for a displacement. Eight at a time are added to where they
 * stand and compared with the wanted addresses; that is cheaper than looking for `lea` first, since 8d is a
 * common byte, and hits are rare enough for a second look.
 */

#define STRIDE        4
#define WORD_BITS     16
#define PATH_MAX_BACK 256
/* Of two successive windows: the longest needle or pattern, or an instruction before its displacement. */
#define OVERLAP 128
/* As assemblers are told to (.align 16 and 32 of OpenSSL's and what came of it). */
#define FUNCTION_ALIGN 16

struct sample {
	uint32_t word;
	uint16_t needle, shift;
};

struct sieve {
	uint64_t bitmap[(1u << WORD_BITS) / 64];
	struct sample samples[TLSLIB_NEEDLES_MAX * STRIDE];
	size_t sample_count;
	const struct tlslib_needle *const *needles;
};

static uint32_t load32(const uint8_t *at)
{
	uint32_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

static uint32_t word_hash(uint32_t word)
{
	return word * 0x9e3779b1u >> (32 - WORD_BITS);
}

static struct sieve *sieve_new(const struct tlslib_needle *const *needles, size_t count)
{
	struct sieve *sieve = calloc(1, sizeof(*sieve));

	if (!sieve)
		return NULL;
	sieve->needles = needles;
	for (size_t i = 0; i < count; i++) {
		for (uint16_t shift = 0; shift < STRIDE; shift++) {
			uint32_t word = load32((const uint8_t *)needles[i]->bytes.at + shift);
			uint32_t hash = word_hash(word);

			sieve->bitmap[hash / 64] |= 1ull << hash % 64;
			sieve->samples[sieve->sample_count++] = (struct sample){word, (uint16_t)i,
										shift};
		}
	}
	return sieve;
}

static void add_mark(struct scan *scan, const struct tlslib_needle *needle)
{
	for (size_t i = 0; i < scan->mark_count; i++)
		if (scan->marks[i] == needle)
			return;
	if (scan->mark_count == TLSLIB_MARKS_MAX)
		scan->incomplete = true;
	else
		scan->marks[scan->mark_count++] = needle;
}

static void add_hit(struct scan *scan, const struct tlslib_needle *needle, uint64_t address)
{
	if (needle->kind == NEEDLE_MARK) {
		add_mark(scan, needle);
		return;
	}
	for (size_t i = 0; i < scan->hit_count; i++)
		if (scan->hits[i].address == address && scan->hits[i].needle == needle)
			return;
	if (scan->hit_count == TLSLIB_HITS_MAX) {
		scan->incomplete = true;
		return;
	}
	scan->hits[scan->hit_count++] = (struct scan_hit){needle, address};
}

/* The word at `at` is one of a needle's: is the needle around it? */
static void check_samples(struct scan *scan, const struct sieve *sieve, const uint8_t *window,
			  size_t len, size_t at, uint64_t address)
{
	uint32_t word = load32(window + at);

	for (size_t i = 0; i < sieve->sample_count; i++) {
		const struct sample *sample = &sieve->samples[i];
		const struct tlslib_needle *needle = sieve->needles[sample->needle];
		size_t start;

		if (sample->word != word || at < sample->shift)
			continue;
		start = at - sample->shift;
		if (len - start < needle->bytes.len ||
		    memcmp(window + start, needle->bytes.at, needle->bytes.len) != 0)
			continue;
		add_hit(scan, needle, address + start + (needle->kind == NEEDLE_STRING));
	}
}

static void sift(struct scan *scan, const struct sieve *sieve, const uint8_t *window, size_t len,
		 uint64_t address)
{
	for (size_t at = 0; at + sizeof(uint32_t) <= len; at += STRIDE) {
		uint32_t hash = word_hash(load32(window + at));

		if (__builtin_expect(sieve->bitmap[hash / 64] >> hash % 64 & 1, 0))
			check_samples(scan, sieve, window, len, at, address);
	}
}

/* What a pass does with each window of a segment. */
typedef void (*window_visitor)(void *ctx, const uint8_t *window, size_t len, uint64_t address);

static int visit_segment(const struct elf_image *image, const Elf64_Phdr *p, uint8_t *buffer,
			 window_visitor visit, void *ctx)
{
	for (uint64_t at = 0; at < p->p_filesz; at += TLSLIB_WINDOW_BYTES - OVERLAP) {
		uint64_t left = p->p_filesz - at;
		size_t len = left < TLSLIB_WINDOW_BYTES ? left : TLSLIB_WINDOW_BYTES;
		int r = elf_read(image, buffer, len, p->p_offset + at);

		if (r)
			return r;
		visit(ctx, buffer, len, p->p_vaddr + at);
		if (left <= TLSLIB_WINDOW_BYTES)
			break;
	}
	return 0;
}

static int visit_segments(const struct elf_image *image, uint32_t mask, uint32_t flags,
			  window_visitor visit, void *ctx)
{
	_cleanup_free_ uint8_t *buffer = malloc(TLSLIB_WINDOW_BYTES);

	if (!buffer)
		return -ENOMEM;
	for (size_t i = 0; i < image->header.e_phnum; i++) {
		const Elf64_Phdr *p = &image->segments[i];
		int r;

		if (p->p_type != PT_LOAD || (p->p_flags & mask) != flags)
			continue;
		r = visit_segment(image, p, buffer, visit, ctx);
		if (r)
			return r;
	}
	return 0;
}

struct needle_pass {
	struct scan *scan;
	const struct sieve *sieve;
};

static void on_constants(void *ctx, const uint8_t *window, size_t len, uint64_t address)
{
	const struct needle_pass *pass = ctx;

	sift(pass->scan, pass->sieve, window, len, address);
}

/* A path's hit is its end: go back to where the string begins. */
static int rewind_path(const struct elf_image *image, struct scan_hit *hit)
{
	const Elf64_Phdr *p = elf_segment_at(image, hit->address);
	char before[PATH_MAX_BACK];
	uint64_t room = p ? hit->address - p->p_vaddr : 0;
	size_t len = room < sizeof(before) ? room : sizeof(before);
	ssize_t n = len ? elf_read_address(image, before, len, hit->address - len) : 0;

	if (n < 0)
		return (int)n;
	while (n > 0 && before[n - 1] >= ' ' && before[n - 1] <= '~') {
		hit->address--;
		n--;
	}
	return 0;
}

static bool has_constant_segment(const struct elf_image *image)
{
	for (size_t i = 0; i < image->header.e_phnum; i++)
		if (image->segments[i].p_type == PT_LOAD && image->segments[i].p_filesz > 4096 &&
		    !(image->segments[i].p_flags & (PF_W | PF_X)))
			return true;
	return false;
}

int scan_needles(struct scan *scan, const struct elf_image *image,
		 const struct tlslib_needle *const *needles, size_t count)
{
	_cleanup_free_ struct sieve *sieve = sieve_new(needles, count);
	struct needle_pass pass = {scan, sieve};
	int r;

	if (!sieve)
		return -ENOMEM;
	/* Linkers before 2018 kept constants and code in one segment. */
	r = visit_segments(image, has_constant_segment(image) ? PF_W | PF_X : PF_W, 0, on_constants,
			   &pass);
	for (size_t i = 0; i < scan->hit_count && !r; i++)
		if (scan->hits[i].needle->kind == NEEDLE_PATH)
			r = rewind_path(image, &scan->hits[i]);
	return r;
}

#define LANES 8
typedef uint32_t lanes __attribute__((vector_size(LANES * sizeof(uint32_t))));

struct xref_pass {
	struct scan *scan;
	bool absolute; /* addresses are fixed at link time */
	uint32_t targets[TLSLIB_HITS_MAX];
};

static void add_xref(struct scan *scan, uint32_t hit, uint64_t address)
{
	/* Windows overlap: what was seen last may be seen again. */
	for (size_t i = scan->xref_count; i > 0 && scan->xref_count - i < OVERLAP; i--)
		if (scan->xrefs[i - 1].address == address)
			return;
	if (scan->xref_count == TLSLIB_XREFS_MAX) {
		scan->incomplete = true;
		return;
	}
	scan->xrefs[scan->xref_count++] = (struct scan_xref){address, hit};
}

/* Is the word at `at` the operand of an instruction that takes a hit's address? */
static void check_operand(const struct xref_pass *pass, const uint8_t *window, size_t at,
			  uint64_t address)
{
	uint64_t absolute = load32(window + at);
	uint64_t relative = address + at + 4 + (uint64_t)(int64_t)(int32_t)absolute;

	if (at < 3)
		return;
	for (uint32_t i = 0; i < pass->scan->hit_count; i++) {
		uint64_t target = pass->scan->hits[i].address;
		const uint8_t *before = window + at - 3;

		if (relative == target && (before[0] & 0xf8) == 0x48 && before[1] == 0x8d &&
		    (before[2] & 0xc7) == 0x05)
			add_xref(pass->scan, i, address + at - 3);
		if (!pass->absolute || absolute != target)
			continue;
		if ((before[0] & 0xf8) == 0x48 && before[1] == 0xc7 && (before[2] & 0xf8) == 0xc0)
			add_xref(pass->scan, i, address + at - 3);
		else if ((before[2] & 0xf8) == 0xb8)
			add_xref(pass->scan, i, address + at - (before[1] == 0x41 ? 2 : 1));
	}
}

/* Could any of the 32 words that begin in the 32 bytes at `at` be an operand of interest? */
static inline __attribute__((always_inline)) bool
block_has_operand(const struct xref_pass *pass, const uint8_t *at, uint32_t address)
{
	const lanes step = {0, 4, 8, 12, 16, 20, 24, 28};
	lanes any = {0};
	uint64_t folded[sizeof(any) / sizeof(uint64_t)];

	for (uint32_t k = 0; k < 4; k++) {
		lanes words, ends;

		memcpy(&words, at + k, sizeof(words));
		ends = words + step + (address + k + 4);
		for (size_t i = 0; i < pass->scan->hit_count; i++)
			any |= (lanes)(ends == pass->targets[i]);
		for (size_t i = 0; pass->absolute && i < pass->scan->hit_count; i++)
			any |= (lanes)(words == pass->targets[i]);
	}
	memcpy(folded, &any, sizeof(any));
	return folded[0] | folded[1] | folded[2] | folded[3];
}

static inline __attribute__((always_inline)) void
find_operands(const struct xref_pass *pass, const uint8_t *window, size_t len, uint64_t address)
{
	size_t at = 0;

	for (; at + sizeof(lanes) + 3 <= len; at += sizeof(lanes))
		if (__builtin_expect(block_has_operand(pass, window + at, (uint32_t)(address + at)),
				     0))
			for (size_t i = 0; i < sizeof(lanes); i++)
				check_operand(pass, window, at + i, address);
	for (; at + sizeof(uint32_t) <= len; at++)
		check_operand(pass, window, at, address);
}

static void on_code(void *ctx, const uint8_t *window, size_t len, uint64_t address)
{
	find_operands(ctx, window, len, address);
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static void on_code_avx2(void *ctx, const uint8_t *window,
							 size_t len, uint64_t address)
{
	find_operands(ctx, window, len, address);
}

static window_visitor code_visitor(void)
{
	return __builtin_cpu_supports("avx2") ? on_code_avx2 : on_code;
}
#else
static window_visitor code_visitor(void)
{
	return on_code;
}
#endif

int scan_xrefs(struct scan *scan, const struct elf_image *image)
{
	struct xref_pass pass = {.scan = scan, .absolute = image->header.e_type == ET_EXEC};

	if (scan->hit_count == 0 || image->header.e_machine != EM_X86_64)
		return 0;
	scan->xrefs = calloc(TLSLIB_XREFS_MAX, sizeof(*scan->xrefs));
	if (!scan->xrefs)
		return -ENOMEM;
	for (size_t i = 0; i < scan->hit_count; i++)
		pass.targets[i] = (uint32_t)scan->hits[i].address;
	return visit_segments(image, PF_X, PF_X, code_visitor(), &pass);
}

struct code_pass {
	const struct code_pattern *patterns;
	size_t count;
	struct code_found *found;
	uint64_t last[CODE_PATTERNS_MAX]; /* where each was found last: windows overlap */
	bool starts_so[UINT8_MAX + 1];    /* a pattern's first byte */
};

static bool fits(const struct code_pattern *pattern, const uint8_t *code, size_t len)
{
	if (len < pattern->len)
		return false;
	for (size_t i = 0; i < pattern->len; i++)
		if (pattern->code[i] != CODE_ANY && pattern->code[i] != code[i])
			return false;
	return true;
}

static void check_patterns(struct code_pass *pass, const uint8_t *code, size_t len,
			   uint64_t address)
{
	for (size_t i = 0; i < pass->count; i++) {
		struct code_found *found = &pass->found[i];

		if (pass->last[i] == address || !fits(&pass->patterns[i], code, len))
			continue;
		if (found->count < ARRAY_SIZE(found->address))
			found->address[found->count] = address;
		found->count++;
		pass->last[i] = address;
	}
}

static void on_function_starts(void *ctx, const uint8_t *window, size_t len, uint64_t address)
{
	static const uint8_t endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};
	struct code_pass *pass = ctx;

	for (size_t at = -address % FUNCTION_ALIGN; at + 2 * sizeof(endbr64) <= len;
	     at += FUNCTION_ALIGN) {
		size_t past = memcmp(window + at, endbr64, sizeof(endbr64)) ? 0 : sizeof(endbr64);

		if (pass->starts_so[window[at + past]])
			check_patterns(pass, window + at + past, len - at - past,
				       address + at + past);
	}
}

int scan_code(const struct elf_image *image, const struct code_pattern *patterns, size_t count,
	      struct code_found *found)
{
	struct code_pass pass = {.patterns = patterns, .count = count, .found = found};

	if (count > CODE_PATTERNS_MAX)
		return -E2BIG;
	memset(found, 0, count * sizeof(*found));
	for (size_t i = 0; i < count; i++)
		pass.starts_so[patterns[i].code[0]] = true;
	return visit_segments(image, PF_X, PF_X, on_function_starts, &pass);
}

void scan_done(struct scan *scan)
{
	free(scan->xrefs);
	scan->xrefs = NULL;
	scan->xref_count = scan->hit_count = scan->mark_count = 0;
}

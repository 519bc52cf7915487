/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "estimate/text.h"

#include "estimate/text_weights.h"
#include "util/cleanup.h"

/*
 * Byte-pair tokenizers first cut a text where its kind of character changes, roughly, and a blank goes with the
 * word behind it. So a text is read as runs: of Latin letters (whose tokens the pairs of neighbouring letters
 * tell best: "th" and "ing" are in every vocabulary, "szcz" is not), of digits, of signs, of blanks, of
 * the letters of another script.
 */

enum text_kind {
	KIND_NONE, /* the start of a text */
	KIND_SPACE,
	KIND_TAB,
	KIND_LINE,
	KIND_LATIN,
	KIND_DIGIT,
	KIND_SIGN,
	KIND_CYRILLIC,
	KIND_GREEK,
	KIND_ARABIC,
	KIND_HEBREW,
	KIND_INDIC,
	KIND_THAI,
	KIND_HANGUL,
	KIND_HIRAGANA,
	KIND_KATAKANA,
	KIND_HAN,
	KIND_WIDE,
	KIND_OTHER_SIGN,
	KIND_EMOJI,
	KIND_OTHER,
	KIND_JOINER, /* takes the kind of what it stands in */
};

/* Unicode blocks, in order. What lies between them is KIND_OTHER. */
static const struct {
	uint32_t first, last;
	uint8_t kind;
} blocks[] = {
	{0x00a0, 0x00a0, KIND_SPACE},      {0x00a1, 0x00bf, KIND_OTHER_SIGN},
	{0x00c0, 0x024f, KIND_LATIN},      {0x0300, 0x036f, KIND_LATIN},
	{0x0370, 0x03ff, KIND_GREEK},      {0x0400, 0x052f, KIND_CYRILLIC},
	{0x0590, 0x05ff, KIND_HEBREW},     {0x0600, 0x077f, KIND_ARABIC},
	{0x0900, 0x0dff, KIND_INDIC},      {0x0e00, 0x0e7f, KIND_THAI},
	{0x1100, 0x11ff, KIND_HANGUL},     {0x1e00, 0x1eff, KIND_LATIN},
	{0x1f00, 0x1fff, KIND_GREEK},      {0x200b, 0x200f, KIND_JOINER},
	{0x2010, 0x25ff, KIND_OTHER_SIGN}, {0x2600, 0x27bf, KIND_EMOJI},
	{0x27c0, 0x2bff, KIND_OTHER_SIGN}, {0x2e80, 0x2fdf, KIND_HAN},
	{0x3000, 0x303f, KIND_WIDE},       {0x3040, 0x309f, KIND_HIRAGANA},
	{0x30a0, 0x30ff, KIND_KATAKANA},   {0x3400, 0x4dbf, KIND_HAN},
	{0x4e00, 0x9fff, KIND_HAN},        {0xac00, 0xd7af, KIND_HANGUL},
	{0xf900, 0xfaff, KIND_HAN},        {0xfb50, 0xfdff, KIND_ARABIC},
	{0xfe00, 0xfe0f, KIND_JOINER},     {0xfe70, 0xfeff, KIND_ARABIC},
	{0xff00, 0xffef, KIND_WIDE},       {0x1f000, 0x1faff, KIND_EMOJI},
	{0x20000, 0x3ffff, KIND_HAN},
};

static uint8_t kind_of(uint32_t code)
{
	size_t low = 0, high = ARRAY_SIZE(blocks);

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (code > blocks[middle].last)
			low = middle + 1;
		else
			high = middle;
	}
	return low < ARRAY_SIZE(blocks) && code >= blocks[low].first ? blocks[low].kind
								     : KIND_OTHER;
}

/* A row of the code chart a line. */
/* clang-format off */
#define S KIND_SIGN
#define D KIND_DIGIT
#define L KIND_LATIN
static const uint8_t ascii_kinds[128] = {
	S, S, S, S, S, S, S, S, S, KIND_TAB, KIND_LINE, S, S, KIND_LINE, S, S,
	S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S,
	KIND_SPACE, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S,
	D, D, D, D, D, D, D, D, D, D, S, S, S, S, S, S,
	S, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L,
	L, L, L, L, L, L, L, L, L, L, L, S, S, S, S, S,
	S, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L,
	L, L, L, L, L, L, L, L, L, L, L, S, S, S, S, S,
};
#undef S
#undef D
#undef L
/* clang-format on */

/* The word so far, in registers. */
struct word {
	text_lanes lanes[2];
	uint32_t packed;
	uint8_t letter;
};

static void word_get(const struct text_estimate *e, struct word *word)
{
	memcpy(word->lanes, e->word, sizeof(e->word));
	word->packed = e->packed;
	word->letter = e->letter;
}

static void word_put(struct text_estimate *e, const struct word *word)
{
	memcpy(e->word, word->lanes, sizeof(e->word));
	e->packed = word->packed;
	e->letter = word->letter;
}

static void word_add(struct word *word, uint8_t letter)
{
	const text_lanes *weights = text_pair_weights[word->letter * TEXT_LETTERS + letter];

	word->lanes[0] += weights[0];
	word->lanes[1] += weights[1];
	word->letter = letter;
	word->packed = word->packed << 5 | letter;
}

static void add_pair(struct text_estimate *e, uint8_t letter)
{
	struct word word;

	word_get(e, &word);
	word_add(&word, letter);
	word_put(e, &word);
}

static bool is_blank(uint8_t kind)
{
	return kind <= KIND_LINE;
}

#define PACK_2(a, b)          ((uint32_t)((a) - 'a') << 5 | (uint32_t)((b) - 'a'))
#define PACK_3(a, b, c)       (PACK_2(a, b) << 5 | (uint32_t)((c) - 'a'))
#define PACK_4(a, b, c, d)    (PACK_2(a, b) << 10 | PACK_2(c, d))
#define PACK_5(a, b, c, d, e) (PACK_4(a, b, c, d) << 5 | (uint32_t)((e) - 'a'))

/* Small words that English is full of, and no other language of the calibration has. */
static bool is_english(uint32_t packed, uint32_t length)
{
	switch (length) {
	case 2:
		return packed == PACK_2('i', 't') || packed == PACK_2('b', 'e') ||
		       packed == PACK_2('o', 'f') || packed == PACK_2('i', 'f');
	case 3:
		return packed == PACK_3('t', 'h', 'e') || packed == PACK_3('a', 'n', 'd') ||
		       packed == PACK_3('f', 'o', 'r') || packed == PACK_3('a', 'r', 'e') ||
		       packed == PACK_3('n', 'o', 't') || packed == PACK_3('y', 'o', 'u') ||
		       packed == PACK_3('b', 'u', 't') || packed == PACK_3('h', 'i', 's') ||
		       packed == PACK_3('c', 'a', 'n') || packed == PACK_3('h', 'a', 's');
	case 4:
		return packed == PACK_4('t', 'h', 'a', 't') ||
		       packed == PACK_4('w', 'i', 't', 'h') ||
		       packed == PACK_4('t', 'h', 'i', 's') ||
		       packed == PACK_4('h', 'a', 'v', 'e') ||
		       packed == PACK_4('f', 'r', 'o', 'm') ||
		       packed == PACK_4('t', 'h', 'e', 'y') ||
		       packed == PACK_4('w', 'e', 'r', 'e') ||
		       packed == PACK_4('w', 'i', 'l', 'l') ||
		       packed == PACK_4('w', 'h', 'a', 't') ||
		       packed == PACK_4('y', 'o', 'u', 'r') || packed == PACK_4('w', 'h', 'e', 'n');
	case 5:
		return packed == PACK_5('w', 'h', 'i', 'c', 'h') ||
		       packed == PACK_5('t', 'h', 'e', 'i', 'r') ||
		       packed == PACK_5('w', 'o', 'u', 'l', 'd') ||
		       packed == PACK_5('t', 'h', 'e', 'r', 'e');
	default:
		return false;
	}
}

/* Words that wait together for their language: half a line to a line of prose. */
#define PENDING_WORDS 24
#define PAIR_SCALE    (TEXT_WEIGHT_ONE / TEXT_PAIR_ONE)

/* English has one such word in four or five, other languages hardly any. Programs, whose words stand between
 * signs, are written in it. */
static void decide_words(struct text_estimate *e)
{
	bool program = e->pending.glued * 3 >= e->pending.words;
	bool english = e->pending.english_words * 12 >= e->pending.words;

	if (program)
		e->count[TEXT_PROGRAM_WORDS] += e->pending.words;
	else if (english)
		e->count[TEXT_ENGLISH_WORDS] += e->pending.words;

	for (size_t i = 0; i < TOKENIZER_COUNT; i++) {
		if (english || program) {
			e->english[i] += e->pending.english[i] * PAIR_SCALE;
		} else {
			e->plain[i] += e->pending.plain[i] * PAIR_SCALE;
			e->rare[i] += e->pending.rare[i] * PAIR_SCALE;
		}
	}
	memset(&e->pending, 0, sizeof(e->pending));
}

/* No word is less than one token. */
static void add_word(uint32_t *to, const text_lanes *pairs)
{
	for (size_t i = 0; i < TOKENIZER_COUNT; i++) {
		int32_t tokens = (*pairs)[i];

		to[i] += (uint32_t)(tokens > TEXT_PAIR_ONE ? tokens : TEXT_PAIR_ONE);
	}
}

static void end_word(struct text_estimate *e)
{
	struct word word;
	bool rare;

	word_get(e, &word);
	e->pending.english_words += is_english(word.packed, e->length);
	word_add(&word, TEXT_LETTER_END);
	/* told apart by the vocabulary that has most of the world's words */
	rare = word.lanes[1][TOKENIZER_O200K] > TEXT_PAIR_ONE * 8 / 5;
	add_word(e->pending.english, &word.lanes[0]);
	add_word(rare ? e->pending.rare : e->pending.plain, &word.lanes[1]);
	e->count[TEXT_WORDS]++;
	if (!is_blank(e->before)) {
		e->pending.glued++;
		e->count[TEXT_GLUED]++;
		if (e->length <= 2)
			e->count[TEXT_SHORT_GLUED]++;
	}
	if (e->length > 1 && e->upper == e->length) {
		e->count[TEXT_CAPITALS]++;
		e->count[TEXT_CAPITAL_CHARS] += e->length;
	}
	if (++e->pending.words == PENDING_WORDS)
		decide_words(e);
}

static void end_digits(struct text_estimate *e)
{
	e->count[TEXT_DIGIT_RUNS]++;
	e->count[TEXT_DIGITS] += e->length;
	e->count[TEXT_DIGIT_TRIPLES] += (e->length + 2) / 3;
	if (e->before == KIND_SPACE && e->before_single)
		e->count[TEXT_DIGIT_SPACED]++;
}

static void end_signs(struct text_estimate *e, uint8_t next)
{
	if (next == KIND_LINE)
		e->count[TEXT_SIGN_LINES]++;
	if (e->length == 1)
		e->count[next == KIND_LATIN ? TEXT_SIGN_WORD : TEXT_SIGN]++;
	else if (e->length == 2)
		e->count[TEXT_SIGNS_2]++;
	else if (e->length == 3)
		e->count[TEXT_SIGNS_3]++;
	else if (e->same == e->length)
		e->count[TEXT_SIGN_RULES] += 1 + e->length / 32;
	else {
		e->count[TEXT_SIGNS_MORE]++;
		e->count[TEXT_SIGNS_REST] += e->length - 3;
	}
}

static void end_blanks(struct text_estimate *e)
{
	if (e->kind == KIND_LINE) {
		e->count[TEXT_LINES]++;
		e->count[TEXT_BLANK_LINES] += e->length > 1;
	} else if (e->kind == KIND_TAB) {
		e->count[TEXT_TABS]++;
		e->count[TEXT_TAB_CHARS] += e->length;
	} else if (e->length > 1) {
		e->count[TEXT_SPACES]++;
		e->count[TEXT_SPACE_CHARS] += e->length;
	}
}

#define NO_FEATURE TEXT_FEATURES

static void end_letters(struct text_estimate *e)
{
	static const struct {
		uint8_t words, letters, rest;
	} scripts[] = {
		[KIND_CYRILLIC] = {TEXT_CYRILLIC_WORDS, TEXT_CYRILLIC, TEXT_CYRILLIC_REST},
		[KIND_GREEK] = {TEXT_GREEK_WORDS, TEXT_GREEK, NO_FEATURE},
		[KIND_ARABIC] = {TEXT_ARABIC_WORDS, TEXT_ARABIC, TEXT_ARABIC_REST},
		[KIND_HEBREW] = {TEXT_HEBREW_WORDS, TEXT_HEBREW, NO_FEATURE},
		[KIND_INDIC] = {TEXT_INDIC_WORDS, TEXT_INDIC, NO_FEATURE},
		[KIND_THAI] = {TEXT_THAI_RUNS, TEXT_THAI, NO_FEATURE},
		[KIND_HANGUL] = {TEXT_HANGUL_WORDS, TEXT_HANGUL, NO_FEATURE},
		[KIND_HIRAGANA] = {NO_FEATURE, TEXT_HIRAGANA, NO_FEATURE},
		[KIND_KATAKANA] = {NO_FEATURE, TEXT_KATAKANA, NO_FEATURE},
		[KIND_HAN] = {TEXT_HAN_RUNS, TEXT_HAN, NO_FEATURE},
		[KIND_WIDE] = {NO_FEATURE, TEXT_WIDE_SIGNS, NO_FEATURE},
		[KIND_OTHER_SIGN] = {NO_FEATURE, TEXT_OTHER_SIGNS, NO_FEATURE},
		[KIND_EMOJI] = {NO_FEATURE, TEXT_EMOJI, NO_FEATURE},
		[KIND_OTHER] = {NO_FEATURE, TEXT_OTHER, NO_FEATURE},
	};

	if (scripts[e->kind].words != NO_FEATURE)
		e->count[scripts[e->kind].words]++;
	e->count[scripts[e->kind].letters] += e->length;
	if (scripts[e->kind].rest != NO_FEATURE && e->length > 5)
		e->count[scripts[e->kind].rest] += e->length - 5;
}

static void end_run(struct text_estimate *e, uint8_t next)
{
	switch (e->kind) {
	case KIND_NONE:
		break;
	case KIND_SPACE:
	case KIND_TAB:
	case KIND_LINE:
		end_blanks(e);
		break;
	case KIND_LATIN:
		end_word(e);
		break;
	case KIND_DIGIT:
		end_digits(e);
		break;
	case KIND_SIGN:
		end_signs(e, next);
		break;
	default:
		end_letters(e);
		break;
	}
	e->before = e->kind;
	e->before_single = e->length == 1;
}

static void begin_run(struct text_estimate *e, uint8_t kind)
{
	end_run(e, kind);
	e->kind = kind;
	e->length = e->upper = e->same = 0;
	e->last = '\0';
	if (kind == KIND_LATIN) {
		e->letter = TEXT_LETTER_END;
		e->packed = 0;
		memset(e->word, 0, sizeof(e->word));
	}
}

/* Longer runs count as several, so that no count overflows. */
#define RUN_MAX 1024

static bool run_goes_on(const struct text_estimate *e, uint8_t kind)
{
	return kind == e->kind && e->length < (kind == KIND_LATIN ? WORD_LETTERS_MAX : RUN_MAX);
}

/* Small letters of a word that has begun. Returns how many there were. */
static size_t add_letters(struct text_estimate *e, const char *p, size_t n)
{
	struct word word;
	size_t i = 0;

	if (n > WORD_LETTERS_MAX - e->length)
		n = WORD_LETTERS_MAX - e->length;
	word_get(e, &word);
	for (; i < n && p[i] >= 'a' && p[i] <= 'z'; i++)
		word_add(&word, (uint8_t)(p[i] - 'a'));
	word_put(e, &word);
	e->length += (uint32_t)i;
	return i;
}

static void add_ascii(struct text_estimate *e, unsigned char c)
{
	uint8_t kind = ascii_kinds[c];
	bool upper = c >= 'A' && c <= 'Z';

	if (!run_goes_on(e, kind) || (kind == KIND_LATIN && upper && e->upper < e->length))
		begin_run(e, kind);
	if (kind == KIND_LATIN)
		add_pair(e, (uint8_t)((c | 0x20) - 'a'));
	else if (e->length == e->same && (!e->same || (char)c == e->last))
		e->same++;
	e->last = (char)c;
	e->upper += upper;
	e->length++;
}

static void add_code(struct text_estimate *e, uint32_t code)
{
	uint8_t kind = kind_of(code);

	if (kind == KIND_JOINER)
		kind = e->kind > KIND_SIGN ? e->kind : (uint8_t)KIND_OTHER_SIGN;
	if (!run_goes_on(e, kind))
		begin_run(e, kind);
	if (kind == KIND_LATIN)
		add_pair(e, code <= 0x24f ? TEXT_LETTER_MARK : TEXT_LETTER_OTHER);
	/* scripts without a weight of their own, by bytes */
	e->length += kind == KIND_OTHER ? code < 0x800 ? 2 : code < 0x10000 ? 3 : 4 : 1;
}

/* A byte that no character claims. */
static void add_stray(struct text_estimate *e)
{
	if (!run_goes_on(e, KIND_OTHER))
		begin_run(e, KIND_OTHER);
	e->length++;
}

/* The bytes of a character that did not become whole. */
static void flush_code(struct text_estimate *e)
{
	for (; e->code_left; e->code_left = 0)
		add_stray(e);
}

static void begin_code(struct text_estimate *e, unsigned char c)
{
	if (c >= 0xc2 && c < 0xe0) {
		e->code = c & 0x1f;
		e->code_left = 1;
	} else if (c >= 0xe0 && c < 0xf0) {
		e->code = c & 0x0f;
		e->code_left = 2;
	} else if (c >= 0xf0 && c < 0xf5) {
		e->code = c & 0x07;
		e->code_left = 3;
	} else {
		add_stray(e);
	}
}

void text_estimate_feed(struct text_estimate *e, struct span text)
{
	e->bytes += text.len;
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c;

		if (e->kind == KIND_LATIN && !e->code_left)
			i += add_letters(e, text.at + i, text.len - i);
		if (i == text.len)
			break;
		c = (unsigned char)text.at[i];

		if (e->code_left && (c & 0xc0) == 0x80) {
			e->code = e->code << 6 | (c & 0x3f);
			if (--e->code_left == 0)
				add_code(e, e->code);
			continue;
		}
		flush_code(e);
		if (c < 0x80)
			add_ascii(e, c);
		else
			begin_code(e, c);
	}
}

void text_estimate_break(struct text_estimate *e)
{
	flush_code(e);
	begin_run(e, KIND_NONE);
	e->before = KIND_NONE;
}

void text_estimate_finish(struct text_estimate *e)
{
	text_estimate_break(e);
	decide_words(e);
}

/* ---- tokens ---- */

static int64_t isqrt(uint64_t n)
{
	uint64_t root = 0;

	for (uint64_t bit = 1ULL << 31; bit; bit >>= 1)
		if ((root | bit) * (root | bit) <= n)
			root |= bit;
	return (int64_t)root;
}

static struct token_range range_of(const struct text_estimate *e, enum tokenizer t)
{
	int64_t tokens[TEXT_CLASSES] = {[TEXT_CLASS_ENGLISH] = (int64_t)e->english[t],
					[TEXT_CLASS_PLAIN] = (int64_t)e->plain[t],
					[TEXT_CLASS_RARE] = (int64_t)e->rare[t]};
	int64_t likely, sum = 0, half = 0;

	for (size_t i = 0; i < TEXT_FEATURES; i++)
		tokens[text_feature_class[i]] += (int64_t)e->count[i] * text_feature_weights[i][t];
	for (size_t i = 0; i < TEXT_CLASSES; i++) {
		sum += tokens[i];
		half += (tokens[i] > 0 ? tokens[i] : -tokens[i]) / TEXT_WEIGHT_ONE *
			text_class_spread[i][t] / TEXT_WEIGHT_ONE;
	}
	likely = sum > 0 ? (sum + TEXT_WEIGHT_ONE / 2) / TEXT_WEIGHT_ONE : 0;
	if (!likely && e->bytes)
		likely = 1;
	/* chance, which weighs in short texts */
	if (likely)
		half += 1 + isqrt((uint64_t)likely) / 2;
	return (struct token_range){
		.low = likely > half ? likely - half : likely > 0,
		.likely = likely,
		.high = likely + half,
	};
}

struct token_range text_estimate_tokens(const struct text_estimate *estimate,
					enum tokenizer tokenizer)
{
	struct text_estimate ended = *estimate;
	struct token_range range, one;

	text_estimate_finish(&ended);
	if (tokenizer < TOKENIZER_COUNT)
		return range_of(&ended, tokenizer);
	range = range_of(&ended, TOKENIZER_O200K);
	for (int t = 0; t < TOKENIZER_COUNT; t++) {
		one = range_of(&ended, (enum tokenizer)t);
		range.low = one.low < range.low ? one.low : range.low;
		range.high = one.high > range.high ? one.high : range.high;
	}
	return range;
}

/* ---- models ---- */

/* The first that a name contains tells; longer ones before what they begin with. */
static const struct {
	struct span part;
	enum tokenizer tokenizer;
} models[] = {
	{SPAN_LITERAL("claude"), TOKENIZER_CLAUDE},
	{SPAN_LITERAL("gemini"), TOKENIZER_GEMINI},
	{SPAN_LITERAL("gemma"), TOKENIZER_GEMINI},
	{SPAN_LITERAL("distill-llama"), TOKENIZER_LLAMA3},
	{SPAN_LITERAL("distill-qwen"), TOKENIZER_QWEN},
	{SPAN_LITERAL("deepseek"), TOKENIZER_DEEPSEEK},
	{SPAN_LITERAL("qwen"), TOKENIZER_QWEN},
	{SPAN_LITERAL("qwq"), TOKENIZER_QWEN},
	{SPAN_LITERAL("llama-2"), TOKENIZER_UNKNOWN},
	{SPAN_LITERAL("llama2"), TOKENIZER_UNKNOWN},
	{SPAN_LITERAL("llama"), TOKENIZER_LLAMA3},
	{SPAN_LITERAL("mistral"), TOKENIZER_MISTRAL},
	{SPAN_LITERAL("mixtral"), TOKENIZER_MISTRAL},
	{SPAN_LITERAL("ministral"), TOKENIZER_MISTRAL},
	{SPAN_LITERAL("codestral"), TOKENIZER_MISTRAL},
	{SPAN_LITERAL("devstral"), TOKENIZER_MISTRAL},
	{SPAN_LITERAL("magistral"), TOKENIZER_MISTRAL},
	{SPAN_LITERAL("pixtral"), TOKENIZER_MISTRAL},
	{SPAN_LITERAL("gpt-4o"), TOKENIZER_O200K},
	{SPAN_LITERAL("gpt-4.1"), TOKENIZER_O200K},
	{SPAN_LITERAL("gpt-4.5"), TOKENIZER_O200K},
	{SPAN_LITERAL("gpt-4"), TOKENIZER_CL100K},
	{SPAN_LITERAL("gpt-3"), TOKENIZER_CL100K},
	{SPAN_LITERAL("gpt-35"), TOKENIZER_CL100K},
	{SPAN_LITERAL("text-embedding"), TOKENIZER_CL100K},
	{SPAN_LITERAL("gpt-"), TOKENIZER_O200K},
	{SPAN_LITERAL("codex"), TOKENIZER_O200K},
};

static bool contains_nocase(struct span text, struct span part)
{
	for (; text.len >= part.len; text = span_skip(text, 1))
		if (span_eq_nocase(span_of(text.at, part.len), part))
			return true;
	return false;
}

/* o1, o3-mini, o4-mini-deep-research; also behind a "/". */
static bool is_o_series(struct span model)
{
	for (size_t i = model.len; i > 0; i--)
		if (model.at[i - 1] == '/') {
			model = span_skip(model, i);
			break;
		}
	return model.len >= 2 && ascii_lower(model.at[0]) == 'o' && model.at[1] >= '1' &&
	       model.at[1] <= '9' && (model.len == 2 || model.at[2] == '-');
}

enum tokenizer tokenizer_of_model(struct span model)
{
	if (is_o_series(model))
		return TOKENIZER_O200K;
	for (size_t i = 0; i < ARRAY_SIZE(models); i++)
		if (contains_nocase(model, models[i].part))
			return models[i].tokenizer;
	return TOKENIZER_UNKNOWN;
}

bool model_hides_reasoning(struct span model)
{
	if (contains_nocase(model, SPAN_LITERAL("gpt-5")))
		return !contains_nocase(model, SPAN_LITERAL("chat"));
	return is_o_series(model) || contains_nocase(model, SPAN_LITERAL("grok-4")) ||
	       contains_nocase(model, SPAN_LITERAL("gemini-3")) ||
	       contains_nocase(model, SPAN_LITERAL("gemini-2.5"));
}

const char *tokenizer_name(enum tokenizer tokenizer)
{
	static const char *const names[] = {
		[TOKENIZER_O200K] = "o200k",       [TOKENIZER_CL100K] = "cl100k",
		[TOKENIZER_CLAUDE] = "claude",     [TOKENIZER_GEMINI] = "gemini",
		[TOKENIZER_LLAMA3] = "llama3",     [TOKENIZER_QWEN] = "qwen",
		[TOKENIZER_DEEPSEEK] = "deepseek", [TOKENIZER_MISTRAL] = "mistral",
		[TOKENIZER_UNKNOWN] = "unknown",
	};

	return names[tokenizer];
}

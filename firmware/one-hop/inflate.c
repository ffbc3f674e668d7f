#include "inflate.h"

#include "flash.h"
#include "rom.h"

/* The numbers of RFC 1951, section 3.2. */
#define WINDOW_BYTES 32768u
#define MAX_LENGTH 15
#define LITERAL_CODES 288
#define LITERAL_CODES_SENT 286
#define DISTANCE_CODES 30
#define LENGTH_CODES 19
#define END_OF_BLOCK 256
#define FIRST_LENGTH 257
#define LONGEST_MATCH 258

/* Most codes are this short, and so are found with one look into a table. */
#define QUICK_BITS 9
#define QUICK_ENTRIES (1u << QUICK_BITS)
#define SYMBOL_BITS 9
#define NO_SYMBOL 0xffffu

/* A canonical Huffman code. */
struct code {
    /* By the next bits of the input: length << SYMBOL_BITS | symbol; 0 where the code is longer, or there is none. */
    uint16_t quick[QUICK_ENTRIES];
    /* By length: the first code that is not of this length any more, and what leads from a code to its symbol. */
    uint16_t limit[MAX_LENGTH + 1];
    uint16_t offset[MAX_LENGTH + 1];
    uint16_t symbols[LITERAL_CODES];
};

static struct code literals;
static struct code distances;
static uint8_t lengths[LITERAL_CODES + DISTANCE_CODES];

/* Where the input goes on in the flash, and what of it is in RAM. */
#define INPUT_BYTES 1024u
static uint32_t input[INPUT_BYTES / 4];
static const uint8_t *input_next;
static const uint8_t *input_end;
static uint32_t flash_next;
static uint32_t flash_end;

/* Bits that were read and not used yet, the next one lowest. */
static uint32_t bits;
static uint32_t bit_count;
/* The bits are read ahead, so a few bytes behind the end are no fault; these are all zeros. */
#define MOST_READ_AHEAD 4
static uint32_t read_ahead;

/* The output: a sector is handed on when it is whole, and is looked back into for 32 KiB. */
static uint32_t window[WINDOW_BYTES / 4];
static uint32_t produced;
static sector_sink *sink;

static uint32_t least(uint32_t one, uint32_t other)
{
    return one < other ? one : other;
}

static uint8_t next_byte(void)
{
    if (input_next == input_end) {
        uint32_t count = least(flash_end - flash_next, INPUT_BYTES);
        if (count == 0 || !flash_read(flash_next, input, count)) {
            read_ahead++;
            return 0;
        }
        flash_next += count;
        input_next = (const uint8_t *)input;
        input_end = input_next + count;
    }
    return *input_next++;
}

/* At most 25, so that a whole byte always fits in beside them. */
static void need(uint32_t count)
{
    while (bit_count < count) {
        bits |= (uint32_t)next_byte() << bit_count;
        bit_count += 8;
    }
}

static void drop(uint32_t count)
{
    bits >>= count;
    bit_count -= count;
}

static uint32_t take(uint32_t count)
{
    need(count);
    uint32_t value = bits & ((1u << count) - 1);
    drop(count);
    return value;
}

static bool is_starved(void)
{
    return read_ahead > MOST_READ_AHEAD;
}

/* Codes stand in the input with their first bit lowest. */
static uint32_t reversed(uint32_t value, uint32_t count)
{
    uint32_t result = 0;
    while (count--) {
        result = result << 1 | (value & 1);
        value >>= 1;
    }
    return result;
}

/* From the lengths of the codes to the codes (RFC 1951, 3.2.2). False where more codes are claimed than there can be. */
static bool make_code(struct code *code, const uint8_t *of, uint32_t symbols)
{
    /* How many codes have a length; then the next code of it. */
    uint16_t next[MAX_LENGTH + 1];
    for (uint32_t length = 0; length <= MAX_LENGTH; length++) {
        next[length] = 0;
    }
    for (uint32_t symbol = 0; symbol < symbols; symbol++) {
        next[of[symbol]]++;
    }
    for (uint32_t entry = 0; entry < QUICK_ENTRIES; entry++) {
        code->quick[entry] = 0;
    }
    uint32_t first = 0;
    uint32_t index = 0;
    for (uint32_t length = 1; length <= MAX_LENGTH; length++) {
        uint32_t count = next[length];
        first <<= 1;
        next[length] = first;
        code->offset[length] = index - first;
        index += count;
        first += count;
        code->limit[length] = first;
        if (first > 1u << length) {
            return false;
        }
    }
    for (uint32_t symbol = 0; symbol < symbols; symbol++) {
        uint32_t length = of[symbol];
        if (length == 0) {
            continue;
        }
        uint32_t value = next[length]++;
        code->symbols[(uint16_t)(value + code->offset[length])] = symbol;
        for (uint32_t at = reversed(value, length); at < QUICK_ENTRIES && length <= QUICK_BITS; at += 1u << length) {
            code->quick[at] = length << SYMBOL_BITS | symbol;
        }
    }
    return true;
}

/* The next symbol; NO_SYMBOL where the bits are no code. */
static uint32_t decode(const struct code *code)
{
    need(MAX_LENGTH);
    uint32_t quick = code->quick[bits % QUICK_ENTRIES];
    if (quick) {
        drop(quick >> SYMBOL_BITS);
        return quick % (1u << SYMBOL_BITS);
    }
    for (uint32_t length = QUICK_BITS + 1; length <= MAX_LENGTH; length++) {
        uint32_t value = reversed(bits, length);
        if (value < code->limit[length]) {
            drop(length);
            return code->symbols[(uint16_t)(value + code->offset[length])];
        }
    }
    return NO_SYMBOL;
}

/* Hands a sector on when it has just become whole. */
static bool hand_on(void)
{
    return produced % SECTOR_BYTES != 0 || sink(window + (produced - SECTOR_BYTES) % WINDOW_BYTES / 4, SECTOR_BYTES);
}

static bool put(uint8_t byte)
{
    ((uint8_t *)window)[produced++ % WINDOW_BYTES] = byte;
    return hand_on();
}

/* What is left of a sector at the end. */
static bool put_rest(void)
{
    uint32_t rest = produced % SECTOR_BYTES;
    return rest == 0 || sink(window + (produced - rest) % WINDOW_BYTES / 4, rest);
}

/* In runs that end with a sector, or with the window. */
static bool copy(uint32_t length, uint32_t distance)
{
    if (distance > produced) {
        return false;
    }
    while (length > 0) {
        uint8_t *to = (uint8_t *)window + produced % WINDOW_BYTES;
        uint32_t source = (produced - distance) % WINDOW_BYTES;
        const uint8_t *from = (const uint8_t *)window + source;
        uint32_t run = length;
        run = least(run, SECTOR_BYTES - produced % SECTOR_BYTES);
        run = least(run, WINDOW_BYTES - source);
        length -= run;
        produced += run;
        while (run--) {
            *to++ = *from++;
        }
        if (!hand_on()) {
            return false;
        }
    }
    return true;
}

/*
 * The bases and extra bits of lengths and distances follow a rule, so no table is needed: the extra bits grow by one
 * with every four (lengths) or two (distances) symbols, and a base is where the one before it ends (RFC 1951, 3.2.5).
 */
static uint32_t match_length(uint32_t symbol)
{
    uint32_t number = symbol - FIRST_LENGTH;
    if (number < 8) {
        return number + 3;
    }
    if (number == 28) {
        return LONGEST_MATCH;
    }
    uint32_t extra = (number >> 2) - 1;
    return ((4 + (number & 3)) << extra) + 3 + take(extra);
}

static uint32_t match_distance(uint32_t symbol)
{
    if (symbol < 4) {
        return symbol + 1;
    }
    uint32_t extra = (symbol >> 1) - 1;
    return ((2 + (symbol & 1)) << extra) + 1 + take(extra);
}

static bool coded_block(void)
{
    for (;;) {
        uint32_t symbol = decode(&literals);
        if (symbol == END_OF_BLOCK) {
            return true;
        }
        bool good;
        if (symbol < END_OF_BLOCK) {
            good = put(symbol);
        } else if (symbol < LITERAL_CODES_SENT) {
            uint32_t length = match_length(symbol);
            uint32_t distance = decode(&distances);
            good = distance < DISTANCE_CODES && copy(length, match_distance(distance));
        } else {
            good = false;
        }
        if (!good || is_starved()) {
            return false;
        }
    }
}

static bool stored_block(void)
{
    drop(bit_count % 8);
    uint32_t length = take(16);
    if (length != (take(16) ^ 0xffff)) {
        return false;
    }
    while (length--) {
        if (!put(take(8)) || is_starved()) {
            return false;
        }
    }
    return true;
}

static bool fixed_block(void)
{
    for (uint32_t symbol = 0; symbol < LITERAL_CODES; symbol++) {
        lengths[symbol] = symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8;
    }
    make_code(&literals, lengths, LITERAL_CODES);
    for (uint32_t symbol = 0; symbol < DISTANCE_CODES; symbol++) {
        lengths[symbol] = 5;
    }
    make_code(&distances, lengths, DISTANCE_CODES);
    return coded_block();
}

/* The lengths of the two codes are themselves coded, with runs (RFC 1951, 3.2.7). */
static bool read_lengths(uint32_t wanted)
{
    enum { REPEAT = 16, ZEROS = 17, MANY_ZEROS = 18 };
    uint32_t count = 0;
    while (count < wanted) {
        uint32_t symbol = decode(&literals);
        uint32_t times = 1;
        uint8_t length = symbol;
        if (symbol == REPEAT) {
            if (count == 0) {
                return false;
            }
            length = lengths[count - 1];
            times = 3 + take(2);
        } else if (symbol == ZEROS || symbol == MANY_ZEROS) {
            length = 0;
            times = symbol == ZEROS ? 3 + take(3) : 11 + take(7);
        } else if (symbol == NO_SYMBOL) {
            return false;
        }
        if (times > wanted - count || is_starved()) {
            return false;
        }
        while (times--) {
            lengths[count++] = length;
        }
    }
    return true;
}

static bool dynamic_block(void)
{
    static const uint8_t order[LENGTH_CODES] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    uint32_t literal_count = take(5) + FIRST_LENGTH;
    uint32_t distance_count = take(5) + 1;
    uint32_t length_count = take(4) + 4;
    if (literal_count > LITERAL_CODES_SENT || distance_count > DISTANCE_CODES) {
        return false;
    }
    for (uint32_t index = 0; index < LENGTH_CODES; index++) {
        lengths[order[index]] = index < length_count ? take(3) : 0;
    }
    return make_code(&literals, lengths, LENGTH_CODES) && read_lengths(literal_count + distance_count) &&
           make_code(&literals, lengths, literal_count) &&
           make_code(&distances, lengths + literal_count, distance_count) && coded_block();
}

bool inflate(uint32_t address, uint32_t count, sector_sink *to)
{
    enum { STORED = 0, FIXED = 1, DYNAMIC = 2 };
    flash_next = address;
    flash_end = address + count;
    input_next = input_end = 0;
    bits = bit_count = read_ahead = produced = 0;
    sink = to;
    for (;;) {
        uint32_t is_last = take(1);
        uint32_t kind = take(2);
        bool good = kind == STORED    ? stored_block()
                    : kind == FIXED   ? fixed_block()
                    : kind == DYNAMIC ? dynamic_block()
                                      : false;
        if (!good) {
            return false;
        }
        if (is_last) {
            return put_rest();
        }
    }
}

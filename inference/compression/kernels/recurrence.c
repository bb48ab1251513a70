/* LSTM (Hochreiter and Schmidhuber 1997). The candidate's gate is doubled, so that one sigmoid
   serves all four gates: tanh(x) = 2 sigmoid(2 x) - 1.

       gates of a position   | input | forget | candidate | output |   4 x units
       next cell   = sigmoid(forget) cell + sigmoid(input) tanh(candidate)
       next hidden = sigmoid(output) tanh(next cell) */

#include "kernels.h"

#ifdef HAS_KERNELS

#include "simd.h"

#include <stdlib.h>
#include <string.h>

/* sigmoid(given + recurrent) of sixteen units of one gate. */
INLINE __m512 gate(const float *given, const float *recurrent, size_t at, __mmask16 mask) {
    return sigmoid(_mm512_add_ps(_mm512_maskz_loadu_ps(mask, given + at),
                                 _mm512_maskz_loadu_ps(mask, recurrent + at)));
}

/* One position of one row; `cell` and `next_cell` may be the same. */
VNNI static void step(size_t units, const float *given, const float *recurrent, const float *cell,
                      float *hidden, float *next_cell) {
    for (size_t k = 0; k < units; k += LANES) {
        __mmask16 mask = lanes(k, units);
        __m512 first = gate(given, recurrent, k, mask);
        __m512 forget = gate(given, recurrent, units + k, mask);
        __m512 candidate = centred(gate(given, recurrent, 2 * units + k, mask));
        __m512 last = gate(given, recurrent, 3 * units + k, mask);
        __m512 kept = _mm512_mul_ps(forget, _mm512_maskz_loadu_ps(mask, cell + k));
        __m512 next = _mm512_fmadd_ps(first, candidate, kept);
        _mm512_mask_storeu_ps(next_cell + k, mask, next);
        _mm512_mask_storeu_ps(hidden + k, mask, _mm512_mul_ps(last, hyperbolic(next)));
    }
}

void lstm(size_t rows, size_t units, Rows table, const int64_t *token, Rows recurrent,
          const int64_t *order, Rows cell, Rows hidden, Rows next_cell) {
    for (size_t i = 0; i < rows; i++)
        step(units, table.at + token[i] * table.stride, recurrent.at + order[i] * recurrent.stride,
             cell.at + order[i] * cell.stride, hidden.at + i * hidden.stride,
             next_cell.at + i * next_cell.stride);
}

/* The number of sentences with more than `position` tokens. The longest come first, so these are
   the first ones, and the product of a position needs no gaps. */
static size_t going_on(const int64_t *length, size_t sentences, int64_t position) {
    while (sentences > 0 && length[sentences - 1] <= position) sentences--;
    return sentences;
}

int recur(const Layer *layer, size_t sentences, size_t units, Rows gates, const int64_t *start,
          const int64_t *length, int backwards, Rows out) {
    /* The state before the first token is 0. */
    float *hidden = calloc(sentences * units, sizeof(float));
    float *cell = calloc(sentences * units, sizeof(float));
    float *recurrent = malloc(sentences * 4 * units * sizeof(float));
    float *factors = malloc(sentences * sizeof(float));
    uint8_t *integers = malloc(sentences * integer_width(layer));
    int has_memory = hidden && cell && recurrent && factors && integers;
    size_t rows = sentences; /* that still have tokens */
    for (int64_t t = 0; has_memory && (rows = going_on(length, rows, t)) > 0; t++) {
        /* Rows of a product, for sentences of 5, 3 and 2 tokens:

               t     0 1 2 3 4
               s0    x x x x x
               s1    x x x
               s2    x x
               rows  3 3 2 1 1

           `quantise` reads all hidden states before `step` overwrites them. */
        quantise(layer, rows, (Rows){hidden, units}, integers, factors);
        product(layer, 0, layer->panels, rows, integers, factors, (Rows){recurrent, 4 * units});
        for (size_t i = 0; i < rows; i++) {
            /* Backwards each sentence begins at its own last token, as no padding lies behind
               it. */
            int64_t token = start[i] + (backwards ? length[i] - 1 - t : t);
            step(units, gates.at + token * gates.stride, recurrent + i * 4 * units,
                 cell + i * units, hidden + i * units, cell + i * units);
            memcpy(out.at + token * out.stride, hidden + i * units, units * sizeof(float));
        }
    }
    free(hidden);
    free(cell);
    free(recurrent);
    free(factors);
    free(integers);
    return has_memory;
}

#endif

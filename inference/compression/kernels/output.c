/* The output layer: softmax over the vocabulary and the best tokens, in one pass over the logits.

   The logits are computed in parts that stay in the cache. Each part is added to a running peak and
   a running sum of e^(logit - peak), and offers its best tokens (Milakov and Gimelshein 2018). When
   the peak grows, the sum is scaled down:

       sum = sum e^(old peak - new peak) + sum over the part of e^(logit - new peak) */

#include "kernels.h"

#ifdef HAS_KERNELS

#include "simd.h"

#include <math.h>
#include <stdlib.h>

#define PART 8 /* panels of a part: 384 outputs */

VNNI void tanh_sum(size_t rows, size_t columns, Rows x, Rows y) {
    for (size_t i = 0; i < rows; i++)
        for (size_t k = 0; k < columns; k += LANES) {
            __mmask16 mask = lanes(k, columns);
            float *at = x.at + i * x.stride + k;
            __m512 sum = _mm512_add_ps(_mm512_maskz_loadu_ps(mask, at),
                                       _mm512_maskz_loadu_ps(mask, y.at + i * y.stride + k));
            _mm512_mask_storeu_ps(at, mask, hyperbolic(sum));
        }
}

/* State of one row: the largest logit, the sum of e^(logit - peak), and how many of the best tokens
   have been found. */
typedef struct {
    float peak, sum;
    size_t found;
} Tally;

/* Insert a token into the best ones of a row, which are sorted, best first. */
static void offer(float logit, int64_t token, Tally *tally, size_t count, float *logits,
                  int64_t *tokens) {
    /* The first tokens are taken with any logit, so that all places are filled even where most
       outputs are forbidden. Equal logits keep the order of their tokens. */
    if (tally->found < count)
        tally->found++;
    else if (!(logit > logits[count - 1]))
        return;
    size_t at = tally->found - 1;
    for (; at > 0 && logit > logits[at - 1]; at--) {
        logits[at] = logits[at - 1];
        tokens[at] = tokens[at - 1];
    }
    logits[at] = logit;
    tokens[at] = token;
}

/* Add a part of a row's logits to its peak and sum. */
VNNI static void add_to_sum(const float *x, size_t columns, Tally *tally) {
    __m512 most = _mm512_set1_ps(tally->peak), sum = _mm512_setzero_ps();
    for (size_t k = 0; k < columns; k += LANES) {
        __mmask16 mask = lanes(k, columns);
        most = _mm512_mask_max_ps(most, mask, most, _mm512_maskz_loadu_ps(mask, x + k));
    }
    float peak = _mm512_reduce_max_ps(most);
    for (size_t k = 0; k < columns; k += LANES) {
        __mmask16 mask = lanes(k, columns);
        __m512 part = _mm512_sub_ps(_mm512_maskz_loadu_ps(mask, x + k), _mm512_set1_ps(peak));
        sum = _mm512_mask_add_ps(sum, mask, sum, exponential(part));
    }
    /* Before the first part the peak is minus infinity, from which no difference is taken. */
    float before = tally->sum > 0 ? tally->sum * expf(tally->peak - peak) : tally->sum;
    tally->sum = before + _mm512_reduce_add_ps(sum);
    tally->peak = peak;
}

/* Offer a part of a row's logits, from token `first`. `bars` is 0 or minus infinity for each token
   up to `last`, whose entry holds for all higher tokens. */
VNNI static void add_best(const float *x, size_t columns, size_t first, const float *bars,
                          size_t last, Tally *tally, size_t count, float *logits,
                          int64_t *tokens) {
    for (size_t k = 0; k < columns; k += LANES) {
        /* Only logits above the worst of the best are looked at one by one. */
        __mmask16 likely = lanes(k, columns);
        if (tally->found == count)
            likely = _mm512_mask_cmp_ps_mask(likely, _mm512_maskz_loadu_ps(likely, x + k),
                                             _mm512_set1_ps(logits[count - 1]), _CMP_GT_OQ);
        for (unsigned left = likely; left != 0; left &= left - 1) {
            size_t at = k + (size_t)__builtin_ctz(left), token = first + at;
            float logit = x[at] + bars[token < last ? token : last];
            offer(logit, (int64_t)token, tally, count, logits, tokens);
        }
    }
}

/* Compute one part of the logits of all rows and add it to their tallies. */
static void search_part(const Layer *layer, size_t first, size_t last, size_t rows,
                        const uint8_t *integers, const float *factors, float *part, Bars bars,
                        size_t count, Tally *tallies, Rows chances, int64_t *tokens) {
    size_t stride = PART * PANEL, from = first * PANEL, to = last * PANEL;
    size_t columns = (to < layer->outputs ? to : layer->outputs) - from;
    /* All rows at once, since each panel is then read from memory once a step. */
    product(layer, first, last, rows, integers, factors, (Rows){part, stride});
    for (size_t i = 0; i < rows; i++) {
        const float *x = part + i * stride;
        /* The sum is over all logits, the forbidden ones included. */
        add_to_sum(x, columns, tallies + i);
        const float *own = bars.table.at + (size_t)bars.kinds[i] * bars.table.stride;
        add_best(x, columns, from, own, bars.columns - 1, tallies + i, count,
                 chances.at + i * chances.stride, tokens + i * count);
    }
}

int best(const Layer *layer, size_t rows, Rows x, Bars bars, size_t count, Rows chances,
         int64_t *tokens) {
    float *part = malloc(rows * PART * PANEL * sizeof(float));
    float *factors = malloc(rows * sizeof(float));
    Tally *tallies = malloc(rows * sizeof(Tally));
    uint8_t *integers = malloc(rows * integer_width(layer));
    int has_memory = part && factors && tallies && integers;
    if (has_memory) {
        for (size_t i = 0; i < rows; i++) tallies[i] = (Tally){-INFINITY, 0.0f, 0};
        quantise(layer, rows, x, integers, factors);
        for (size_t first = 0; first < layer->panels; first += PART) {
            size_t last = first + PART < layer->panels ? first + PART : layer->panels;
            search_part(layer, first, last, rows, integers, factors, part, bars, count, tallies,
                        chances, tokens);
        }
        /* From logits to logarithms of probabilities. */
        for (size_t i = 0; i < rows; i++)
            for (size_t c = 0; c < count; c++) {
                float *chance = chances.at + i * chances.stride + c;
                *chance = (*chance - tallies[i].peak) - logf(tallies[i].sum);
            }
    }
    free(part);
    free(factors);
    free(tallies);
    free(integers);
    return has_memory;
}

#endif

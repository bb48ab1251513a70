/* Attention of one position a row, over the tokens of the row's own sentence.

   Nothing is padded: keys and values of all sentences lie one after another, and the rows of a
   sentence read the same ones. A row of scores has room for the longest sentence, head by head:

       scores of row i   | head 0: token 0 1 2 ... | head 1: ... |    stride = heads x columns */

#include "kernels.h"

#ifdef HAS_KERNELS

#include "simd.h"

#include <float.h>
#include <math.h>

/* e^2(query + bias); `exponential` clamps it to the range of a float. */
VNNI static void ask(size_t count, const float *query, const float *bias, float *asked) {
    for (size_t k = 0; k < count; k += LANES) {
        __mmask16 mask = lanes(k, count);
        __m512 x = _mm512_add_ps(_mm512_maskz_loadu_ps(mask, query + k),
                                 _mm512_maskz_loadu_ps(mask, bias + k));
        _mm512_mask_storeu_ps(asked + k, mask, exponential(_mm512_add_ps(x, x)));
    }
}

/* v . tanh(q + k) = sum of v - 2 v . r with r = 1 / (1 + e^2q e^2k). `keys` are e^2k, and `v` here
   is already multiplied by -2. The sum of v is the same in all scores of a row and is left out.

   The product e^2q e^2k may overflow. Then r should be 0: `reciprocal` returns that for the largest
   float, but NaN for infinity, hence the minimum. */
VNNI void additive_scores(size_t rows, size_t heads, size_t width, Rows query, const float *bias,
                          const float *v, Rows keys, Spans spans, float *asked, Rows scores) {
    __m512 one = _mm512_set1_ps(1.0f), largest = _mm512_set1_ps(FLT_MAX);
    for (size_t i = 0; i < rows; i++) {
        int64_t start = spans.start[spans.owner[i]], length = spans.length[spans.owner[i]];
        size_t columns = scores.stride / heads;
        /* Once a row: each token below costs a product and a reciprocal, and no exponential. */
        ask(heads * width, query.at + i * query.stride, bias, asked);
        for (int64_t j = 0; j < length; j++) {
            const float *key = keys.at + (start + j) * keys.stride;
            for (size_t head = 0; head < heads; head++) {
                const float *k = key + head * width, *a = asked + head * width;
                __m512 sum = _mm512_setzero_ps();
                for (size_t d = 0; d < width; d += LANES) {
                    __mmask16 mask = lanes(d, width);
                    __m512 below = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(mask, k + d),
                                                    _mm512_maskz_loadu_ps(mask, a + d), one);
                    __m512 r = reciprocal(_mm512_min_ps(largest, below));
                    /* Lanes beyond the width load w = 0, so that their r, which is 1, adds
                       nothing. */
                    __m512 w = _mm512_maskz_loadu_ps(mask, v + head * width + d);
                    sum = _mm512_fmadd_ps(r, w, sum);
                }
                scores.at[i * scores.stride + head * columns + j] = _mm512_reduce_add_ps(sum);
            }
        }
    }
}

/* factor x query . key, head by head. */
VNNI void dot_scores(size_t rows, size_t heads, size_t width, float factor, Rows query, Rows keys,
                     Spans spans, Rows scores) {
    for (size_t i = 0; i < rows; i++) {
        int64_t start = spans.start[spans.owner[i]], length = spans.length[spans.owner[i]];
        size_t columns = scores.stride / heads;
        for (int64_t j = 0; j < length; j++) {
            const float *key = keys.at + (start + j) * keys.stride;
            for (size_t head = 0; head < heads; head++) {
                const float *k = key + head * width, *q = query.at + i * query.stride + head * width;
                __m512 sum = _mm512_setzero_ps();
                for (size_t d = 0; d < width; d += LANES) {
                    __mmask16 mask = lanes(d, width);
                    sum = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(mask, k + d),
                                          _mm512_maskz_loadu_ps(mask, q + d), sum);
                }
                scores.at[i * scores.stride + head * columns + j] =
                    factor * _mm512_reduce_add_ps(sum);
            }
        }
    }
}

/* Overwrite `length` scores with their softmax, and the rest of the `columns` with 0. */
VNNI static void softmax(float *x, size_t length, size_t columns) {
    __m512 most = _mm512_set1_ps(-INFINITY);
    for (size_t j = 0; j < length; j += LANES) {
        __mmask16 mask = lanes(j, length);
        most = _mm512_mask_max_ps(most, mask, most, _mm512_maskz_loadu_ps(mask, x + j));
    }
    __m512 peak = _mm512_set1_ps(_mm512_reduce_max_ps(most)), sum = _mm512_setzero_ps();
    for (size_t j = 0; j < length; j += LANES) {
        __mmask16 mask = lanes(j, length);
        __m512 y = exponential(_mm512_sub_ps(_mm512_maskz_loadu_ps(mask, x + j), peak));
        _mm512_mask_storeu_ps(x + j, mask, y);
        sum = _mm512_mask_add_ps(sum, mask, sum, y);
    }
    /* The largest score adds e^0 to the sum, so it is at least 1. */
    float share = 1.0f / _mm512_reduce_add_ps(sum);
    for (size_t j = 0; j < length; j++) x[j] *= share;
    /* So that weights of shorter sentences can be read as a padded array. */
    for (size_t j = length; j < columns; j++) x[j] = 0.0f;
}

VNNI void read_values(size_t rows, size_t heads, size_t columns, size_t width, Rows scores,
                      Rows values, Spans spans, Rows context) {
    for (size_t i = 0; i < rows; i++) {
        int64_t start = spans.start[spans.owner[i]], length = spans.length[spans.owner[i]];
        for (size_t head = 0; head < heads; head++) {
            float *weights = scores.at + i * scores.stride + head * columns;
            softmax(weights, (size_t)length, columns);
            for (size_t d = 0; d < width; d += LANES) {
                __mmask16 mask = lanes(d, width);
                /* Sixteen numbers of the context stay in a register while all tokens pass. */
                const float *value = values.at + start * values.stride + head * width + d;
                __m512 sum = _mm512_setzero_ps();
                for (int64_t j = 0; j < length; j++)
                    sum = _mm512_fmadd_ps(_mm512_set1_ps(weights[j]),
                                          _mm512_maskz_loadu_ps(mask, value + j * values.stride),
                                          sum);
                _mm512_mask_storeu_ps(context.at + i * context.stride + head * width + d, mask, sum);
            }
        }
    }
}

#endif

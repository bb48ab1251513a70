/* Products with weights in eight bits: u8 x s8 by `vpdpbusd`, whose sums are exact.

   `vpdpbusd` multiplies four inputs with four weights of an output, for 16 outputs at a time, and
   adds the products to 16 sums of 32 bits. So the weights of four inputs lie together (a block),
   and those of 48 outputs, three registers (a panel):

       panel    | correction, scale, bias of 48 outputs
       block 0  | o0: w0 w1 w2 w3 | o1: w0 w1 w2 w3 | ... | o47: w0 w1 w2 w3 |
       block 1  | o0: w4 w5 w6 w7 | o1: w4 w5 w6 w7 | ...

   `tile` computes up to eight rows by one panel with all sums in registers. A panel of usual size
   stays in the first cache while all rows pass over it. */

#include "kernels.h"

#ifdef HAS_KERNELS

#include "simd.h"

#include <stdlib.h>
#include <string.h>

#define ZERO 128 /* the unsigned input that stands for 0 */
#define STEPS 127.0f
#define LEAST 1e-12f
#define TILE 8
#define VECTORS (PANEL / LANES)
#define MOST_PARTS 4 /* sums of an output that a tile adds to in turn */
#define UNROLLED _Pragma("GCC unroll 8")

typedef struct {
    int32_t correction[PANEL]; /* -ZERO x sum of weights: removes what ZERO adds to a sum */
    float scale[PANEL], bias[PANEL];
    int8_t weights[]; /* (blocks, PANEL, 4) */
} Panel;

static size_t panel_size(size_t blocks) { return sizeof(Panel) + blocks * PANEL * 4; }

static const Panel *panel_at(const Layer *layer, size_t number) {
    return (const Panel *)(layer->weights + number * panel_size(layer->blocks));
}

/* Write the weights of the outputs from `first` into a panel, in the order above. */
static void fill(Panel *panel, const Layer *layer, const int8_t *integers, const float *scale,
                 const float *bias, size_t first) {
    for (size_t i = 0; i < PANEL && first + i < layer->outputs; i++) {
        const int8_t *row = integers + (first + i) * layer->inputs;
        int32_t sum = 0;
        for (size_t k = 0; k < layer->inputs; k++) {
            /* (block, output, input within the block) */
            panel->weights[(k / 4 * PANEL + i) * 4 + k % 4] = row[k];
            sum += row[k];
        }
        /* An input u stands for u - ZERO: sum (u - ZERO) w = sum u w - ZERO sum w. Sums fit 32
           bits up to 66,000 inputs: 255 x 127 x 66,000 < 2^31. */
        panel->correction[i] = -ZERO * sum;
        panel->scale[i] = scale[first + i];
        panel->bias[i] = bias[first + i];
    }
}

Layer *layer_pack(const int8_t *integers, const float *scale, const float *bias, size_t outputs,
                  size_t inputs, int bounded) {
    Layer *layer = malloc(sizeof(Layer));
    if (layer == NULL) return NULL;
    /* A multiple of MOST_PARTS, so that a tile has blocks for each of its sums. */
    size_t blocks = (inputs + 4 * MOST_PARTS - 1) / (4 * MOST_PARTS) * MOST_PARTS;
    size_t panels = (outputs + PANEL - 1) / PANEL;
    *layer = (Layer){inputs, outputs, blocks, panels, bounded, NULL};
    size_t size = panels * panel_size(blocks);
    /* 64 bytes are a register; the size of a panel is a multiple of it, so all panels are aligned.
       */
    layer->weights = aligned_alloc(64, size > 0 ? size : 64);
    if (layer->weights == NULL) {
        free(layer);
        return NULL;
    }
    /* Inputs and outputs that fill up the last block and panel have the weight 0. */
    memset(layer->weights, 0, size);
    for (size_t number = 0; number < panels; number++)
        fill((Panel *)panel_at(layer, number), layer, integers, scale, bias, number * PANEL);
    return layer;
}

void layer_free(Layer *layer) {
    free(layer->weights);
    free(layer);
}

size_t integer_width(const Layer *layer) { return layer->blocks * 4; }

/* The largest absolute value of a row, and at least LEAST, so that a row of zeros can be divided.
   */
VNNI static float peak_of(const float *x, size_t count) {
    __m512 peak = _mm512_setzero_ps();
    for (size_t k = 0; k < count; k += LANES) {
        __m512 part = _mm512_maskz_loadu_ps(lanes(k, count), x + k);
        peak = _mm512_max_ps(peak, _mm512_abs_ps(part));
    }
    float found = _mm512_reduce_max_ps(peak);
    return found > LEAST ? found : LEAST;
}

VNNI void quantise(const Layer *layer, size_t rows, Rows x, uint8_t *integers, float *factors) {
    size_t count = layer->inputs, width = integer_width(layer);
    for (size_t i = 0; i < rows; i++) {
        const float *row = x.at + i * x.stride;
        uint8_t *out = integers + i * width;
        /* The scale of a row depends on that row alone, so batches do not change a translation. */
        factors[i] = layer->bounded ? 1.0f : peak_of(row, count);
        __m512 peak = _mm512_set1_ps(factors[i]);
        for (size_t k = 0; k < count; k += LANES) {
            __m512 part = _mm512_maskz_loadu_ps(lanes(k, count), row + k);
            if (!layer->bounded) part = _mm512_div_ps(part, peak);
            /* For numbers of at least 0, adding a half and cutting off rounds to the nearest. */
            part = _mm512_mul_ps(part, _mm512_set1_ps(STEPS));
            part = _mm512_add_ps(part, _mm512_set1_ps(ZERO + 0.5f));
            __m512i whole = _mm512_max_epi32(_mm512_cvttps_epi32(part), _mm512_setzero_si512());
            /* Numbers outside 0 ... 255 are cut off and do not wrap around. The width is the
               next multiple of 16, so the last store writes the inputs that fill up the last
               block too. */
            _mm512_mask_cvtusepi32_storeu_epi8(out + k, lanes(k, width), whole);
        }
    }
}

/* Multiply `m` rows with one panel. Each output has `parts` sums that take the blocks in turn, so
   that with few rows an addition does not wait for the one before it. `m` and `parts` are constants
   at every call, so the compiler unrolls the loops over them. */
INLINE void tile(size_t m, size_t parts, const Panel *panel, size_t blocks, const uint8_t *rows,
                 size_t width, const float *factors, Rows out, size_t columns) {
    __m512i sums[TILE][VECTORS]; /* (parts x m, vectors) */
    UNROLLED for (size_t i = 0; i < parts * m; i++)
        UNROLLED for (size_t v = 0; v < VECTORS; v++)
            /* Row i % m, part i / m. Only the first part takes the correction, which counts
               once. */
            sums[i][v] = i < m ? _mm512_load_si512(panel->correction + v * LANES)
                               : _mm512_setzero_si512();
    for (size_t block = 0; block < blocks; block += parts)
        UNROLLED for (size_t i = 0; i < parts * m; i++) {
            size_t at = block + i / m; /* number of the block */
            int32_t four;
            /* A load of four bytes at any address; the compiler makes one instruction of it. */
            memcpy(&four, rows + i % m * width + at * 4, 4);
            UNROLLED for (size_t v = 0; v < VECTORS; v++)
                sums[i][v] = _mm512_dpbusd_epi32(
                    sums[i][v], _mm512_set1_epi32(four),
                    _mm512_load_si512(panel->weights + (at * VECTORS + v) * LANES * 4));
        }
    /* Add up the parts; an output is its sum x scale x factor of the row + bias. */
    UNROLLED for (size_t v = 0; v < VECTORS; v++) {
        /* The last panel may have fewer outputs than registers for them. */
        if (v * LANES >= columns) break;
        __m512 scale = _mm512_load_ps(panel->scale + v * LANES);
        __m512 bias = _mm512_load_ps(panel->bias + v * LANES);
        UNROLLED for (size_t i = 0; i < m; i++) {
            __m512i sum = sums[i][v];
            UNROLLED for (size_t p = 1; p < parts; p++)
                sum = _mm512_add_epi32(sum, sums[p * m + i][v]);
            __m512 factor = _mm512_mul_ps(scale, _mm512_set1_ps(factors[i]));
            __m512 y = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), factor, bias);
            float *to = out.at + i * out.stride + v * LANES;
            _mm512_mask_storeu_ps(to, lanes(v * LANES, columns), y);
        }
    }
}

VNNI void product(const Layer *layer, size_t first, size_t last, size_t rows,
                  const uint8_t *integers, const float *factors, Rows out) {
    size_t width = integer_width(layer), blocks = layer->blocks;
    for (size_t number = first; number < last; number++) {
        const Panel *panel = panel_at(layer, number);
        size_t left = layer->outputs - number * PANEL, columns = left < PANEL ? left : PANEL;
        for (size_t i = 0; i < rows; i += TILE) {
            const uint8_t *from = integers + i * width;
            const float *factor = factors + i;
            Rows to = {out.at + i * out.stride + (number - first) * PANEL, out.stride};
/* A tile of `m` rows. With one row 4 x 3 registers hold sums, with eight rows 8 x 3 do. */
#define OF(m, parts)                                                                               \
    case m:                                                                                        \
        tile(m, parts, panel, blocks, from, width, factor, to, columns);                           \
        break;
            switch (rows - i) {
                OF(1, 4)
                OF(2, 2)
                OF(3, 2)
                OF(4, 1)
                OF(5, 1)
                OF(6, 1)
                OF(7, 1)
            default:
                tile(TILE, 1, panel, blocks, from, width, factor, to, columns);
            }
#undef OF
        }
    }
}

#endif

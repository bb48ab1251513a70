/* What the kernels offer each other and the module. Matrices of floats lie row by row, `stride`
   numbers apart. */

#ifndef LONGSPAN_KERNELS_H
#define LONGSPAN_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* Elsewhere the module's files are empty but for `supported`. */
#ifdef __x86_64__
#define HAS_KERNELS
#endif

/* Outputs of a linear layer whose weights lie together. */
#define PANEL 48

typedef struct {
    float *at;
    size_t stride;
} Rows;

/* Where each sentence's tokens lie among those of a batch, and whose each row is. */
typedef struct {
    const int64_t *start, *length, *owner;
} Spans;

/* A linear layer in eight bits. `bounded`: its inputs lie between -1 and 1. */
typedef struct {
    size_t inputs, outputs;
    size_t blocks; /* of four inputs, filled up with zeros */
    size_t panels;
    int bounded;
    unsigned char *weights; /* panel by panel, see `Panel` in linear.c */
} Layer;

Layer *layer_pack(const int8_t *integers, const float *scale, const float *bias, size_t outputs,
                  size_t inputs, int bounded);
void layer_free(Layer *layer);

/* The bytes that `quantise` makes of one row. */
size_t integer_width(const Layer *layer);
/* Inputs as unsigned bytes, and what the product of each row must be multiplied by. */
void quantise(const Layer *layer, size_t rows, Rows x, uint8_t *integers, float *factors);
/* Outputs of panels first to last - 1; `out` begins at the first of them. */
void product(const Layer *layer, size_t first, size_t last, size_t rows, const uint8_t *integers,
             const float *factors, Rows out);

/* Row i: a token's gates table[token[i]] added to what the recurrent weights made of row order[i]
   before; input, forget, candidate (doubled), output. */
void lstm(size_t rows, size_t units, Rows table, const int64_t *token, Rows recurrent,
          const int64_t *order, Rows cell, Rows hidden, Rows next_cell);
/* A whole layer over sentences, the longest first; 0 where memory is lacking. */
int recur(const Layer *layer, size_t sentences, size_t units, Rows gates, const int64_t *start,
          const int64_t *length, int backwards, Rows out);

void additive_scores(size_t rows, size_t heads, size_t width, Rows query, const float *bias,
                     const float *v, Rows keys, Spans spans, float *asked, Rows scores);
void dot_scores(size_t rows, size_t heads, size_t width, float factor, Rows query, Rows keys,
                Spans spans, Rows scores);
/* Scores become weights, 0 beyond the sentence; `columns` of each head. */
void read_values(size_t rows, size_t heads, size_t columns, size_t width, Rows scores, Rows values,
                 Spans spans, Rows context);

/* x = tanh(x + y). */
void tanh_sum(size_t rows, size_t columns, Rows x, Rows y);

/* What each row must not say: kinds[row] is its line of `table`, 0 or minus infinity a token; the
   last of the `columns` stands for all outputs from there on. */
typedef struct {
    Rows table;
    size_t columns;
    const int64_t *kinds;
} Bars;

/* The best outputs of each row as logarithms of probabilities, best first; barred ones get minus
   infinity, but keep their share. 0 where memory is lacking. */
int best(const Layer *layer, size_t rows, Rows x, Bars bars, size_t count, Rows chances,
         int64_t *tokens);

#endif

/* Functions and types of the kernels. A matrix of floats lies row by row; `stride` is the number of
   floats from the start of a row to the start of the next. */

#ifndef LONGSPAN_KERNELS_H
#define LONGSPAN_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* On other processors the files are empty, and the module has `supported` alone. */
#ifdef __x86_64__
#define HAS_KERNELS
#endif

/* Number of outputs of a linear layer whose weights lie together: three registers of 16 floats. */
#define PANEL 48

typedef struct {
    float *at;
    size_t stride;
} Rows;

/* The tokens of a batch lie one sentence after another. A sentence has `length` tokens from
   `start`; row i belongs to sentence owner[i]. */
typedef struct {
    const int64_t *start, *length, *owner;
} Spans;

/* A linear layer in eight bits. `bounded`: its inputs lie between -1 and 1. */
typedef struct {
    size_t inputs, outputs;
    size_t blocks; /* of four inputs, the last ones filled up with zeros */
    size_t panels;
    int bounded;
    unsigned char *weights; /* panel by panel, see `Panel` in linear.c */
} Layer;

/* `scale` is that of the weights, divided by the 127 steps of an input. `weights` of the layer
   are copied, so the arguments may be freed. */
Layer *layer_pack(const int8_t *integers, const float *scale, const float *bias, size_t outputs,
                  size_t inputs, int bounded);
void layer_free(Layer *layer);

/* Number of bytes that `quantise` writes for one row. */
size_t integer_width(const Layer *layer);
/* Write the inputs as unsigned bytes, and for each row the factor of its products. */
void quantise(const Layer *layer, size_t rows, Rows x, uint8_t *integers, float *factors);
/* Compute the outputs of panels first to last - 1; `out` begins with the first of them. */
void product(const Layer *layer, size_t first, size_t last, size_t rows, const uint8_t *integers,
             const float *factors, Rows out);

/* Run one position of an LSTM. The gates of row i are table[token[i]] + recurrent[order[i]], and it
   goes on from cell[order[i]]. Gates lie in the order input, forget, candidate (doubled), output.
   */
void lstm(size_t rows, size_t units, Rows table, const int64_t *token, Rows recurrent,
          const int64_t *order, Rows cell, Rows hidden, Rows next_cell);
/* Run a whole layer over sentences, the longest first. Returns 0 where memory is lacking. */
int recur(const Layer *layer, size_t sentences, size_t units, Rows gates, const int64_t *start,
          const int64_t *length, int backwards, Rows out);

/* Write the scores of each row over the tokens of its sentence; `asked` has room for one query. */
void additive_scores(size_t rows, size_t heads, size_t width, Rows query, const float *bias,
                     const float *v, Rows keys, Spans spans, float *asked, Rows scores);
void dot_scores(size_t rows, size_t heads, size_t width, float factor, Rows query, Rows keys,
                Spans spans, Rows scores);
/* Overwrite the scores with weights, 0 beyond the sentence, and write the context. A row of scores
   has `columns` for each head. */
void read_values(size_t rows, size_t heads, size_t columns, size_t width, Rows scores, Rows values,
                 Spans spans, Rows context);

/* Overwrite x with tanh(x + y). */
void tanh_sum(size_t rows, size_t columns, Rows x, Rows y);

/* Forbidden outputs. Line kinds[row] of `table` holds 0 for each allowed output and minus infinity
   for each forbidden one. The last of the `columns` stands for all outputs of higher numbers. */
typedef struct {
    Rows table;
    size_t columns;
    const int64_t *kinds;
} Bars;

/* Write the best outputs of each row and their log-probabilities, best first. Forbidden outputs get
   minus infinity; their probability is not given to the others. Returns 0 where memory is lacking.
   */
int best(const Layer *layer, size_t rows, Rows x, Bars bars, size_t count, Rows chances,
         int64_t *tokens);

#endif

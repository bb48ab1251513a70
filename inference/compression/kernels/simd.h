/* Arithmetic of the kernels, on sixteen floats at a time.

   Each function names the instructions that it uses, and the compiler's flags name none. So the
   module can be loaded on any x86-64, and `supported` in module.c says whether the rest of it may
   be called. */

#ifndef LONGSPAN_SIMD_H
#define LONGSPAN_SIMD_H

#include <immintrin.h>
#include <stddef.h>

#define VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")))
#define INLINE static inline __attribute__((always_inline)) VNNI

#define LANES 16 /* floats of a register */

/* A mask of the lanes that hold numbers `at` to count - 1: all sixteen, or fewer at the end of a
   row. */
INLINE __mmask16 lanes(size_t at, size_t count) {
    /* `at` is below `count` in all loops; otherwise the difference would wrap around. */
    size_t left = count - at;
    return left >= LANES ? (__mmask16)0xFFFF : (__mmask16)((1u << left) - 1u);
}

/* e^x, within 2 units of the last place. x is clamped to -87 ... 88; NaN stays NaN.

   x = n ln 2 + r with a whole n and |r| <= ln 2 / 2, so e^x = 2^n e^r, and a polynomial of degree 7
   gives e^r. ln 2 is subtracted in two parts, so that r is exact. */
INLINE __m512 exponential(__m512 x) {
    /* Where one operand is NaN, min and max return the second one: x, so NaN is not clamped. */
    x = _mm512_min_ps(_mm512_set1_ps(88.0f), _mm512_max_ps(_mm512_set1_ps(-87.0f), x));
    /* n = x / ln 2, rounded to the nearest whole number. */
    __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)), 0);
    /* The first part is 355 / 512: n times it has few enough bits to be exact. */
    __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693359375f), x);
    r = _mm512_fnmadd_ps(n, _mm512_set1_ps(-2.12194440e-4f), r);
    /* Horner's rule, from 1 / 7! down to 1 / 0!. */
    __m512 p = _mm512_set1_ps(1.0f / 5040);
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f / 720));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f / 120));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f / 24));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f / 6));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.5f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f));
    return _mm512_scalef_ps(p, n);
}

/* 1 / x for finite x other than 0: an estimate of 14 bits, then one step of Newton's method. */
INLINE __m512 reciprocal(__m512 x) {
    __m512 r = _mm512_rcp14_ps(x);
    return _mm512_mul_ps(r, _mm512_fnmadd_ps(x, r, _mm512_set1_ps(2.0f)));
}

/* 1 / (1 + e^-x) */
INLINE __m512 sigmoid(__m512 x) {
    /* `exponential` is at most e^88, so the sum is finite, as `reciprocal` needs it. */
    __m512 one = _mm512_set1_ps(1.0f);
    return reciprocal(_mm512_add_ps(one, exponential(_mm512_sub_ps(_mm512_setzero_ps(), x))));
}

/* 2 y - 1, which is tanh(x) for y = sigmoid(2 x). */
INLINE __m512 centred(__m512 y) {
    return _mm512_fmsub_ps(y, _mm512_set1_ps(2.0f), _mm512_set1_ps(1.0f));
}

/* tanh(x) */
INLINE __m512 hyperbolic(__m512 x) { return centred(sigmoid(_mm512_add_ps(x, x))); }

#endif

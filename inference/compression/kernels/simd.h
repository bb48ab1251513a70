/* Sixteen floats at a time: what the kernels share of arithmetic.

   Functions say which instructions they use, the compiler's flags do not: the module can be loaded
   on any x86-64, and `supported` in module.c tells whether the rest of it may be called. */

#ifndef LONGSPAN_SIMD_H
#define LONGSPAN_SIMD_H

#include <immintrin.h>
#include <stddef.h>

#define VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")))
#define INLINE static inline __attribute__((always_inline)) VNNI

#define LANES 16

/* The lanes that are left of `count` numbers from number `at` on. */
INLINE __mmask16 lanes(size_t at, size_t count) {
    size_t left = count - at;
    return left >= LANES ? (__mmask16)0xFFFF : (__mmask16)((1u << left) - 1u);
}

/* e^x, within 2 units of the last place; NaN stays NaN, what overflows is cut off. */
INLINE __m512 exponential(__m512 x) {
    /* Of an operand that is not a number, min and max give the second one. */
    x = _mm512_min_ps(_mm512_set1_ps(88.0f), _mm512_max_ps(_mm512_set1_ps(-87.0f), x));
    __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)), 0);
    __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693359375f), x);
    r = _mm512_fnmadd_ps(n, _mm512_set1_ps(-2.12194440e-4f), r);
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

/* 1 / x of finite x that are not 0: an estimate of 14 bits and a step of Newton's. */
INLINE __m512 reciprocal(__m512 x) {
    __m512 r = _mm512_rcp14_ps(x);
    return _mm512_mul_ps(r, _mm512_fnmadd_ps(x, r, _mm512_set1_ps(2.0f)));
}

INLINE __m512 sigmoid(__m512 x) {
    __m512 one = _mm512_set1_ps(1.0f);
    return reciprocal(_mm512_add_ps(one, exponential(_mm512_sub_ps(_mm512_setzero_ps(), x))));
}

/* 2 y - 1: of y = sigmoid(2 x) it is tanh(x). */
INLINE __m512 centred(__m512 y) {
    return _mm512_fmsub_ps(y, _mm512_set1_ps(2.0f), _mm512_set1_ps(1.0f));
}

INLINE __m512 hyperbolic(__m512 x) { return centred(sigmoid(_mm512_add_ps(x, x))); }

#endif

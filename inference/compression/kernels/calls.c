/* The functions that Python calls: they check their arguments, then call a kernel.

   Arrays come by the buffer protocol. All shapes and every index are checked here, so that no
   argument can make a kernel read or write beyond an array. */

#include "module.h"

#ifdef HAS_KERNELS

#include <stdlib.h>
#include <string.h>

#define MOST_ARRAYS 9
#define LAYER "longspan layer"

/* An array that a function takes: `format` as in the module struct, of one or two dimensions. */
typedef struct {
    const char *name;
    char format;
    int dimensions, is_output;
} Wanted;

typedef struct {
    Py_buffer views[MOST_ARRAYS];
    int count;
} Arrays;

static void release(Arrays *arrays) {
    while (arrays->count > 0) PyBuffer_Release(&arrays->views[--arrays->count]);
}

static int fail(Arrays *arrays, const char *message) {
    release(arrays);
    PyErr_SetString(PyExc_ValueError, message);
    return 0;
}

static int has_format(const Py_buffer *view, char wanted) {
    /* NULL stands for bytes in the buffer protocol. An int64 is l or q, by the platform. */
    const char *format = view->format == NULL ? "B" : view->format;
    if (wanted == 'q') return view->itemsize == 8 && strchr("ql", format[0]) && !format[1];
    return format[0] == wanted && !format[1];
}

/* Fill `arrays` from `arguments`. Returns 0, with an exception set and nothing held, where one of
   them is not as wanted. */
static int take(Arrays *arrays, PyObject *const *arguments, const Wanted *wanted, int count) {
    arrays->count = 0;
    for (int i = 0; i < count; i++) {
        Py_buffer *view = &arrays->views[i];
        int flags = PyBUF_FORMAT | (wanted[i].is_output ? PyBUF_STRIDED : PyBUF_STRIDED_RO);
        if (PyObject_GetBuffer(arguments[i], view, flags) < 0) {
            release(arrays);
            return 0;
        }
        arrays->count++;
        int last = view->ndim - 1;
        /* A dimension of one element may have any stride. Rows may lie apart, as in a slice of
           columns, but must not run backwards: `Rows` has an unsigned stride. */
        if (view->ndim != wanted[i].dimensions || !has_format(view, wanted[i].format) ||
            (view->shape[last] > 1 && view->strides[last] != view->itemsize) ||
            (last == 1 && view->shape[0] > 1 && view->strides[0] % view->itemsize) ||
            (last == 1 && view->shape[0] > 1 && view->strides[0] < 0)) {
            PyErr_Format(PyExc_ValueError,
                         "%s: expected an array of %d dimensions and format %c, the last one "
                         "without gaps",
                         wanted[i].name, wanted[i].dimensions, wanted[i].format);
            release(arrays);
            return 0;
        }
    }
    return 1;
}

static int expect(Py_ssize_t given, Py_ssize_t wanted, const char *function) {
    if (given == wanted) return 1;
    PyErr_Format(PyExc_TypeError, "%s: expected %zd arguments, got %zd", function, wanted, given);
    return 0;
}

static size_t rows_of(const Arrays *arrays, int i) { return (size_t)arrays->views[i].shape[0]; }
static size_t columns_of(const Arrays *arrays, int i) { return (size_t)arrays->views[i].shape[1]; }
static void *data_of(const Arrays *arrays, int i) { return arrays->views[i].buf; }

static Rows matrix(const Arrays *arrays, int i) {
    const Py_buffer *view = &arrays->views[i];
    size_t stride = view->shape[0] > 1 ? (size_t)(view->strides[0] / view->itemsize)
                                       : (size_t)view->shape[1];
    return (Rows){view->buf, stride};
}

static int is_shaped(const Arrays *arrays, int i, size_t rows, size_t columns) {
    return rows_of(arrays, i) == rows && columns_of(arrays, i) == columns;
}

/* Whether all numbers of an array are at least 0 and below `end`. */
static int are_below(const Arrays *arrays, int i, size_t end) {
    const int64_t *numbers = data_of(arrays, i);
    for (size_t k = 0; k < rows_of(arrays, i); k++)
        if (numbers[k] < 0 || (uint64_t)numbers[k] >= end) return 0;
    return 1;
}

/* Whether all sentences have 1 to `longest` tokens and lie within an array of `tokens`. */
static int lie_within(const Arrays *arrays, int start, int length, size_t tokens, size_t longest) {
    const int64_t *starts = data_of(arrays, start), *lengths = data_of(arrays, length);
    if (rows_of(arrays, start) != rows_of(arrays, length)) return 0;
    /* Differences instead of start + length, which could overflow. */
    for (size_t k = 0; k < rows_of(arrays, start); k++)
        if (starts[k] < 0 || lengths[k] < 1 || (uint64_t)lengths[k] > longest ||
            (uint64_t)lengths[k] > tokens || (uint64_t)starts[k] > tokens - (uint64_t)lengths[k])
            return 0;
    return 1;
}

/* Release the arrays; return None, or raise MemoryError. */
static PyObject *done(Arrays *arrays, int has_memory) {
    release(arrays);
    if (!has_memory) return PyErr_NoMemory();
    Py_RETURN_NONE;
}

/* Called by Python when nothing holds the layer any more. */
static void forget(PyObject *capsule) { layer_free(PyCapsule_GetPointer(capsule, LAYER)); }

static PyObject *pack(PyObject *module, PyObject *const *arguments, Py_ssize_t given) {
    (void)module;
    static const Wanted wanted[] = {
        {"integers", 'b', 2, 0}, {"scale", 'f', 1, 0}, {"bias", 'f', 1, 0}};
    Arrays a;
    if (!expect(given, 4, "pack")) return NULL;
    int bounded = PyObject_IsTrue(arguments[3]);
    if (bounded < 0 || !take(&a, arguments, wanted, 3)) return NULL;
    size_t outputs = rows_of(&a, 0), inputs = columns_of(&a, 0);
    if (rows_of(&a, 1) != outputs || rows_of(&a, 2) != outputs || outputs < 1 || inputs < 1 ||
        (outputs > 1 && matrix(&a, 0).stride != inputs)) {
        fail(&a, "pack: expected integers (outputs, inputs) without gaps, scale and bias "
                 "(outputs,)");
        return NULL;
    }
    Layer *layer =
        layer_pack(data_of(&a, 0), data_of(&a, 1), data_of(&a, 2), outputs, inputs, bounded);
    release(&a);
    if (layer == NULL) return PyErr_NoMemory();
    /* The capsule owns the layer. Its name is checked by every call that takes a layer. */
    PyObject *capsule = PyCapsule_New(layer, LAYER, forget);
    if (capsule == NULL) layer_free(layer);
    return capsule;
}

static PyObject *linear(PyObject *module, PyObject *const *arguments, Py_ssize_t given) {
    (void)module;
    static const Wanted wanted[] = {{"x", 'f', 2, 0}, {"out", 'f', 2, 1}};
    Arrays a;
    if (!expect(given, 3, "linear")) return NULL;
    const Layer *layer = PyCapsule_GetPointer(arguments[0], LAYER);
    if (layer == NULL || !take(&a, arguments + 1, wanted, 2)) return NULL;
    size_t rows = rows_of(&a, 0);
    if (!is_shaped(&a, 0, rows, layer->inputs) || !is_shaped(&a, 1, rows, layer->outputs)) {
        fail(&a, "linear: expected x (rows, inputs) and out (rows, outputs) of the layer");
        return NULL;
    }
    /* One more than needed: malloc(0) may return NULL, which would look like a lack of memory. */
    float *factors = malloc((rows + 1) * sizeof(float));
    uint8_t *integers = malloc((rows + 1) * integer_width(layer));
    int has_memory = factors && integers;
    if (has_memory) {
        Py_BEGIN_ALLOW_THREADS
        quantise(layer, rows, matrix(&a, 0), integers, factors);
        product(layer, 0, layer->panels, rows, integers, factors, matrix(&a, 1));
        Py_END_ALLOW_THREADS
    }
    free(factors);
    free(integers);
    return done(&a, has_memory);
}

static PyObject *lstm_rows(PyObject *module, PyObject *const *arguments, Py_ssize_t given) {
    (void)module;
    static const Wanted wanted[] = {{"table", 'f', 2, 0},     {"tokens", 'q', 1, 0},
                                    {"recurrent", 'f', 2, 0}, {"order", 'q', 1, 0},
                                    {"cell", 'f', 2, 0},      {"hidden", 'f', 2, 1},
                                    {"next_cell", 'f', 2, 1}};
    Arrays a;
    if (!expect(given, 7, "lstm") || !take(&a, arguments, wanted, 7)) return NULL;
    size_t rows = rows_of(&a, 1), before = rows_of(&a, 2), units = columns_of(&a, 4);
    if (columns_of(&a, 0) != 4 * units || rows_of(&a, 3) != rows ||
        !is_shaped(&a, 2, before, 4 * units) || !is_shaped(&a, 4, before, units) ||
        !is_shaped(&a, 5, rows, units) || !is_shaped(&a, 6, rows, units) ||
        !are_below(&a, 1, rows_of(&a, 0)) || !are_below(&a, 3, before)) {
        fail(&a, "lstm: expected table (tokens, 4 units), tokens and order (rows,) within table "
                 "and state, recurrent (before, 4 units), cell (before, units), hidden and "
                 "next_cell (rows, units)");
        return NULL;
    }
    lstm(rows, units, matrix(&a, 0), data_of(&a, 1), matrix(&a, 2), data_of(&a, 3), matrix(&a, 4),
         matrix(&a, 5), matrix(&a, 6));
    return done(&a, 1);
}

static PyObject *recur_over(PyObject *module, PyObject *const *arguments, Py_ssize_t given) {
    (void)module;
    static const Wanted wanted[] = {{"gates", 'f', 2, 0},
                                    {"start", 'q', 1, 0},
                                    {"length", 'q', 1, 0},
                                    {"out", 'f', 2, 1}};
    Arrays a;
    if (!expect(given, 6, "recur")) return NULL;
    const Layer *layer = PyCapsule_GetPointer(arguments[0], LAYER);
    int backwards = PyObject_IsTrue(arguments[5]);
    if (layer == NULL || backwards < 0 || !take(&a, arguments + 1, wanted, 4)) return NULL;
    size_t tokens = rows_of(&a, 0), units = layer->inputs, sentences = rows_of(&a, 1);
    int fits = layer->outputs == 4 * units && is_shaped(&a, 0, tokens, 4 * units) &&
               is_shaped(&a, 3, tokens, units) && lie_within(&a, 1, 2, tokens, tokens);
    const int64_t *length = data_of(&a, 2);
    /* `going_on` relies on this order. */
    for (size_t k = 1; fits && k < sentences; k++) fits = length[k] <= length[k - 1];
    if (!fits) {
        fail(&a, "recur: expected a recurrent layer, gates (tokens, 4 units), start and length "
                 "(sentences,) within them, longest first, out (tokens, units)");
        return NULL;
    }
    int has_memory;
    Py_BEGIN_ALLOW_THREADS
    has_memory = recur(layer, sentences, units, matrix(&a, 0), data_of(&a, 1), length, backwards,
                       matrix(&a, 3));
    Py_END_ALLOW_THREADS
    return done(&a, has_memory);
}

/* Whether scores (rows, heads x columns), keys or values (tokens, heads x width) and the spans fit
   together. */
static int attends(const Arrays *a, int scores, int tokens, int start, int length, int owner,
                   size_t heads) {
    /* The kernels compute the columns of a head from the stride, so rows lie without gaps. */
    size_t rows = rows_of(a, scores);
    return heads > 0 && columns_of(a, scores) % heads == 0 && columns_of(a, tokens) % heads == 0 &&
           rows_of(a, owner) == rows && are_below(a, owner, rows_of(a, start)) &&
           lie_within(a, start, length, rows_of(a, tokens), columns_of(a, scores) / heads) &&
           (rows < 2 || matrix(a, scores).stride == columns_of(a, scores));
}

static PyObject *additive(PyObject *module, PyObject *const *arguments, Py_ssize_t given) {
    (void)module;
    static const Wanted wanted[] = {
        {"query", 'f', 2, 0}, {"bias", 'f', 1, 0},   {"v", 'f', 1, 0},     {"keys", 'f', 2, 0},
        {"start", 'q', 1, 0}, {"length", 'q', 1, 0}, {"owner", 'q', 1, 0}, {"scores", 'f', 2, 1}};
    Arrays a;
    if (!expect(given, 9, "additive")) return NULL;
    size_t heads = PyLong_AsSize_t(arguments[8]);
    if (PyErr_Occurred() || !take(&a, arguments, wanted, 8)) return NULL;
    size_t rows = rows_of(&a, 7), size = columns_of(&a, 3);
    if (!attends(&a, 7, 3, 4, 5, 6, heads) || !is_shaped(&a, 0, rows, size) ||
        rows_of(&a, 1) != size || rows_of(&a, 2) != size) {
        fail(&a, "additive: expected query (rows, size), bias and v (size,), keys (tokens, size), "
                 "start and length (sentences,) within them, owner (rows,), scores (rows, heads x "
                 "longest)");
        return NULL;
    }
    float *asked = malloc(size * sizeof(float) + 1);
    if (asked != NULL)
        additive_scores(rows, heads, size / heads, matrix(&a, 0), data_of(&a, 1), data_of(&a, 2),
                        matrix(&a, 3), (Spans){data_of(&a, 4), data_of(&a, 5), data_of(&a, 6)},
                        asked, (Rows){data_of(&a, 7), columns_of(&a, 7)});
    free(asked);
    return done(&a, asked != NULL);
}

static PyObject *dot(PyObject *module, PyObject *const *arguments, Py_ssize_t given) {
    (void)module;
    static const Wanted wanted[] = {{"query", 'f', 2, 0},  {"keys", 'f', 2, 0},
                                    {"start", 'q', 1, 0},  {"length", 'q', 1, 0},
                                    {"owner", 'q', 1, 0}, {"scores", 'f', 2, 1}};
    Arrays a;
    if (!expect(given, 8, "dot")) return NULL;
    size_t heads = PyLong_AsSize_t(arguments[6]);
    double factor = PyFloat_AsDouble(arguments[7]);
    if (PyErr_Occurred() || !take(&a, arguments, wanted, 6)) return NULL;
    size_t rows = rows_of(&a, 5), size = columns_of(&a, 1);
    if (!attends(&a, 5, 1, 2, 3, 4, heads) || !is_shaped(&a, 0, rows, size)) {
        fail(&a, "dot: expected query (rows, size), keys (tokens, size), start and length "
                 "(sentences,) within them, owner (rows,), scores (rows, heads x longest)");
        return NULL;
    }
    dot_scores(rows, heads, size / heads, (float)factor, matrix(&a, 0), matrix(&a, 1),
               (Spans){data_of(&a, 2), data_of(&a, 3), data_of(&a, 4)},
               (Rows){data_of(&a, 5), columns_of(&a, 5)});
    return done(&a, 1);
}

static PyObject *read_rows(PyObject *module, PyObject *const *arguments, Py_ssize_t given) {
    (void)module;
    static const Wanted wanted[] = {{"scores", 'f', 2, 1}, {"values", 'f', 2, 0},
                                    {"start", 'q', 1, 0},  {"length", 'q', 1, 0},
                                    {"owner", 'q', 1, 0},  {"context", 'f', 2, 1}};
    Arrays a;
    if (!expect(given, 7, "read")) return NULL;
    size_t heads = PyLong_AsSize_t(arguments[6]);
    if (PyErr_Occurred() || !take(&a, arguments, wanted, 6)) return NULL;
    size_t rows = rows_of(&a, 0), size = columns_of(&a, 1);
    if (!attends(&a, 0, 1, 2, 3, 4, heads) || !is_shaped(&a, 5, rows, size)) {
        fail(&a, "read: expected scores (rows, heads x longest), values (tokens, size), start and "
                 "length (sentences,) within them, owner (rows,), context (rows, size)");
        return NULL;
    }
    read_values(rows, heads, columns_of(&a, 0) / heads, size / heads,
                (Rows){data_of(&a, 0), columns_of(&a, 0)}, matrix(&a, 1),
                (Spans){data_of(&a, 2), data_of(&a, 3), data_of(&a, 4)}, matrix(&a, 5));
    return done(&a, 1);
}

static PyObject *tanh_rows(PyObject *module, PyObject *const *arguments, Py_ssize_t given) {
    (void)module;
    static const Wanted wanted[] = {{"x", 'f', 2, 1}, {"y", 'f', 2, 0}};
    Arrays a;
    if (!expect(given, 2, "tanh_sum") || !take(&a, arguments, wanted, 2)) return NULL;
    if (!is_shaped(&a, 1, rows_of(&a, 0), columns_of(&a, 0))) {
        fail(&a, "tanh_sum: expected x and y (rows, columns)");
        return NULL;
    }
    tanh_sum(rows_of(&a, 0), columns_of(&a, 0), matrix(&a, 0), matrix(&a, 1));
    return done(&a, 1);
}

static PyObject *best_of(PyObject *module, PyObject *const *arguments, Py_ssize_t given) {
    (void)module;
    static const Wanted wanted[] = {{"x", 'f', 2, 0},     {"table", 'f', 2, 0},
                                    {"kinds", 'q', 1, 0}, {"chances", 'f', 2, 1},
                                    {"tokens", 'q', 2, 1}};
    Arrays a;
    if (!expect(given, 6, "best")) return NULL;
    const Layer *layer = PyCapsule_GetPointer(arguments[0], LAYER);
    if (layer == NULL || !take(&a, arguments + 1, wanted, 5)) return NULL;
    size_t rows = rows_of(&a, 0), count = columns_of(&a, 3);
    /* With a count above the outputs, some places of `tokens` would never be written. */
    if (!is_shaped(&a, 0, rows, layer->inputs) || !is_shaped(&a, 3, rows, count) ||
        !is_shaped(&a, 4, rows, count) || count < 1 || count > layer->outputs ||
        columns_of(&a, 1) < 1 || rows_of(&a, 2) != rows || !are_below(&a, 2, rows_of(&a, 1)) ||
        (rows > 1 && matrix(&a, 4).stride != count)) {
        fail(&a, "best: expected x (rows, inputs), table (kinds, tokens + 1), kinds (rows,) within "
                 "the table, chances and tokens (rows, count) with a count from 1 to the layer's "
                 "outputs");
        return NULL;
    }
    Bars bars = {matrix(&a, 1), columns_of(&a, 1), data_of(&a, 2)};
    int has_memory = 1;
    Py_BEGIN_ALLOW_THREADS
    if (rows > 0)
        has_memory = best(layer, rows, matrix(&a, 0), bars, count, matrix(&a, 3), data_of(&a, 4));
    Py_END_ALLOW_THREADS
    return done(&a, has_memory);
}

/* FASTCALL passes arguments as an array, without a tuple. A step of a search makes six calls. */
#define FUNCTION(name, function) {name, (PyCFunction)(void (*)(void))function, METH_FASTCALL, NULL}

PyMethodDef calls[] = {
    FUNCTION("pack", pack),
    FUNCTION("linear", linear),
    FUNCTION("lstm", lstm_rows),
    FUNCTION("recur", recur_over),
    FUNCTION("additive", additive),
    FUNCTION("dot", dot),
    FUNCTION("read", read_rows),
    FUNCTION("tanh_sum", tanh_rows),
    FUNCTION("best", best_of),
    {NULL, NULL, 0, NULL},
};

#endif

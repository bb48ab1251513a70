/* The module `longspan.inference.compression._kernels`: its stub says what each function does.

   It can be built and loaded on any processor. Where the kernels' instructions are missing,
   `supported` is its only function, so that nothing can be called that would end the process. */

#include "module.h"

/* Grows whenever the arguments of a function change; products.py says which one it calls. */
#define INTERFACE 2

static int has_instructions(void) {
#ifdef HAS_KERNELS
    __builtin_cpu_init();
    /* Also false where the operating system does not save the wide registers. */
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vnni");
#else
    return 0;
#endif
}

static PyObject *supported(PyObject *module, PyObject *none) {
    (void)module, (void)none;
    return PyBool_FromLong(has_instructions());
}

static PyMethodDef methods[] = {
    {"supported", supported, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_kernels", NULL, 0, methods,
                                        NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__kernels(void) {
    PyObject *module = PyModule_Create(&definition);
    if (module != NULL && PyModule_AddIntConstant(module, "INTERFACE", INTERFACE) < 0)
        Py_CLEAR(module);
#ifdef HAS_KERNELS
    if (module != NULL && has_instructions() && PyModule_AddFunctions(module, calls) < 0)
        Py_CLEAR(module);
#endif
    return module;
}

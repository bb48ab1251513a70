/* Declarations for module.c and calls.c. */

#ifndef LONGSPAN_MODULE_H
#define LONGSPAN_MODULE_H

#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "kernels.h"

/* The functions of the module that need the kernels' instructions. */
extern PyMethodDef calls[];

#endif

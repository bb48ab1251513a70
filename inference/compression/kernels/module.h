/* What the module's two parts share. */

#ifndef LONGSPAN_MODULE_H
#define LONGSPAN_MODULE_H

#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "kernels.h"

/* Functions that need the kernels' instructions. */
extern PyMethodDef calls[];

#endif

/* What every part of the compiled core needs: the interpreter's differences, and one question. */

#ifndef POOLWARE_COMMON_H
#define POOLWARE_COMMON_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

/* Free-threaded builds lock the object whose state a method changes; others have the interpreter lock. */
#ifdef Py_GIL_DISABLED
#define BEGIN_LOCKED(op) Py_BEGIN_CRITICAL_SECTION(op)
#define END_LOCKED() Py_END_CRITICAL_SECTION()
#else
#define BEGIN_LOCKED(op) { (void)(op);
#define END_LOCKED() }
#endif

/* Up to 3.11 an allocation may collect, which runs any code: not in the middle of something. */
#if PY_VERSION_HEX < 0x030C0000
#define BEGIN_UNCOLLECTED { int collects_ = PyGC_Disable();
#define END_UNCOLLECTED if (collects_) { (void)PyGC_Enable(); } }
#else
#define BEGIN_UNCOLLECTED {
#define END_UNCOLLECTED }
#endif

/* Whether an argument's count includes the caller's own variable: from 3.14 on it may be borrowed. */
#define ARGUMENT_SHOWS_CALLER (PY_VERSION_HEX < 0x030E0000)

/* Whether the one reference that the calling C code owns is the only one there is. */
static inline int
is_sole(PyObject *op)
{
#if PY_VERSION_HEX >= 0x030E0000
    return PyUnstable_Object_IsUniquelyReferenced(op);
#elif defined(Py_GIL_DISABLED)
    (void)op; /* counts are split between threads, and 3.13 has no official question */
    return 0;
#else
    return Py_REFCNT(op) == 1;
#endif
}

static inline PyObject **
slot_at(PyObject *op, Py_ssize_t offset)
{
    return (PyObject **)((char *)op + offset);
}

/* Store a new reference in a slot, and only then let go of what it held: that may run any code. */
static inline void
set_slot(PyObject *op, Py_ssize_t offset, PyObject *value)
{
    PyObject **slot = slot_at(op, offset);
    PyObject *old = *slot;
    *slot = value;
    Py_XDECREF(old);
}

static inline void
track(PyObject *op)
{
    if (!PyObject_GC_IsTracked(op)) {
        PyObject_GC_Track(op);
    }
}

/* Make room for one more item; -1 without memory. */
static inline int
make_room(PyObject ***items, Py_ssize_t size, Py_ssize_t *allocated)
{
    if (size < *allocated) {
        return 0;
    }
    Py_ssize_t more = size + (size >> 1) + 16;
    PyObject **moved = PyMem_Realloc(*items, more * sizeof(PyObject *));
    if (!moved) {
        return -1;
    }
    *items = moved;
    *allocated = more;
    return 0;
}

/* What one module object has: its types. Another interpreter, or the same one started anew, has types of its own. */
typedef struct {
    PyTypeObject *recyclable, *store, *lent, *tally, *cycle, *memory, *memory_store, *memory_file;
} State;

PyTypeObject *poolware_add_type(PyObject *module, PyType_Spec *spec);
PyObject *poolware_overwrite(PyObject *module, PyObject *args);
int poolware_add_stores(PyObject *module);
int poolware_add_cycle(PyObject *module);
int poolware_add_memory(PyObject *module);
int poolware_add_file(PyObject *module);

#endif

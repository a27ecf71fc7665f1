/* Where contexts are: at rest in a Store, in use in a Register. */

#ifndef POOLWARE_STORES_H
#define POOLWARE_STORES_H

#include "common.h"

/* The C part of every context: its place in the register of its pool, from 1 on; 0 while it is not lent. */
typedef struct {
    PyObject_HEAD
    Py_ssize_t place;
} Recyclable;

/* Contexts at rest, the last one in is the first one out. All but the upper few are hidden from the garbage collector,
   with their containers, and so must not refer to their pool: their home is taken out, and put back by whoever takes
   them. The upper few come and go with each request: to hide them would cost more than to show them. */
typedef struct {
    PyObject_HEAD
    PyObject **items;
    Py_ssize_t size, allocated;
    Py_ssize_t hidden; /* how many, from the bottom, are hidden */
    PyTypeObject *cls; /* of every item, or what its instances can become */
    Py_ssize_t home;   /* the offset of the slot that is cleared */
    Py_ssize_t container_count;
    Py_ssize_t *containers; /* the offsets of slots that keep emptied containers */
    char visible;      /* whether what they keep may refer to their pool: parts that users made, defaults such as types */
} Store;

/* Contexts in use. */
typedef struct {
    PyObject_HEAD
    PyObject **items;
    Py_ssize_t size, allocated;
    PyTypeObject *cls;
    PyTypeObject *base; /* Recyclable, from which `cls` has its place */
} Register;

/* Counts up from zero. */
typedef struct {
    PyObject_HEAD
    Py_ssize_t value;
} Tally;

/* Whether `obj` has exactly the slots of `cls`, so that their offsets are right for it. */
static inline int
fits(PyTypeObject *cls, PyObject *obj)
{
    PyTypeObject *type = Py_TYPE(obj);
    return type == cls
           || (PyType_IsSubtype(type, cls) && type->tp_basicsize == cls->tp_basicsize
               && type->tp_dictoffset == cls->tp_dictoffset && type->tp_weaklistoffset == cls->tp_weaklistoffset);
}

Py_ssize_t offset_in(PyTypeObject *cls, PyObject *member); /* of a slot; -1 and an error if it is none of `cls` */
int store_push(Store *self, PyObject *obj);           /* takes over the caller's reference; -1 without memory */
PyObject *store_pop(Store *self);                     /* a new reference; NULL if empty, without an error */
int register_add(Register *self, PyObject *obj);      /* -1 without memory, or if it is in use elsewhere */
int register_remove(Register *self, PyObject *obj);   /* whether it was there; takes the register's reference away */

static inline void
tally_tick(Tally *self)
{
    BEGIN_LOCKED(self)
    self->value++;
    END_LOCKED()
}

#endif

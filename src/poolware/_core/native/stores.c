/* Store, Register, Tally, and Recyclable, the base of contexts. */

#include "stores.h"

/* Take out all items and let go of them, after `leave` if it is given. What that calls may put in new ones, which stay. */
static void
let_go(PyObject *owner, PyObject ***items, Py_ssize_t *size, Py_ssize_t *allocated, void (*leave)(PyObject *))
{
    PyObject **old;
    Py_ssize_t count;
    BEGIN_LOCKED(owner)
    old = *items;
    count = *size;
    for (Py_ssize_t i = 0; leave && i < count; i++) {
        leave(old[i]);
    }
    *items = NULL;
    *size = *allocated = 0;
    END_LOCKED()
    while (count) {
        Py_DECREF(old[--count]);
    }
    PyMem_Free(old);
}

Py_ssize_t
offset_in(PyTypeObject *cls, PyObject *member)
{
    if (Py_IS_TYPE(member, &PyMemberDescr_Type) && PyType_IsSubtype(cls, PyDescr_TYPE(member))) {
        PyMemberDef *slot = ((PyMemberDescrObject *)member)->d_member;
        if (slot->type == T_OBJECT_EX && !(slot->flags & READONLY)) {
            return slot->offset;
        }
    }
    PyErr_Format(PyExc_TypeError, "%R is no slot of %s", member, cls->tp_name);
    return -1;
}

static int
without_options(PyTypeObject *type, PyObject *options)
{
    if (options && PyDict_GET_SIZE(options)) {
        PyErr_Format(PyExc_TypeError, "%s takes no keywords", type->tp_name);
        return 0;
    }
    return 1;
}

static int
is_recyclable(PyTypeObject *cls, PyTypeObject *base)
{
    if (PyType_IsSubtype(cls, base) && PyType_IS_GC(cls)) {
        return 1;
    }
    PyErr_Format(PyExc_TypeError, "%s is no class of contexts", cls->tp_name);
    return 0;
}

/* --- Recyclable --------------------------------------------------------------------------------------------------- */

static PyType_Slot recyclable_slots[] = {
    {Py_tp_doc, "The base of every context: knows its place among the contexts in use."},
    {0, NULL},
};

static PyType_Spec recyclable_spec = {
    .name = "poolware._core.compiled.Recyclable",
    .basicsize = sizeof(Recyclable),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = recyclable_slots,
};

/* --- Store -------------------------------------------------------------------------------------------------------- */

static inline int
is_container(PyObject *value)
{
    return value && (PyDict_CheckExact(value) || PyList_CheckExact(value) || PySet_CheckExact(value));
}

/* Hide a context from the collector, with its containers, unless somebody has got at them. One that cannot lead to its
   pool gives up its reference to its class too, which the store has anyway: then the collector need not even be told
   how many there are. Nobody gets at a hidden context but through its store, which shows it first. */
static void
hide(Store *self, PyObject *obj)
{
#ifdef Py_GIL_DISABLED
    return; /* nothing is reused there */
#endif
    if (!is_sole(obj)) {
        return;
    }
    if (Py_TYPE(obj) != self->cls) { /* sealed, for a variable that is gone by now */
        PyTypeObject *sealed = Py_TYPE(obj);
        Py_SET_TYPE(obj, (PyTypeObject *)Py_NewRef(self->cls));
        Py_DECREF(sealed);
    }
    for (Py_ssize_t i = 0; i < self->container_count; i++) {
        PyObject *value = *slot_at(obj, self->containers[i]);
        if (is_container(value) && is_sole(value)) {
            PyObject_GC_UnTrack(value);
        }
    }
    PyObject_GC_UnTrack(obj);
    if (!self->visible) {
        Py_DECREF(self->cls);
    }
}

/* Show a context to the collector again, if it was hidden. */
static void
show(Store *self, PyObject *obj)
{
    if (PyObject_GC_IsTracked(obj)) {
        return;
    }
    if (!self->visible) {
        Py_INCREF(self->cls);
    }
    for (Py_ssize_t i = 0; i < self->container_count; i++) {
        PyObject *value = *slot_at(obj, self->containers[i]);
        if (is_container(value)) {
            track(value);
        }
    }
    PyObject_GC_Track(obj);
}

static void
show_all(Store *self)
{
    BEGIN_LOCKED(self)
    for (Py_ssize_t i = 0; i < self->hidden; i++) {
        show(self, self->items[i]);
    }
    self->hidden = 0;
    END_LOCKED()
}

/* How many of the upper contexts are not hidden. */
#define UPPER 16

int
store_push(Store *self, PyObject *obj)
{
    int failed;
    PyObject **slot = slot_at(obj, self->home);
    PyObject *home = *slot;
    *slot = NULL;
    BEGIN_LOCKED(self)
    failed = make_room(&self->items, self->size, &self->allocated);
    if (!failed) {
        self->items[self->size++] = obj;
        if (self->size - UPPER > self->hidden) {
            hide(self, self->items[self->hidden++]);
        }
    }
    END_LOCKED()
    Py_XDECREF(home);
    if (failed) {
        PyErr_NoMemory();
        Py_DECREF(obj);
    }
    return failed;
}

PyObject *
store_pop(Store *self)
{
    PyObject *obj = NULL;
    BEGIN_LOCKED(self)
    if (self->size) {
        obj = self->items[--self->size];
        if (self->size < self->hidden) {
            self->hidden = self->size;
            show(self, obj);
        }
    }
    END_LOCKED()
    return obj;
}

static PyObject *
store_new(PyTypeObject *type, PyObject *args, PyObject *options)
{
    PyTypeObject *cls;
    PyObject *member, *containers;
    int visible;
    if (!without_options(type, options)
        || !PyArg_ParseTuple(args, "O!OpO!:Store", &PyType_Type, &cls, &member, &visible, &PyTuple_Type, &containers)
        || !is_recyclable(cls, ((State *)PyType_GetModuleState(type))->recyclable)) {
        return NULL;
    }
    Py_ssize_t home = offset_in(cls, member);
    Store *self = home < 0 ? NULL : (Store *)type->tp_alloc(type, 0);
    if (self) {
        self->cls = (PyTypeObject *)Py_NewRef(cls);
        self->home = home;
        self->visible = (char)visible;
        self->containers = PyMem_Calloc(PyTuple_GET_SIZE(containers) + 1, sizeof(Py_ssize_t));
        if (!self->containers) {
            PyErr_NoMemory();
            Py_CLEAR(self);
        }
    }
    for (Py_ssize_t i = 0; self && i < PyTuple_GET_SIZE(containers); i++) {
        Py_ssize_t offset = offset_in(cls, PyTuple_GET_ITEM(containers, i));
        if (offset < 0) {
            Py_CLEAR(self);
            break;
        }
        self->containers[self->container_count++] = offset;
    }
    return (PyObject *)self;
}

/* What a hidden item refers to, that only the store holds, the store refers to. Of one that somebody else holds nothing
   is said, so that it keeps everything alive. Where items cannot lead to their pool nothing is said of any of them. */
static int
store_traverse(Store *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->cls);
    for (Py_ssize_t i = self->visible ? 0 : self->hidden; i < self->size; i++) {
        PyObject *obj = self->items[i];
        if (PyObject_GC_IsTracked(obj)) {
            Py_VISIT(obj);
        }
        else if (Py_REFCNT(obj) == 1) {
            int stop = Py_TYPE(obj)->tp_traverse(obj, visit, arg);
            if (stop) {
                return stop;
            }
        }
    }
    return 0;
}

static int
store_tp_clear(Store *self)
{
    show_all(self);
    let_go((PyObject *)self, &self->items, &self->size, &self->allocated, NULL);
    return 0;
}

static PyObject *
store_clear(Store *self, PyObject *Py_UNUSED(ignored))
{
    store_tp_clear(self);
    Py_RETURN_NONE;
}

static void
store_dealloc(Store *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    store_tp_clear(self);
    PyMem_Free(self->containers);
    Py_XDECREF(self->cls);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *
store_append(Store *self, PyObject *obj)
{
    if (!fits(self->cls, obj)) {
        return PyErr_Format(PyExc_TypeError, "this store takes %s", self->cls->tp_name);
    }
    if (store_push(self, Py_NewRef(obj)) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
store_py_pop(Store *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *obj = store_pop(self);
    if (!obj) {
        PyErr_SetString(PyExc_IndexError, "pop from an empty store");
        return NULL;
    }
    return obj;
}

static Py_ssize_t
store_len(Store *self)
{
    return self->size;
}

static PyObject *
store_item(Store *self, Py_ssize_t index)
{
    PyObject *obj = NULL;
    BEGIN_LOCKED(self)
    if (index >= 0 && index < self->size) {
        obj = Py_NewRef(self->items[index]);
        show(self, obj); /* and stays so until it is taken, as its place counts as hidden */
    }
    END_LOCKED()
    if (!obj) {
        PyErr_SetString(PyExc_IndexError, "store index out of range");
    }
    return obj;
}

static PyMethodDef store_methods[] = {
    {"append", (PyCFunction)store_append, METH_O, "Make a context rest."},
    {"pop", (PyCFunction)store_py_pop, METH_NOARGS, "Take the last one. Raises IndexError if there is none."},
    {"clear", (PyCFunction)store_clear, METH_NOARGS, "Let go of all."},
    {NULL},
};

static PyType_Slot store_slots[] = {
    {Py_tp_doc, "Store(cls, home_member, visible, container_members): contexts at rest."},
    {Py_tp_new, store_new},
    {Py_tp_dealloc, store_dealloc},
    {Py_tp_traverse, store_traverse},
    {Py_tp_clear, store_tp_clear},
    {Py_tp_methods, store_methods},
    {Py_sq_length, store_len},
    {Py_sq_item, store_item},
    {0, NULL},
};

static PyType_Spec store_spec = {
    .name = "poolware._core.compiled.Store",
    .basicsize = sizeof(Store),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = store_slots,
};

/* --- Register ----------------------------------------------------------------------------------------------------- */

static inline int
is_registered(Register *self, PyObject *obj)
{
    if (Py_TYPE(obj) != self->cls && !PyObject_TypeCheck(obj, self->base)) {
        return 0;
    }
    Py_ssize_t place = ((Recyclable *)obj)->place;
    return place > 0 && place <= self->size && self->items[place - 1] == obj;
}

static PyObject *
register_new(PyTypeObject *type, PyObject *args, PyObject *options)
{
    PyTypeObject *cls, *base = ((State *)PyType_GetModuleState(type))->recyclable;
    if (!without_options(type, options) || !PyArg_ParseTuple(args, "O!:Register", &PyType_Type, &cls)
        || !is_recyclable(cls, base)) {
        return NULL;
    }
    Register *self = (Register *)type->tp_alloc(type, 0);
    if (self) {
        self->cls = (PyTypeObject *)Py_NewRef(cls);
        self->base = (PyTypeObject *)Py_NewRef(base);
    }
    return (PyObject *)self;
}

int
register_add(Register *self, PyObject *obj)
{
    int failed = 0;
    BEGIN_LOCKED(self)
    if (!((Recyclable *)obj)->place) {
        failed = make_room(&self->items, self->size, &self->allocated);
        if (!failed) {
            self->items[self->size++] = Py_NewRef(obj);
            ((Recyclable *)obj)->place = self->size;
        }
        else {
            PyErr_NoMemory();
        }
    }
    else if (!is_registered(self, obj)) {
        PyErr_SetString(PyExc_ValueError, "this context is in use elsewhere");
        failed = -1;
    }
    END_LOCKED()
    return failed;
}

int
register_remove(Register *self, PyObject *obj)
{
    int found;
    BEGIN_LOCKED(self)
    found = is_registered(self, obj);
    if (found) {
        Py_ssize_t place = ((Recyclable *)obj)->place;
        PyObject *last = self->items[--self->size];
        self->items[place - 1] = last;
        ((Recyclable *)last)->place = place;
        ((Recyclable *)obj)->place = 0;
    }
    END_LOCKED()
    if (found) {
        Py_DECREF(obj); /* the caller has a reference of its own */
    }
    return found;
}

static int
register_traverse(Register *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->cls);
    Py_VISIT(self->base);
    for (Py_ssize_t i = 0; i < self->size; i++) {
        Py_VISIT(self->items[i]);
    }
    return 0;
}

static void
forget_place(PyObject *obj)
{
    ((Recyclable *)obj)->place = 0;
}

static int
register_tp_clear(Register *self)
{
    let_go((PyObject *)self, &self->items, &self->size, &self->allocated, forget_place);
    return 0;
}

static PyObject *
register_clear(Register *self, PyObject *Py_UNUSED(ignored))
{
    register_tp_clear(self);
    Py_RETURN_NONE;
}

static void
register_dealloc(Register *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    register_tp_clear(self);
    Py_XDECREF(self->cls);
    Py_XDECREF(self->base);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *
register_py_add(Register *self, PyObject *obj)
{
    if (!fits(self->cls, obj)) {
        return PyErr_Format(PyExc_TypeError, "this register takes %s", self->cls->tp_name);
    }
    if (register_add(self, obj) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
register_py_remove(Register *self, PyObject *obj)
{
    if (!register_remove(self, obj)) {
        PyErr_SetObject(PyExc_KeyError, obj);
        return NULL;
    }
    Py_RETURN_NONE;
}

static Py_ssize_t
register_len(Register *self)
{
    return self->size;
}

static int
register_contains(Register *self, PyObject *obj)
{
    int found;
    BEGIN_LOCKED(self)
    found = is_registered(self, obj);
    END_LOCKED()
    return found;
}

static PyObject *
register_iter(Register *self)
{
    for (;;) {
        Py_ssize_t size = self->size;
        PyObject *list = PyList_New(size), *iterator; /* up to 3.11 this may collect, and so run any code */
        if (!list) {
            return NULL;
        }
        int same;
        BEGIN_LOCKED(self)
        same = self->size == size;
        for (Py_ssize_t i = 0; same && i < size; i++) {
            PyList_SET_ITEM(list, i, Py_NewRef(self->items[i]));
        }
        END_LOCKED()
        iterator = same ? PyObject_GetIter(list) : NULL;
        Py_DECREF(list);
        if (same) {
            return iterator;
        }
    }
}

static PyMethodDef register_methods[] = {
    {"add", (PyCFunction)register_py_add, METH_O, "Note that a context is in use."},
    {"remove", (PyCFunction)register_py_remove, METH_O, "Raises KeyError if it is not in use here."},
    {"clear", (PyCFunction)register_clear, METH_NOARGS, "Forget all."},
    {NULL},
};

static PyType_Slot register_slots[] = {
    {Py_tp_doc, "Register(cls): contexts in use."},
    {Py_tp_new, register_new},
    {Py_tp_dealloc, register_dealloc},
    {Py_tp_traverse, register_traverse},
    {Py_tp_clear, register_tp_clear},
    {Py_tp_methods, register_methods},
    {Py_tp_iter, register_iter},
    {Py_sq_length, register_len},
    {Py_sq_contains, register_contains},
    {0, NULL},
};

static PyType_Spec register_spec = {
    .name = "poolware._core.compiled.Register",
    .basicsize = sizeof(Register),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = register_slots,
};

/* --- Tally -------------------------------------------------------------------------------------------------------- */

static PyObject *
tally_new(PyTypeObject *type, PyObject *args, PyObject *options)
{
    return without_options(type, options) && PyArg_ParseTuple(args, ":Tally") ? type->tp_alloc(type, 0) : NULL;
}

static PyObject *
tally_py_tick(Tally *self, PyObject *Py_UNUSED(ignored))
{
    tally_tick(self);
    Py_RETURN_NONE;
}

static PyMethodDef tally_methods[] = {
    {"tick", (PyCFunction)tally_py_tick, METH_NOARGS, "Count one."},
    {NULL},
};

static PyMemberDef tally_members[] = {
    {"value", T_PYSSIZET, offsetof(Tally, value), READONLY, "How often tick was called."},
    {NULL},
};

static PyType_Slot tally_slots[] = {
    {Py_tp_doc, "Tally(): counts up from zero."},
    {Py_tp_new, tally_new},
    {Py_tp_methods, tally_methods},
    {Py_tp_members, tally_members},
    {0, NULL},
};

static PyType_Spec tally_spec = {
    .name = "poolware._core.compiled.Tally",
    .basicsize = sizeof(Tally),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = tally_slots,
};

/* ------------------------------------------------------------------------------------------------------------------ */

int
poolware_add_stores(PyObject *module)
{
    State *state = PyModule_GetState(module);
    return (state->recyclable = poolware_add_type(module, &recyclable_spec))
                   && (state->store = poolware_add_type(module, &store_spec))
                   && (state->lent = poolware_add_type(module, &register_spec))
                   && (state->tally = poolware_add_type(module, &tally_spec))
               ? 0
               : -1;
}

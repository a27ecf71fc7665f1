/* The hot path: acquire, release, begin and finish. The plain twin, in cycle.py, says what each step is for. */

#include "stores.h"
#include <time.h>

typedef enum { VALUE, REBUILT, CONTAINER, VOUCHED, SECRET } Kind;

/* A slot of the context class that only needs to be set back. */
typedef struct {
    Py_ssize_t offset;
    PyObject *rest;
} Plain;

/* A slot with more to do, in the order of resetting. */
typedef struct {
    Py_ssize_t offset;
    Kind kind;
    char sensitive;
    char overwrite;    /* VALUE: a str or bytes that nobody else holds is filled with zeros */
    PyObject *rest;    /* VALUE: what it rests at */
    PyObject *factory; /* the others but SECRET */
    PyObject *reset;   /* VOUCHED */
} Slot;

/* The pool's own functions, by the names under which the plain twin knows them. */
static const char *const NAMES[] = {"build", "doubt", "refuse", "retire", "spoilt", "keep", "scrub", "give_back", "drop"};
enum { BUILD, DOUBT, REFUSE, RETIRE, SPOILT, KEEP, SCRUB, GIVE_BACK, DROP, NAME_COUNT };

typedef struct {
    PyObject_HEAD
    Store *idle;
    Register *lent;
    Tally *acquired;
    PyTypeObject *cls, *sealed;
    PyObject *home, *key;
    PyObject *call[NAME_COUNT]; /* NULL once the collector has taken the pool apart, and DROP where contexts are kept */
    Py_ssize_t home_at, lent_at, carrier_at, started_at; /* started_at is 0 in a class that serves no requests */
    char keeps, vouches;
    Py_ssize_t count, plain_count;
    Slot *slots;
    Plain *plain;
} Cycle;

static PyDictKeysObject *no_keys; /* what every dict has that never had an item */

/* --- parts -------------------------------------------------------------------------------------------------------- */

static PyObject *
new_container(PyObject *factory)
{
    if (factory == (PyObject *)&PyDict_Type) {
        return PyDict_New();
    }
    return factory == (PyObject *)&PyList_Type ? PyList_New(0) : PySet_New(NULL);
}

/* Whether a container is of its factory's exact type and known to nobody else, by weak reference either. */
static inline int
is_own(Slot *slot, PyObject *part)
{
    if ((PyObject *)Py_TYPE(part) != slot->factory || !is_sole(part)) {
        return 0;
    }
    return !PySet_CheckExact(part) || !((PySetObject *)part)->weakreflist;
}

/* Whether a container has items, or memory that it had for items. */
static inline int
is_used(PyObject *container)
{
    if (PyDict_CheckExact(container)) {
        return ((PyDictObject *)container)->ma_keys != no_keys;
    }
    if (PyList_CheckExact(container)) {
        return ((PyListObject *)container)->ob_item != NULL;
    }
    PySetObject *set = (PySetObject *)container;
    return set->fill || set->table != set->smalltable;
}

static void
empty(PyObject *container)
{
    if (PyDict_CheckExact(container)) {
        PyDict_Clear(container);
    }
    else if (PyList_CheckExact(container)) {
        (void)PyList_SetSlice(container, 0, PyList_GET_SIZE(container), NULL);
    }
    else {
        (void)PySet_Clear(container);
    }
}

/* Empty a container that is its context's own, and hide it from the collector; 0 if it is not to be kept. */
static int
keep_emptied(Slot *slot, PyObject **place)
{
    PyObject *part = *place;
    if (!is_own(slot, part)) {
        return 0;
    }
    if (is_used(part)) {
        Py_INCREF(part); /* a finalizer of what was in it may take it away */
        empty(part);
        int stays = *place == part;
        Py_DECREF(part);
        if (!stays || !is_own(slot, part) || is_used(part)) { /* or find it */
            return 0;
        }
    }
    return 1;
}

/* Call one of the pool's own functions. It is held meanwhile: whatever it calls may let go of the pool. */
static PyObject *
ask(Cycle *self, int which, PyObject *const *args, size_t count)
{
    PyObject *function = self->call[which];
    if (!function) {
        PyErr_SetString(PyExc_RuntimeError, "the pool of this context is gone");
        return NULL;
    }
    Py_INCREF(function);
    PyObject *result = PyObject_Vectorcall(function, args, count, NULL);
    Py_DECREF(function);
    return result;
}

static int
tell(Cycle *self, int which, PyObject *obj)
{
    PyObject *result = ask(self, which, &obj, 1);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

/* --- checking, preparing, resetting ------------------------------------------------------------------------------- */

static inline int
is_pristine(Cycle *self, PyObject *obj)
{
    if (*slot_at(obj, self->home_at) || *slot_at(obj, self->lent_at) != Py_None) {
        return 0;
    }
    for (Plain *slot = self->plain, *end = slot + self->plain_count; slot < end; slot++) {
        if (*slot_at(obj, slot->offset) != slot->rest) {
            return 0;
        }
    }
    for (Slot *slot = self->slots, *end = slot + self->count; slot < end; slot++) {
        PyObject *value = *slot_at(obj, slot->offset);
        switch (slot->kind) {
        case VALUE:
            if (value != slot->rest) {
                return 0;
            }
            break;
        case CONTAINER:
            if (value != Py_None && (!value || !is_own(slot, value) || is_used(value))) {
                return 0;
            }
            break;
        case VOUCHED:
            break;
        default:
            if (value != Py_None) {
                return 0;
            }
        }
    }
    return 1;
}

/* Build what a request finds new, and show the collector what it has to see again. */
static inline int
prepare(Cycle *self, PyObject *obj)
{
    for (Slot *slot = self->slots, *end = slot + self->count; slot < end; slot++) {
        if (slot->kind == VALUE || slot->kind == SECRET) {
            continue;
        }
        PyObject *value = *slot_at(obj, slot->offset);
        if (slot->kind == CONTAINER && value && (PyObject *)Py_TYPE(value) == slot->factory) {
            continue;
        }
        if (slot->kind == VOUCHED && value && value != Py_None && is_sole(value)) {
            continue;
        }
        value = slot->kind == CONTAINER ? new_container(slot->factory) : PyObject_CallNoArgs(slot->factory);
        if (!value) {
            return -1;
        }
        set_slot(obj, slot->offset, value);
    }
    set_slot(obj, self->home_at, Py_NewRef(self->home));
    return 0;
}

/* Fill a str or bytes with zeros that only its slot holds, and that is about to go. */
static void
overwrite(PyObject *value)
{
    if (!value || !is_sole(value)) {
        return;
    }
    if (PyBytes_CheckExact(value)) {
        memset(PyBytes_AS_STRING(value), 0, PyBytes_GET_SIZE(value));
    }
    else if (PyUnicode_CheckExact(value) && PyUnicode_IS_COMPACT(value) && !PyUnicode_CHECK_INTERNED(value)) {
        memset(PyUnicode_DATA(value), 0, PyUnicode_GET_LENGTH(value) * PyUnicode_KIND(value));
        if (!PyUnicode_IS_COMPACT_ASCII(value)) {
            PyCompactUnicodeObject *text = (PyCompactUnicodeObject *)value;
            if (text->utf8) {
                memset(text->utf8, 0, text->utf8_length);
            }
        }
    }
}

PyObject *
poolware_overwrite(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *obj, *member;
    if (!PyArg_ParseTuple(args, "OO:overwrite", &obj, &member)) {
        return NULL;
    }
    Py_ssize_t offset = offset_in(Py_TYPE(obj), member);
    if (offset < 0) {
        return NULL;
    }
    overwrite(*slot_at(obj, offset));
    Py_RETURN_NONE;
}

static int
reset_vouched(Cycle *self, PyObject *obj, Slot *slot)
{
    PyObject *part = *slot_at(obj, slot->offset);
    PyObject *sole = is_sole(part) ? Py_True : Py_False;
    PyObject *args[] = {sole, Py_NewRef(part), slot->factory, slot->reset};
    PyObject *kept = ask(self, KEEP, args, 4);
    Py_DECREF(part);
    if (!kept) {
        return -1;
    }
    set_slot(obj, slot->offset, kept);
    return 0;
}

static int
reset_slot(Cycle *self, PyObject *obj, Slot *slot)
{
    PyObject **place = slot_at(obj, slot->offset);
    if (slot->kind == CONTAINER && *place && keep_emptied(slot, place)) {
        return 0;
    }
    PyObject *value = *place;
    if (!value && (slot->sensitive || slot->kind == VOUCHED || slot->kind == SECRET)) {
        PyErr_SetString(PyExc_AttributeError, "a field was deleted");
        return -1;
    }
    if (slot->kind == VOUCHED) {
        return reset_vouched(self, obj, slot);
    }
    if (slot->sensitive || slot->kind == SECRET) {
        PyObject *held = Py_NewRef(value), *result;
        if (slot->kind == SECRET) {
            result = PyObject_CallMethod(held, "_retire", NULL);
        }
        else {
            result = ask(self, SCRUB, &held, 1);
        }
        Py_DECREF(held);
        if (!result) {
            return -1;
        }
        Py_DECREF(result);
    }
    if (slot->overwrite) {
        overwrite(*place);
    }
    set_slot(obj, slot->offset, Py_NewRef(slot->kind == VALUE ? slot->rest : Py_None));
    return 0;
}

static inline int
reset(Cycle *self, PyObject *obj)
{
    if (*slot_at(obj, self->lent_at) != Py_None && tell(self, GIVE_BACK, obj) < 0) {
        return -1;
    }
    for (Slot *slot = self->slots, *end = slot + self->count; slot < end; slot++) {
        PyObject *value = *slot_at(obj, slot->offset);
        if (value != (slot->kind == VALUE ? slot->rest : Py_None) && reset_slot(self, obj, slot) < 0) {
            return -1;
        }
    }
    for (Plain *slot = self->plain, *end = slot + self->plain_count; slot < end; slot++) {
        if (*slot_at(obj, slot->offset) != slot->rest) {
            set_slot(obj, slot->offset, Py_NewRef(slot->rest));
        }
    }
    return 0;
}

/* The error that was raised, with its traceback; it is raised no more. */
static PyObject *
take_error(void)
{
#if PY_VERSION_HEX >= 0x030C0000
    return PyErr_GetRaisedException();
#else
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    PyErr_NormalizeException(&type, &error, &traceback);
    if (traceback) {
        PyException_SetTraceback(error, traceback);
    }
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return error;
#endif
}

/* Takes over the reference. */
static void
raise_again(PyObject *error)
{
#if PY_VERSION_HEX >= 0x030C0000
    PyErr_SetRaisedException(error);
#else
    PyErr_Restore(Py_NewRef(Py_TYPE(error)), error, PyException_GetTraceback(error));
#endif
}

/* Let the pool end a context whose reset raised; -1 if the error is to go on. As in an except block: what is raised
   meanwhile has the error for its context. */
static int
end_spoilt(Cycle *self, PyObject *obj)
{
    PyObject *error = take_error(), *handled = PyErr_GetHandledException();
    PyErr_SetHandledException(error);
    PyObject *args[] = {obj, error}, *raise_on = ask(self, SPOILT, args, 2);
    PyErr_SetHandledException(handled);
    Py_XDECREF(handled);
    int again = raise_on ? PyObject_IsTrue(raise_on) : -1;
    Py_XDECREF(raise_on);
    if (again > 0) {
        raise_again(error);
        return -1;
    }
    Py_DECREF(error);
    return again;
}

/* Change an object's class to another with the same slots. */
static inline void
set_type(PyObject *obj, PyTypeObject *type)
{
    PyTypeObject *old = Py_TYPE(obj);
    if (old != type) {
        Py_INCREF(type);
        Py_SET_TYPE(obj, type);
        Py_DECREF(old);
    }
}

/* Make a context rest that is as good as new; takes over the reference. */
static int
rest(Cycle *self, PyObject *obj)
{
    if (self->keeps) {
        return store_push(self->idle, obj);
    }
    int failed = tell(self, DROP, obj);
    Py_DECREF(obj);
    return failed;
}

/* Take over the pool's own functions, in place of those it may have. */
static int
fill_calls(Cycle *self, PyObject *calls)
{
    PyObject *call[NAME_COUNT];
    for (int i = 0; i < NAME_COUNT; i++) {
        call[i] = PyDict_GetItemString(calls, NAMES[i]);
        if (i == DROP && (!call[i] || call[i] == Py_None)) {
            call[i] = NULL;
        }
        else if (!call[i] || !PyCallable_Check(call[i])) {
            PyErr_Format(PyExc_TypeError, "%s must be a function", NAMES[i]);
            return -1;
        }
    }
    for (int i = 0; i < NAME_COUNT; i++) {
        PyObject *before = self->call[i];
        self->call[i] = Py_XNewRef(call[i]);
        if (i == DROP) {
            self->keeps = !call[DROP];
        }
        Py_XDECREF(before);
    }
    return 0;
}

/* Whether contexts of this class rest in `idle`; raises if not. */
static int
is_ours(Cycle *self, Store *idle)
{
    if (idle->cls != self->cls) {
        PyErr_Format(PyExc_TypeError, "a store of %s", self->cls->tp_name);
        return 0;
    }
    return 1;
}

/* --- the four functions ------------------------------------------------------------------------------------------- */

/* `build` is called where `idle` has nothing to lend; NULL for the pool's own. */
static inline PyObject *
acquire_from(Cycle *self, Store *idle, PyObject *build)
{
    for (;;) {
        PyObject *obj = store_pop(idle);
        if (!obj) {
            return build ? PyObject_CallNoArgs(build) : ask(self, BUILD, NULL, 0);
        }
        if (is_sole(obj)) {
            set_type(obj, self->cls);
            if (is_pristine(self, obj)) {
                if (prepare(self, obj) < 0 || register_add(self->lent, obj) < 0) {
                    Py_DECREF(obj);
                    return NULL;
                }
                tally_tick(self->acquired);
                return obj;
            }
        }
        int failed = tell(self, DOUBT, obj);
        Py_DECREF(obj);
        if (failed) {
            return NULL;
        }
    }
}

static PyObject *
cycle_acquire(Cycle *self, PyObject *Py_UNUSED(ignored))
{
    return acquire_from(self, self->idle, NULL);
}

static PyObject *
cycle_release(Cycle *self, PyObject *obj)
{
    if (!register_remove(self->lent, obj)) {
        return ask(self, REFUSE, &obj, 1);
    }
    Py_ssize_t others = ARGUMENT_SHOWS_CALLER ? Py_REFCNT(obj) - 1 : 1;
    if (others > (self->vouches ? 0 : 1)) {
        return ask(self, RETIRE, &obj, 1);
    }
    if (reset(self, obj) < 0) {
        if (end_spoilt(self, obj) < 0) {
            return NULL;
        }
        Py_RETURN_NONE;
    }
    if (others) {
        set_type(obj, self->sealed);
    }
    if (rest(self, Py_NewRef(obj)) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
refuse_requests(void)
{
    PyErr_SetString(PyExc_TypeError, "only a pool of request contexts begins and finishes requests");
    return NULL;
}

static PyObject *
cycle_begin(Cycle *self, PyObject *carrier)
{
    struct timespec now;
    if (!self->started_at) {
        return refuse_requests();
    }
    PyObject *obj = cycle_acquire(self, NULL);
    if (!obj) {
        return NULL;
    }
    if (!fits(self->cls, obj)) {
        Py_DECREF(obj);
        return PyErr_Format(PyExc_TypeError, "build() must return a %s", self->cls->tp_name);
    }
    timespec_get(&now, TIME_UTC);
    PyObject *started = PyFloat_FromDouble((double)now.tv_sec + 1e-9 * (double)now.tv_nsec);
    if (!started) {
        Py_DECREF(obj);
        return NULL;
    }
    int failed = PyDict_CheckExact(carrier) ? PyDict_SetItem(carrier, self->key, obj)
                                            : PyObject_SetItem(carrier, self->key, obj);
    if (failed) {
        Py_DECREF(started);
        Py_DECREF(obj);
        return NULL;
    }
    set_slot(obj, self->carrier_at, Py_NewRef(carrier));
    set_slot(obj, self->started_at, started);
    return obj;
}

/* Take the context out of its scope or environ: a new reference; None if there is none. */
static PyObject *
take_out(Cycle *self, PyObject *carrier)
{
    if (!PyDict_CheckExact(carrier)) {
        return PyObject_CallMethod(carrier, "pop", "OO", self->key, Py_None);
    }
#if PY_VERSION_HEX >= 0x030D0000
    PyObject *obj = NULL;
    return PyDict_Pop(carrier, self->key, &obj) ? obj : Py_NewRef(Py_None);
#else
    return _PyDict_Pop(carrier, self->key, Py_None); /* in one step, as another key's __eq__ may run any code */
#endif
}

static PyObject *
cycle_finish(Cycle *self, PyObject *carrier)
{
    PyObject *obj = take_out(self, carrier);
    if (!obj || obj == Py_None) {
        return obj;
    }
    PyObject *result = NULL;
    if (!register_remove(self->lent, obj)) {
        result = ask(self, REFUSE, &obj, 1);
    }
    else if (!is_sole(obj)) {
        result = ask(self, RETIRE, &obj, 1);
    }
    else if (reset(self, obj) < 0) {
        result = end_spoilt(self, obj) < 0 ? NULL : Py_NewRef(Py_None);
    }
    else {
        if (rest(self, obj) < 0) {
            return NULL;
        }
        Py_RETURN_NONE;
    }
    Py_DECREF(obj);
    return result;
}

static PyObject *
cycle_fill(Cycle *self, PyObject *obj)
{
    if (!fits(self->cls, obj)) {
        return PyErr_Format(PyExc_TypeError, "fill() takes a new %s", self->cls->tp_name);
    }
    for (Slot *slot = self->slots, *end = slot + self->count; slot < end; slot++) {
        PyObject *value = Py_None;
        if (slot->kind == VALUE) {
            value = slot->rest;
        }
        set_slot(obj, slot->offset, Py_NewRef(value));
    }
    for (Plain *slot = self->plain, *end = slot + self->plain_count; slot < end; slot++) {
        set_slot(obj, slot->offset, Py_NewRef(slot->rest));
    }
    set_slot(obj, self->lent_at, Py_NewRef(Py_None)); /* which give_back alone empties later */
    if (prepare(self, obj) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
cycle_take(Cycle *self, PyObject *args)
{
    PyObject *idle, *build;
    if (!PyArg_ParseTuple(args, "O!O:take", Py_TYPE(self->idle), &idle, &build) || !is_ours(self, (Store *)idle)) {
        return NULL;
    }
    return acquire_from(self, (Store *)idle, build);
}

static PyObject *
cycle_redirect(Cycle *self, PyObject *args)
{
    PyObject *idle, *calls;
    if (!PyArg_ParseTuple(args, "O!O!:redirect", Py_TYPE(self->idle), &idle, &PyDict_Type, &calls)
        || !is_ours(self, (Store *)idle) || fill_calls(self, calls) < 0) {
        return NULL;
    }
    Store *before = self->idle;
    self->idle = (Store *)Py_NewRef(idle);
    Py_DECREF(before);
    Py_RETURN_NONE;
}

/* --- making a cycle ----------------------------------------------------------------------------------------------- */

static int
fill_slot(Cycle *self, PyObject *row)
{
    int kind, sensitive, overwrite, borrowed;
    PyObject *member, *rest, *factory, *reset;
    if (!PyTuple_Check(row)) {
        PyErr_SetString(PyExc_TypeError, "a slot is described by a tuple");
        return -1;
    }
    if (!PyArg_ParseTuple(row, "OiOOOppp", &member, &kind, &rest, &factory, &reset, &sensitive, &overwrite,
                          &borrowed)) {
        return -1;
    }
    int contained = factory == (PyObject *)&PyDict_Type || factory == (PyObject *)&PyList_Type
                    || factory == (PyObject *)&PySet_Type;
    if (kind < VALUE || kind > SECRET || (kind == CONTAINER && !contained)) {
        PyErr_SetString(PyExc_ValueError, "unknown kind of slot");
        return -1;
    }
    Py_ssize_t offset = offset_in(self->cls, member);
    if (offset < 0) {
        return -1;
    }
    if (borrowed) {
        return 0;
    }
    if (kind == VALUE && !sensitive) {
        self->plain[self->plain_count++] = (Plain){offset, Py_NewRef(rest)};
        return 0;
    }
    Slot *slot = &self->slots[self->count++];
    slot->offset = offset;
    slot->rest = Py_NewRef(rest);
    slot->factory = Py_NewRef(factory);
    slot->reset = Py_NewRef(reset);
    slot->kind = kind;
    slot->sensitive = (char)sensitive;
    slot->overwrite = (char)overwrite;
    self->vouches |= kind == VOUCHED;
    return 0;
}

static int
fill_slots(Cycle *self, PyObject *rows)
{
    self->slots = PyMem_Calloc(PyTuple_GET_SIZE(rows) + 1, sizeof(Slot));
    self->plain = PyMem_Calloc(PyTuple_GET_SIZE(rows) + 1, sizeof(Plain));
    if (!self->slots || !self->plain) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(rows); i++) {
        if (fill_slot(self, PyTuple_GET_ITEM(rows, i)) < 0) {
            return -1;
        }
    }
    return 0;
}


static int
find(Cycle *self, PyObject *members, const char *name, Py_ssize_t *offset)
{
    PyObject *member = PyDict_GetItemString(members, name);
    *offset = offset_in(self->cls, member ? member : Py_None);
    return *offset < 0 ? -1 : 0;
}

static int
find_offsets(Cycle *self, PyObject *members)
{
    if (find(self, members, "_home", &self->home_at) < 0 || find(self, members, "_lent", &self->lent_at) < 0
        || find(self, members, "_carrier", &self->carrier_at) < 0) {
        return -1;
    }
    return PyDict_GetItemString(members, "started_at") ? find(self, members, "started_at", &self->started_at) : 0;
}

/* Whether the parts are of the same class of contexts, and a sealed context can become an open one again. */
static int
belong_together(Store *idle, Register *lent, PyTypeObject *cls, PyTypeObject *sealed)
{
    if (idle->cls == cls && lent->cls == cls && PyType_IsSubtype(sealed, cls)
        && sealed->tp_basicsize == cls->tp_basicsize) {
        return 1;
    }
    PyErr_Format(PyExc_TypeError, "the parts of a cycle must all be of %s", cls->tp_name);
    return 0;
}

static PyObject *
cycle_new(PyTypeObject *type, PyObject *args, PyObject *options)
{
    State *state = PyType_GetModuleState(type);
    PyObject *idle, *lent, *acquired, *cls, *sealed, *home, *key, *members, *rows, *calls;
    if (options && PyDict_GET_SIZE(options)) {
        return PyErr_Format(PyExc_TypeError, "%s takes no keywords", type->tp_name);
    }
    if (!PyArg_ParseTuple(args, "O!O!O!O!O!OUO!O!O!:Cycle", state->store, &idle, state->lent, &lent, state->tally,
                          &acquired, &PyType_Type, &cls, &PyType_Type, &sealed, &home, &key, &PyDict_Type, &members,
                          &PyTuple_Type, &rows, &PyDict_Type, &calls)
        || !belong_together((Store *)idle, (Register *)lent, (PyTypeObject *)cls, (PyTypeObject *)sealed)) {
        return NULL;
    }
    Cycle *self = (Cycle *)type->tp_alloc(type, 0);
    if (!self) {
        return NULL;
    }
    self->idle = (Store *)Py_NewRef(idle);
    self->lent = (Register *)Py_NewRef(lent);
    self->acquired = (Tally *)Py_NewRef(acquired);
    self->cls = (PyTypeObject *)Py_NewRef(cls);
    self->sealed = (PyTypeObject *)Py_NewRef(sealed);
    self->home = Py_NewRef(home);
    self->key = Py_NewRef(key);
    if (fill_calls(self, calls) < 0 || find_offsets(self, members) < 0 || fill_slots(self, rows) < 0) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static int
cycle_traverse(Cycle *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->idle);
    Py_VISIT(self->lent);
    Py_VISIT(self->cls);
    Py_VISIT(self->sealed);
    Py_VISIT(self->home);
    for (int i = 0; i < NAME_COUNT; i++) {
        Py_VISIT(self->call[i]);
    }
    for (Py_ssize_t i = 0; i < self->count; i++) {
        Py_VISIT(self->slots[i].rest);
        Py_VISIT(self->slots[i].factory);
        Py_VISIT(self->slots[i].reset);
    }
    for (Py_ssize_t i = 0; i < self->plain_count; i++) {
        Py_VISIT(self->plain[i].rest);
    }
    return 0;
}

/* Only what leads back here, and what the functions above can do without: they may still be called. */
static int
cycle_clear(Cycle *self)
{
    PyObject *home = self->home;
    self->home = Py_NewRef(Py_None);
    Py_XDECREF(home);
    for (int i = 0; i < NAME_COUNT; i++) {
        Py_CLEAR(self->call[i]);
    }
    return 0;
}

static void
cycle_dealloc(Cycle *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    (void)cycle_clear(self);
    Py_XDECREF(self->home);
    Py_XDECREF(self->idle);
    Py_XDECREF(self->lent);
    Py_XDECREF(self->acquired);
    Py_XDECREF(self->cls);
    Py_XDECREF(self->sealed);
    Py_XDECREF(self->key);
    for (Py_ssize_t i = 0; i < self->count; i++) {
        Py_XDECREF(self->slots[i].rest);
        Py_XDECREF(self->slots[i].factory);
        Py_XDECREF(self->slots[i].reset);
    }
    for (Py_ssize_t i = 0; i < self->plain_count; i++) {
        Py_DECREF(self->plain[i].rest);
    }
    PyMem_Free(self->slots);
    PyMem_Free(self->plain);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef cycle_methods[] = {
    {"acquire", (PyCFunction)cycle_acquire, METH_NOARGS, "Lend a context that nobody else holds, pristine."},
    {"release", (PyCFunction)cycle_release, METH_O, "Take a context back."},
    {"begin", (PyCFunction)cycle_begin, METH_O, "Place a pristine context in a scope or environ, and return it."},
    {"finish", (PyCFunction)cycle_finish, METH_O, "Take the context out of a scope or environ, and back."},
    {"take", (PyCFunction)cycle_take, METH_VARARGS, "Lend a context from a store, or what a function builds."},
    {"redirect", (PyCFunction)cycle_redirect, METH_VARARGS, "Use another store and other functions."},
    {"fill", (PyCFunction)cycle_fill, METH_O, "Give a new context its fields."},
    {NULL},
};

static PyType_Slot cycle_slots[] = {
    {Py_tp_doc, "The hot path of one pool of contexts."},
    {Py_tp_new, cycle_new},
    {Py_tp_dealloc, cycle_dealloc},
    {Py_tp_traverse, cycle_traverse},
    {Py_tp_clear, cycle_clear},
    {Py_tp_methods, cycle_methods},
    {0, NULL},
};

static PyType_Spec cycle_spec = {
    .name = "poolware._core.compiled.Cycle",
    .basicsize = sizeof(Cycle),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = cycle_slots,
};

int
poolware_add_cycle(PyObject *module)
{
    PyObject *dict = PyDict_New();
    if (!dict) {
        return -1;
    }
    no_keys = ((PyDictObject *)dict)->ma_keys;
    Py_DECREF(dict);
    State *state = PyModule_GetState(module);
    return (state->cycle = poolware_add_type(module, &cycle_spec)) ? 0 : -1;
}

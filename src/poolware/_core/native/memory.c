/* Memory and MemoryStore. The plain twin, in memory_store.py, says what each step is for. */

#include "memory.h"
#include <stddef.h>

/* --- Memory ------------------------------------------------------------------------------------------------------- */

static int store_rest(MemoryStore *self, Memory *memory);

static Memory *
new_memory(PyTypeObject *type, Py_ssize_t size)
{
    Memory *self;
    BEGIN_UNCOLLECTED
    self = (Memory *)type->tp_alloc(type, 0);
    END_UNCOLLECTED
    if (!self) {
        return NULL;
    }
    PyObject_GC_UnTrack(self);
    self->bytes = PyMem_RawCalloc(size ? size : 1, 1);
    if (!self->bytes) {
        Py_DECREF(self);
        PyErr_NoMemory();
        return NULL;
    }
    self->size = size;
    return self;
}

static int
memory_export(Memory *self, Py_buffer *view, int flags)
{
    if (PyBuffer_FillInfo(view, (PyObject *)self, self->bytes, self->size, 0, flags) < 0) {
        return -1;
    }
    BEGIN_LOCKED(self)
    self->exports++;
    self->high = self->size; /* it may be written to anywhere */
    END_LOCKED()
    return 0;
}

static void
memory_unexport(Memory *self, Py_buffer *Py_UNUSED(view))
{
    BEGIN_LOCKED(self)
    self->exports--;
    END_LOCKED()
}

/* Nobody refers to it any more: from quarantine it goes home, as a new object at the same place. */
static void
memory_dealloc(Memory *self)
{
    PyTypeObject *type = Py_TYPE(self);
    MemoryStore *home = self->home;
    PyObject_GC_UnTrack(self);
    if (!home) {
        PyMem_RawFree(self->bytes);
        type->tp_free(self);
        Py_DECREF(type);
        return;
    }
    self->home = NULL;
    (void)PyObject_Init((PyObject *)self, type);
    Py_DECREF(type); /* it has had one */
    int kept = 0;
    BEGIN_LOCKED(home)
    if (self->generation == home->generation) {
        home->quarantined--;
        kept = store_rest(home, self);
    }
    else if (home->wipe != WIPE_NONE) { /* from before a fork */
        memset(self->bytes, 0, self->size);
    }
    END_LOCKED()
    if (!kept) {
        Py_DECREF(self);
    }
    Py_DECREF(home);
}

static int
memory_traverse(Memory *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->home);
    return 0;
}

static Py_ssize_t
memory_len(Memory *self)
{
    return self->size;
}

static PyType_Slot memory_slots[] = {
    {Py_tp_doc, "Memory that a MemoryStore lends."},
    {Py_tp_dealloc, memory_dealloc},
    {Py_tp_traverse, memory_traverse},
    {Py_sq_length, memory_len},
    {Py_bf_getbuffer, memory_export},
    {Py_bf_releasebuffer, memory_unexport},
    {0, NULL},
};

static PyType_Spec memory_spec = {
    .name = "poolware._core.compiled.Memory",
    .basicsize = sizeof(Memory),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = memory_slots,
};

/* --- MemoryStore: memory ------------------------------------------------------------------------------------------ */

/* The smallest tier in which `size` bytes fit; NULL if there is none. */
static inline Tier *
tier_for(MemoryStore *self, Py_ssize_t size)
{
    for (Tier *tier = self->tiers, *end = tier + self->tier_count; tier < end; tier++) {
        if (size <= tier->size) {
            return tier;
        }
    }
    return NULL;
}

/* Have memory come home when its last holder lets go of it; takes over the reference. Only meanwhile does the collector
   see it: a view that its own store's pool keeps keeps neither alive. */
static void
quarantine(MemoryStore *self, Memory *memory)
{
    self->quarantined++;
    memory->generation = self->generation;
    memory->home = (MemoryStore *)Py_NewRef(self);
    PyObject_GC_Track(memory);
    Py_DECREF(memory);
}

Memory *
store_take(MemoryStore *self, Py_ssize_t size)
{
    Memory *memory = NULL;
    Tier *tier = tier_for(self, size);
    BEGIN_LOCKED(self)
    while (!memory && tier && tier->count) {
        memory = (Memory *)tier->items[--tier->count];
        self->idle_bytes -= tier->size;
        if (!is_sole((PyObject *)memory)) { /* somebody has got at it while it rested */
            quarantine(self, memory);
            memory = NULL;
        }
    }
    self->bytes_saved += memory ? memory->size : 0;
    END_LOCKED()
    if (memory) {
        return memory;
    }
    memory = new_memory(self->memory_type, tier ? tier->size : size);
    if (memory) {
        BEGIN_LOCKED(self)
        self->created++;
        self->misses++;
        END_LOCKED()
    }
    return memory;
}

/* Wipe memory to which nobody else refers, and keep it, with the reference, if there is room; whether it was kept. */
static int
store_rest(MemoryStore *self, Memory *memory)
{
    if (self->wipe != WIPE_NONE) {
        memset(memory->bytes, 0, self->wipe == WIPE_FULL ? memory->size : memory->high);
    }
    memory->high = 0;
    Tier *tier = tier_for(self, memory->size);
    if (!tier || tier->size != memory->size || !self->reuse || tier->count >= self->max_idle
        || self->idle_bytes + memory->size > self->max_idle_bytes
        || make_room(&tier->items, tier->count, &tier->allocated) < 0) {
        self->dropped++;
        return 0;
    }
    tier->items[tier->count++] = (PyObject *)memory;
    self->idle_bytes += memory->size;
    return 1;
}

void
store_put_back(MemoryStore *self, Memory *memory)
{
    BEGIN_LOCKED(self)
    if (!is_sole((PyObject *)memory)) {
        quarantine(self, memory);
    }
    else if (!store_rest(self, memory)) {
        Py_DECREF(memory);
    }
    END_LOCKED()
}

Memory *
store_larger(MemoryStore *self, Py_ssize_t size, Py_ssize_t capacity)
{
    if (size > self->max_size) {
        PyObject *number = PyLong_FromSsize_t(size);
        if (number) {
            Py_XDECREF(PyObject_CallOneArg(self->call[REFUSE_SIZE], number));
            Py_DECREF(number);
        }
        return NULL;
    }
    if (size > self->tiers[self->tier_count - 1].size) {
        size = Py_MIN(Py_MAX(size, 2 * capacity), self->max_size);
    }
    Memory *memory = store_take(self, size);
    if (memory) {
        BEGIN_LOCKED(self)
        self->grown++;
        END_LOCKED()
    }
    return memory;
}

/* --- MemoryStore: files ------------------------------------------------------------------------------------------- */

static int
tell(MemoryStore *self, int what, PyObject *file)
{
    PyObject *function = self->call[what];
    if (!function) {
        return 0;
    }
    Py_INCREF(function); /* it may be replaced meanwhile */
    PyObject *done = PyObject_CallOneArg(function, file);
    Py_DECREF(function);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

static PyObject *
store_acquire(MemoryStore *self, PyObject *number)
{
    Py_ssize_t size = PyLong_CheckExact(number) ? PyLong_AsSsize_t(number) : -1;
    if (size < 0 || size > self->max_size) {
        PyErr_Clear();
        return PyObject_CallOneArg(self->call[REFUSE_SIZE], number);
    }
    Memory *memory = store_take(self, size);
    if (!memory) {
        return NULL;
    }
    MemoryFile *file = (MemoryFile *)self->make->tp_alloc(self->make, 0);
    if (!file) {
        store_put_back(self, memory);
        return NULL;
    }
    file->store = (MemoryStore *)Py_NewRef(self);
    file->memory = memory;
    file->generation = self->generation;
    BEGIN_LOCKED(self)
    self->acquired++;
    self->in_use++;
    END_LOCKED()
    if (tell(self, LENT, (PyObject *)file) < 0) {
        Py_CLEAR(file); /* which takes the memory back */
    }
    return (PyObject *)file;
}

int
store_end(MemoryStore *self, PyObject *obj)
{
    MemoryFile *file = (MemoryFile *)obj;
    Memory *memory;
    if (!PyObject_TypeCheck(obj, self->file_type) || file->store != self) {
        return 0;
    }
    BEGIN_LOCKED(file)
    memory = file->memory;
    file->memory = NULL;
    END_LOCKED()
    if (!memory) {
        return 0;
    }
    if (file->generation != self->generation) { /* lent before a fork: the parent's */
        if (is_sole((PyObject *)memory)) {
            memset(memory->bytes, 0, memory->high);
        }
        Py_DECREF(memory);
    }
    else {
        BEGIN_LOCKED(self)
        self->in_use--;
        END_LOCKED()
        store_put_back(self, memory);
    }
    return tell(self, ENDED, obj) < 0 ? -1 : 1;
}

static PyObject *
store_py_end(MemoryStore *self, PyObject *file)
{
    int ended = store_end(self, file);
    return ended < 0 ? NULL : PyBool_FromLong(ended);
}

static PyObject *
store_release(MemoryStore *self, PyObject *file)
{
    int ended = store_end(self, file);
    if (!ended) {
        return PyObject_CallOneArg(self->call[REFUSE_FILE], file);
    }
    return ended < 0 ? NULL : Py_NewRef(Py_None);
}

static void
store_empty(MemoryStore *self, int counted)
{
    for (Py_ssize_t i = 0; i < self->tier_count; i++) {
        Tier *tier = &self->tiers[i];
        for (;;) {
            Memory *memory = NULL;
            BEGIN_LOCKED(self)
            if (tier->count) {
                memory = (Memory *)tier->items[--tier->count];
                self->idle_bytes -= tier->size;
                self->dropped += counted;
            }
            END_LOCKED()
            if (!memory) {
                break;
            }
            Py_DECREF(memory);
        }
    }
}

/* Tiers without memory, of these sizes; NULL if one is none. */
static Tier *
new_tiers(PyObject *sizes)
{
    Tier *tiers = PyMem_Calloc(PyTuple_GET_SIZE(sizes), sizeof(Tier));
    if (!tiers) {
        PyErr_NoMemory();
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(sizes); i++) {
        tiers[i].size = PyLong_AsSsize_t(PyTuple_GET_ITEM(sizes, i));
        if (tiers[i].size < 0) {
            if (!PyErr_Occurred()) {
                PyErr_SetString(PyExc_ValueError, "no memory has a negative size");
            }
            PyMem_Free(tiers);
            return NULL;
        }
    }
    return tiers;
}

/* Nothing here runs other code: the memory at rest is known to the collector no more than to anybody else. */
static PyObject *
store_trim(MemoryStore *self, PyObject *args)
{
    Py_ssize_t size, count;
    if (!PyArg_ParseTuple(args, "nn:trim", &size, &count)) {
        return NULL;
    }
    BEGIN_LOCKED(self)
    Tier *tier = tier_for(self, size);
    while (tier && tier->size == size && tier->count && count-- > 0) {
        Memory *memory = (Memory *)tier->items[--tier->count];
        self->idle_bytes -= size;
        self->dropped++;
        Py_DECREF(memory);
    }
    END_LOCKED()
    Py_RETURN_NONE;
}

static PyObject *
store_retier(MemoryStore *self, PyObject *sizes)
{
    if (!PyTuple_CheckExact(sizes) || !PyTuple_GET_SIZE(sizes)) {
        return PyErr_Format(PyExc_TypeError, "a store has memory in at least one size");
    }
    Tier *tiers = new_tiers(sizes), *old;
    if (!tiers) {
        return NULL;
    }
    Py_ssize_t old_count;
    BEGIN_LOCKED(self)
    old = self->tiers;
    old_count = self->tier_count;
    self->tiers = tiers;
    self->tier_count = PyTuple_GET_SIZE(sizes);
    for (Tier *tier = old, *end = old + old_count; tier < end; tier++) {
        Tier *same = tier_for(self, tier->size);
        if (same && same->size == tier->size) {
            *same = *tier;
            tier->items = NULL;
            continue;
        }
        while (tier->count) {
            Memory *memory = (Memory *)tier->items[--tier->count];
            self->idle_bytes -= tier->size;
            self->dropped++;
            Py_DECREF(memory);
        }
    }
    END_LOCKED()
    for (Py_ssize_t i = 0; i < old_count; i++) {
        PyMem_Free(old[i].items);
    }
    PyMem_Free(old);
    Py_RETURN_NONE;
}

static PyObject *
store_resting(MemoryStore *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *counts;
    BEGIN_UNCOLLECTED /* who runs meanwhile may change the tiers */
    counts = PyDict_New();
    for (Py_ssize_t i = 0; counts && i < self->tier_count; i++) {
        PyObject *size = PyLong_FromSsize_t(self->tiers[i].size), *count = PyLong_FromSsize_t(self->tiers[i].count);
        if (!size || !count || PyDict_SetItem(counts, size, count) < 0) {
            Py_CLEAR(counts);
        }
        Py_XDECREF(size);
        Py_XDECREF(count);
    }
    END_UNCOLLECTED
    return counts;
}

static PyObject *
store_clear(MemoryStore *self, PyObject *Py_UNUSED(ignored))
{
    store_empty(self, 1);
    Py_RETURN_NONE;
}

static PyObject *
store_restart(MemoryStore *self, PyObject *Py_UNUSED(ignored))
{
    store_empty(self, 0);
    self->generation++;
    self->acquired = self->misses = self->created = self->grown = self->dropped = self->in_use = self->quarantined = 0;
    self->bytes_saved = 0;
    Py_RETURN_NONE;
}

static PyObject *
store_get_idle(MemoryStore *self, void *Py_UNUSED(closure))
{
    PyObject *all;
    BEGIN_UNCOLLECTED /* who runs meanwhile may change the tiers */
    all = PyDict_New();
    for (Py_ssize_t i = 0; all && i < self->tier_count; i++) {
        Tier *tier = &self->tiers[i];
        PyObject *size = PyLong_FromSsize_t(tier->size), *list = PyList_New(0);
        int failed = !size || !list;
        BEGIN_LOCKED(self)
        for (Py_ssize_t k = 0; !failed && k < tier->count; k++) {
            failed = PyList_Append(list, tier->items[k]) < 0;
        }
        END_LOCKED()
        if (failed || PyDict_SetItem(all, size, list) < 0) {
            Py_CLEAR(all);
        }
        Py_XDECREF(size);
        Py_XDECREF(list);
    }
    END_UNCOLLECTED
    return all;
}

/* --- MemoryStore: itself ------------------------------------------------------------------------------------------ */

/* A limit from an argument; what is larger than any memory is no limit. */
static int
limit(PyObject *number, Py_ssize_t *to)
{
    *to = PyNumber_AsSsize_t(number, NULL);
    return !PyErr_Occurred();
}

static PyObject *
store_new(PyTypeObject *type, PyObject *args, PyObject *options)
{
    static char *names[] = {"make", "tiers", "max_size", "max_idle", "max_idle_bytes", "wipe", "reuse",
                            "refuse_size", "refuse_file", "abandoned", "lent", "ended", NULL};
    PyObject *make, *tiers, *call[STORE_CALLS];
    Py_ssize_t max_size, max_idle, max_idle_bytes;
    const char *wipe;
    int reuse;
    if (!PyArg_ParseTupleAndKeywords(args, options, "$O!O!O&O&O&spOOOOO", names, &PyType_Type, &make, &PyTuple_Type,
                                     &tiers, limit, &max_size, limit, &max_idle, limit, &max_idle_bytes, &wipe, &reuse,
                                     &call[REFUSE_SIZE], &call[REFUSE_FILE], &call[ABANDONED], &call[LENT],
                                     &call[ENDED])) {
        return NULL;
    }
    State *state = PyType_GetModuleState(type);
    if (!state) {
        return NULL;
    }
    if (!PyType_IsSubtype((PyTypeObject *)make, state->memory_file) || !PyTuple_GET_SIZE(tiers)) {
        return PyErr_Format(PyExc_TypeError, "a store makes files of memory in at least one size");
    }
    for (int i = 0; i < STORE_CALLS; i++) {
        if (!PyCallable_Check(call[i]) && (call[i] != Py_None || i < LENT)) {
            return PyErr_Format(PyExc_TypeError, "a store calls functions, not %R", call[i]);
        }
    }
    MemoryStore *self = (MemoryStore *)type->tp_alloc(type, 0);
    if (!self) {
        return NULL;
    }
    self->make = (PyTypeObject *)Py_NewRef(make);
    self->memory_type = (PyTypeObject *)Py_NewRef(state->memory);
    self->file_type = (PyTypeObject *)Py_NewRef(state->memory_file);
    for (int i = 0; i < STORE_CALLS; i++) {
        self->call[i] = call[i] == Py_None ? NULL : Py_NewRef(call[i]);
    }
    self->max_size = max_size;
    self->max_idle = max_idle;
    self->max_idle_bytes = max_idle_bytes;
    self->wipe = *wipe == 'u' ? WIPE_USED : *wipe == 'f' ? WIPE_FULL : WIPE_NONE;
    self->reuse = (char)reuse;
    self->tiers = new_tiers(tiers);
    self->tier_count = PyTuple_GET_SIZE(tiers);
    if (!self->tiers) {
        self->tier_count = 0;
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static int
store_traverse(MemoryStore *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->make);
    Py_VISIT(self->memory_type);
    Py_VISIT(self->file_type);
    for (int i = 0; i < STORE_CALLS; i++) {
        Py_VISIT(self->call[i]);
    }
    return 0;
}

static void
store_dealloc(MemoryStore *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    store_empty(self, 0);
    for (Py_ssize_t i = 0; i < self->tier_count; i++) {
        PyMem_Free(self->tiers[i].items);
    }
    PyMem_Free(self->tiers);
    Py_XDECREF(self->make);
    Py_XDECREF(self->memory_type);
    Py_XDECREF(self->file_type);
    for (int i = 0; i < STORE_CALLS; i++) {
        Py_XDECREF(self->call[i]);
    }
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *
store_counts(MemoryStore *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *counts;
    Py_ssize_t idle = 0;
    BEGIN_LOCKED(self)
    for (Py_ssize_t i = 0; i < self->tier_count; i++) {
        idle += self->tiers[i].count;
    }
    counts = Py_BuildValue("{snsnsnsnsnsnsnsnsnsn}", "acquired", self->acquired, "misses", self->misses, "created",
                           self->created, "grown", self->grown, "dropped", self->dropped, "in_use", self->in_use,
                           "quarantined", self->quarantined, "idle", idle, "idle_bytes", self->idle_bytes,
                           "bytes_saved", self->bytes_saved);
    END_LOCKED()
    return counts;
}

static PyObject *
store_watch(MemoryStore *self, PyObject *args)
{
    PyObject *call[STORE_CALLS];
    if (!PyArg_ParseTuple(args, "OO:watch", &call[LENT], &call[ENDED])) {
        return NULL;
    }
    for (int i = LENT; i < STORE_CALLS; i++) {
        PyObject *before = self->call[i];
        if (!PyCallable_Check(call[i]) && call[i] != Py_None) {
            return PyErr_Format(PyExc_TypeError, "a store calls functions, not %R", call[i]);
        }
        self->call[i] = call[i] == Py_None ? NULL : Py_NewRef(call[i]);
        Py_XDECREF(before);
    }
    Py_RETURN_NONE;
}

static PyMethodDef store_methods[] = {
    {"acquire", (PyCFunction)store_acquire, METH_O,
     "acquire($self, size, /)\n--\n\nLend an empty file with room for so many bytes, all zero."},
    {"release", (PyCFunction)store_release, METH_O,
     "release($self, file, /)\n--\n\nTake a file back; refuses one that is not lent."},
    {"end", (PyCFunction)store_py_end, METH_O,
     "end($self, file, /)\n--\n\nTake a file back; return whether it was lent."},
    {"clear", (PyCFunction)store_clear, METH_NOARGS, "Let go of all memory at rest."},
    {"trim", (PyCFunction)store_trim, METH_VARARGS,
     "trim($self, size, count, /)\n--\n\nLet go of so many memories at rest of one size."},
    {"retier", (PyCFunction)store_retier, METH_O,
     "retier($self, tiers, /)\n--\n\nUse these sizes from now on; memory of other sizes is let go."},
    {"resting", (PyCFunction)store_resting, METH_NOARGS, "Return how many memories of each size are at rest."},
    {"counts", (PyCFunction)store_counts, METH_NOARGS, "Return what the store has done and holds."},
    {"restart", (PyCFunction)store_restart, METH_NOARGS, "Begin anew, in a child process."},
    {"watch", (PyCFunction)store_watch, METH_VARARGS,
     "watch($self, lent, ended, /)\n--\n\nHave these called, instead of those given at the beginning."},
    {NULL},
};

static PyGetSetDef store_getset[] = {
    {"idle", (getter)store_get_idle, NULL, "The memory at rest, by tier: a copy.", NULL},
    {NULL},
};

static PyType_Slot store_slots[] = {
    {Py_tp_doc, "Lends memory in size tiers, and takes it back wiped."},
    {Py_tp_new, store_new},
    {Py_tp_dealloc, store_dealloc},
    {Py_tp_traverse, store_traverse},
    {Py_tp_methods, store_methods},
    {Py_tp_getset, store_getset},
    {0, NULL},
};

static PyType_Spec store_spec = {
    .name = "poolware._core.compiled.MemoryStore",
    .basicsize = sizeof(MemoryStore),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = store_slots,
};

int
poolware_add_memory(PyObject *module)
{
    State *state = PyModule_GetState(module);
    return (state->memory = poolware_add_type(module, &memory_spec))
                   && (state->memory_store = poolware_add_type(module, &store_spec))
               ? 0
               : -1;
}

/* MemoryFile: what the plain twin, in memory_file.py, does. */

#include "memory.h"
#include <stddef.h>

/* The memory, or NULL and BufferReleased. */
static inline Memory *
live(MemoryFile *self)
{
    if (!self->memory) {
        Py_XDECREF(PyObject_CallMethod((PyObject *)self, "_refuse_use", NULL));
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_RuntimeError, "this buffer was given back");
        }
    }
    return self->memory;
}

/* A size in bytes from an argument such as read() takes; all there is if it is None or negative. -1 and an error. */
static Py_ssize_t
span(MemoryFile *self, PyObject *size, Py_ssize_t *start)
{
    Py_ssize_t most = -1;
    if (size && size != Py_None) {
        most = PyNumber_AsSsize_t(size, NULL); /* clipped, as for slices */
        if (most == -1 && PyErr_Occurred()) {
            return -1;
        }
    }
    *start = Py_MIN(self->position, self->size);
    Py_ssize_t left = self->size - *start;
    return most < 0 ? left : Py_MIN(most, left);
}

/* Move to memory of at least `size` bytes. */
static int
grow_to(MemoryFile *self, Py_ssize_t size)
{
    Memory *old = self->memory;
    if (old->exports) {
        Py_XDECREF(PyObject_CallMethod((PyObject *)self, "_refuse_growth", "n", size));
        return -1;
    }
    Memory *larger = store_larger(self->store, size, old->size);
    if (!larger) {
        return -1;
    }
    memcpy(larger->bytes, old->bytes, self->size);
    larger->high = self->size;
    self->memory = larger;
    store_put_back(self->store, old);
    return 0;
}

static PyObject *
write_bytes(MemoryFile *self, const char *bytes, Py_ssize_t count)
{
    Memory *memory = live(self);
    if (!memory) {
        return NULL;
    }
    Py_ssize_t start = self->position, stop;
    if (!count) {
        return PyLong_FromLong(0);
    }
    if (start > PY_SSIZE_T_MAX - count) {
        stop = PY_SSIZE_T_MAX; /* more than there can be */
    }
    else {
        stop = start + count;
    }
    if (stop > memory->size) {
        if (grow_to(self, stop) < 0) {
            return NULL;
        }
        memory = self->memory;
    }
    if (start > self->size) {
        memset(memory->bytes + self->size, 0, start - self->size);
    }
    memmove(memory->bytes + start, bytes, count);
    memory->high = Py_MAX(memory->high, stop);
    self->position = stop;
    self->size = Py_MAX(self->size, stop);
    return PyLong_FromSsize_t(count);
}

static PyObject *
file_write(MemoryFile *self, PyObject *data)
{
    PyObject *written;
    if (PyBytes_CheckExact(data)) {
        BEGIN_LOCKED(self)
        written = write_bytes(self, PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data));
        END_LOCKED()
        return written;
    }
    Py_buffer source;
    if (!live(self) || PyObject_GetBuffer(data, &source, PyBUF_FULL_RO) < 0) {
        return NULL;
    }
    if (!PyBuffer_IsContiguous(&source, 'C')) {
        PyBuffer_Release(&source);
        return PyErr_Format(PyExc_TypeError, "write() takes C-contiguous memory");
    }
    BEGIN_LOCKED(self)
    written = write_bytes(self, source.buf, source.len);
    END_LOCKED()
    PyBuffer_Release(&source);
    return written;
}

static PyObject *
take(MemoryFile *self, Py_ssize_t start, Py_ssize_t count)
{
    PyObject *bytes = PyBytes_FromStringAndSize(self->memory->bytes + start, count);
    if (bytes) {
        self->position = Py_MAX(self->position, start + count);
    }
    return bytes;
}

static PyObject *
read_up_to(MemoryFile *self, PyObject *size, int line)
{
    Py_ssize_t start, count = live(self) ? span(self, size, &start) : -1;
    if (count < 0 || !live(self)) { /* an __index__ may have released it */
        return NULL;
    }
    if (line && count) {
        const char *from = self->memory->bytes + start, *end = memchr(from, '\n', count);
        count = end ? end - from + 1 : count;
    }
    return take(self, start, count);
}

static int
one_argument(const char *name, PyObject *const *args, Py_ssize_t count, PyObject **arg)
{
    if (count > 1) {
        PyErr_Format(PyExc_TypeError, "%s() takes at most 1 argument (%zd given)", name, count);
        return -1;
    }
    *arg = count ? args[0] : NULL;
    return 0;
}

static PyObject *
file_read(MemoryFile *self, PyObject *const *args, Py_ssize_t count)
{
    PyObject *size, *bytes;
    if (one_argument("read", args, count, &size) < 0) {
        return NULL;
    }
    BEGIN_LOCKED(self)
    bytes = read_up_to(self, size, 0);
    END_LOCKED()
    return bytes;
}

static PyObject *
file_readline(MemoryFile *self, PyObject *const *args, Py_ssize_t count)
{
    PyObject *size, *bytes;
    if (one_argument("readline", args, count, &size) < 0) {
        return NULL;
    }
    BEGIN_LOCKED(self)
    bytes = read_up_to(self, size, 1);
    END_LOCKED()
    return bytes;
}

static PyObject *
file_readinto(MemoryFile *self, PyObject *target)
{
    Py_buffer into;
    Py_ssize_t count = -1;
    if (!live(self) || PyObject_GetBuffer(target, &into, PyBUF_FULL_RO) < 0) {
        return NULL;
    }
    if (into.readonly || !PyBuffer_IsContiguous(&into, 'C')) {
        PyBuffer_Release(&into);
        return PyErr_Format(PyExc_TypeError, "readinto() takes writable C-contiguous memory");
    }
    BEGIN_LOCKED(self)
    if (live(self)) {
        Py_ssize_t start = Py_MIN(self->position, self->size);
        count = Py_MIN(self->size - start, into.len);
        memmove(into.buf, self->memory->bytes + start, count);
        self->position = Py_MAX(self->position, start + count);
    }
    END_LOCKED()
    PyBuffer_Release(&into);
    return count < 0 ? NULL : PyLong_FromSsize_t(count);
}

static PyObject *
file_seek(MemoryFile *self, PyObject *const *args, Py_ssize_t count)
{
    Py_ssize_t offset, base, whence = 0;
    if (count < 1 || count > 2) {
        return PyErr_Format(PyExc_TypeError, "seek() takes 1 or 2 arguments (%zd given)", count);
    }
    if (!live(self)) {
        return NULL;
    }
    offset = PyNumber_AsSsize_t(args[0], PyExc_OverflowError);
    if (offset == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if (count == 2) {
        whence = PyNumber_AsSsize_t(args[1], NULL);
        if (whence == -1 && PyErr_Occurred()) {
            return NULL;
        }
        if (whence < 0 || whence > 2) {
            return PyErr_Format(PyExc_ValueError, "invalid whence (%R, should be 0, 1 or 2)", args[1]);
        }
    }
    if (!whence && offset < 0) {
        return PyErr_Format(PyExc_ValueError, "negative seek position %zd", offset);
    }
    base = whence == 0 ? 0 : whence == 1 ? self->position : self->size;
    if (offset > PY_SSIZE_T_MAX - base) {
        return PyErr_Format(PyExc_OverflowError, "seek position too large");
    }
    self->position = Py_MAX(base + offset, 0); /* as io.BytesIO does, on which zipfile relies */
    return PyLong_FromSsize_t(self->position);
}

static PyObject *
file_tell(MemoryFile *self, PyObject *Py_UNUSED(ignored))
{
    return live(self) ? PyLong_FromSsize_t(self->position) : NULL;
}

static PyObject *
file_truncate(MemoryFile *self, PyObject *const *args, Py_ssize_t count)
{
    PyObject *wanted;
    if (one_argument("truncate", args, count, &wanted) < 0 || !live(self)) {
        return NULL;
    }
    Py_ssize_t size = self->position;
    if (wanted && wanted != Py_None) {
        size = PyNumber_AsSsize_t(wanted, PyExc_OverflowError);
        if (size == -1 && PyErr_Occurred()) {
            return NULL;
        }
    }
    if (size < 0) {
        return PyErr_Format(PyExc_ValueError, "negative size value %zd", size);
    }
    BEGIN_LOCKED(self)
    if (self->memory && size < self->size) {
        memset(self->memory->bytes + size, 0, self->size - size);
        self->size = size;
    }
    END_LOCKED()
    return PyLong_FromSsize_t(size);
}

static PyObject *
file_getvalue(MemoryFile *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *bytes = NULL;
    BEGIN_LOCKED(self)
    if (live(self)) {
        bytes = PyBytes_FromStringAndSize(self->memory->bytes, self->size);
    }
    END_LOCKED()
    return bytes;
}

/* Bytes that fit without growing; -1 and an error after the release. */
static Py_ssize_t
capacity_of(MemoryFile *self)
{
    Py_ssize_t capacity;
    BEGIN_LOCKED(self)
    capacity = live(self) ? self->memory->size : -1;
    END_LOCKED()
    return capacity;
}

/* A view of all the memory. Who makes one by himself may write anywhere; a file knows what its views are used for. */
static PyObject *
view_of(Memory *memory)
{
    PyObject *view;
    Py_ssize_t high = memory->high;
    BEGIN_UNCOLLECTED
    view = PyMemoryView_FromObject((PyObject *)memory);
    END_UNCOLLECTED
    memory->high = high;
    return view;
}

/* An end of a view from an argument, clipped as for slices. */
static int
end_of_view(PyObject *number, Py_ssize_t *to)
{
    *to = PyNumber_AsSsize_t(number, NULL);
    return !PyErr_Occurred();
}

static PyObject *
file_view(MemoryFile *self, PyObject *args, PyObject *options)
{
    static char *names[] = {"start", "stop", "readonly", NULL};
    Py_ssize_t start = 0, stop;
    PyObject *until = Py_None, *view, *all = NULL;
    int readonly = 0;
    if (!PyArg_ParseTupleAndKeywords(args, options, "|O&O$p", names, end_of_view, &start, &until, &readonly)) {
        return NULL;
    }
    stop = until == Py_None ? capacity_of(self) : PyNumber_AsSsize_t(until, NULL);
    if (stop == -1 && PyErr_Occurred()) {
        return NULL;
    }
    BEGIN_LOCKED(self)
    if (!live(self)) {
    }
    else if (start < 0 || start > stop || stop > self->memory->size) {
        PyErr_Format(PyExc_ValueError,
                     "view(%zd, %zd): it takes 0 <= start <= stop <= %zd, the buffer's capacity", start, stop,
                     self->memory->size);
    }
    else if ((all = view_of(self->memory)) && !readonly) {
        self->size = Py_MAX(self->size, stop);
        self->memory->high = Py_MAX(self->memory->high, stop);
    }
    END_LOCKED()
    if (all && readonly) {
        Py_SETREF(all, PyObject_CallMethod(all, "toreadonly", NULL));
    }
    view = all ? PySequence_GetSlice(all, start, stop) : NULL;
    Py_XDECREF(all);
    return view;
}

static Py_ssize_t
file_len(MemoryFile *self)
{
    return live(self) ? self->size : -1;
}

static PyObject *
file_capacity(MemoryFile *self, void *Py_UNUSED(closure))
{
    Py_ssize_t capacity = capacity_of(self);
    return capacity < 0 ? NULL : PyLong_FromSsize_t(capacity);
}

static PyObject *
file_closed(MemoryFile *self, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(!self->memory);
}

static PyObject *
file_memory(MemoryFile *self, void *Py_UNUSED(closure))
{
    PyObject *view = NULL;
    BEGIN_LOCKED(self)
    view = self->memory ? view_of(self->memory) : Py_NewRef(Py_None);
    END_LOCKED()
    return view;
}

/* --- itself ------------------------------------------------------------------------------------------------------- */

/* Nobody refers to it any more: its store takes the memory back, and says so if it was not released. */
static void
file_finalize(MemoryFile *self)
{
    if (!self->memory) {
        return;
    }
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    MemoryStore *store = self->store;
    int known = self->generation == store->generation;
    int ended = store_end(store, (PyObject *)self);
    if (ended < 0) {
        PyErr_WriteUnraisable((PyObject *)store);
    }
    if (ended && known) {
        PyObject *done = PyObject_CallNoArgs(store->call[ABANDONED]);
        if (!done) {
            PyErr_WriteUnraisable(store->call[ABANDONED]);
        }
        Py_XDECREF(done);
    }
    PyErr_Restore(type, error, traceback);
}

static int
file_traverse(MemoryFile *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->store);
    return 0;
}

static void
file_dealloc(MemoryFile *self)
{
    PyTypeObject *type = Py_TYPE(self);
    if (PyObject_CallFinalizerFromDealloc((PyObject *)self) < 0) { /* done before if it is of a subclass */
        return;
    }
    PyObject_GC_UnTrack(self);
    Py_XDECREF(self->memory); /* NULL after its finalizer */
    Py_XDECREF(self->store);
    type->tp_free(self);
    Py_DECREF(type);
}

#define FAST(function) (PyCFunction)(void (*)(void))function

static PyMethodDef file_methods[] = {
    {"write", (PyCFunction)file_write, METH_O,
     "write($self, data, /)\n--\n\nWrite bytes at the position and move it past them; return how many."},
    {"read", FAST(file_read), METH_FASTCALL,
     "read($self, size=-1, /)\n--\n\n"
     "Return up to `size` bytes from the position on; all that is left if negative or None."},
    {"readinto", (PyCFunction)file_readinto, METH_O,
     "readinto($self, target, /)\n--\n\n"
     "Fill `target`, writable memory, from the position on; return how many bytes."},
    {"readline", FAST(file_readline), METH_FASTCALL,
     "readline($self, size=-1, /)\n--\n\nReturn the rest of the line, with its newline, `size` bytes at the most."},
    {"seek", FAST(file_seek), METH_FASTCALL, "seek($self, offset, whence=0, /)\n--\n\nMove the position; return it."},
    {"tell", (PyCFunction)file_tell, METH_NOARGS, "tell($self)\n--\n\nReturn the position."},
    {"truncate", FAST(file_truncate), METH_FASTCALL,
     "truncate($self, size=None, /)\n--\n\n"
     "Cut the content to `size` bytes, the position by default; what is cut off is wiped. Return `size`."},
    {"getvalue", (PyCFunction)file_getvalue, METH_NOARGS, "getvalue($self)\n--\n\nReturn a copy of the content."},
    {"view", FAST(file_view), METH_VARARGS | METH_KEYWORDS,
     "view($self, start=0, stop=None, *, readonly=False)\n--\n\n"
     "Return a view of the memory from `start` to `stop`, its capacity by default, without copying."},
    {NULL},
};

static PyMemberDef file_members[] = {
    {"_store", T_OBJECT, offsetof(MemoryFile, store), READONLY, NULL},
    {"_size", T_PYSSIZET, offsetof(MemoryFile, size), READONLY, NULL},
    {NULL},
};

static PyGetSetDef file_getset[] = {
    {"capacity", (getter)file_capacity, NULL, "Bytes that fit without growing.", NULL},
    {"closed", (getter)file_closed, NULL, "Whether the buffer was released.", NULL},
    {"_memory", (getter)file_memory, NULL, "A view of all the memory; None after the release.", NULL},
    {NULL},
};

static PyType_Slot file_slots[] = {
    {Py_tp_doc, "A binary file in memory that a MemoryStore lends."},
    {Py_tp_dealloc, file_dealloc},
    {Py_tp_finalize, file_finalize},
    {Py_tp_traverse, file_traverse},
    {Py_tp_methods, file_methods},
    {Py_tp_members, file_members},
    {Py_tp_getset, file_getset},
    {Py_sq_length, file_len},
    {0, NULL},
};

static PyType_Spec file_spec = {
    .name = "poolware._core.compiled.MemoryFile",
    .basicsize = sizeof(MemoryFile),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE
             | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = file_slots,
};

int
poolware_add_file(PyObject *module)
{
    State *state = PyModule_GetState(module);
    return (state->memory_file = poolware_add_type(module, &file_spec)) ? 0 : -1;
}

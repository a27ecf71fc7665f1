/* poolware._core.compiled: the hot path, compiled. Everything here has a twin in plain Python. */

#include "stores.h"

PyTypeObject *
poolware_add_type(PyObject *module, PyType_Spec *spec)
{
    PyTypeObject *type = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);
    if (type && PyModule_AddType(module, type) < 0) {
        Py_CLEAR(type);
    }
    return type;
}

static int
execute(PyObject *module)
{
    /* mod_wsgi makes interpreters that do not ask the slot below, and 3.11 does not know it. */
    if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
        PyErr_SetString(PyExc_ImportError, "poolware._core.compiled is for the main interpreter of a process");
        return -1;
    }
    return poolware_add_stores(module) < 0 || poolware_add_cycle(module) < 0 || poolware_add_memory(module) < 0
                   || poolware_add_file(module) < 0
               ? -1
               : 0;
}

static int
module_traverse(PyObject *module, visitproc visit, void *arg)
{
    State *state = PyModule_GetState(module);
    Py_VISIT(state->recyclable);
    Py_VISIT(state->store);
    Py_VISIT(state->lent);
    Py_VISIT(state->tally);
    Py_VISIT(state->cycle);
    Py_VISIT(state->memory);
    Py_VISIT(state->memory_store);
    Py_VISIT(state->memory_file);
    return 0;
}

static int
module_clear(PyObject *module)
{
    State *state = PyModule_GetState(module);
    Py_CLEAR(state->recyclable);
    Py_CLEAR(state->store);
    Py_CLEAR(state->lent);
    Py_CLEAR(state->tally);
    Py_CLEAR(state->cycle);
    Py_CLEAR(state->memory);
    Py_CLEAR(state->memory_store);
    Py_CLEAR(state->memory_file);
    return 0;
}

static void
module_free(void *module)
{
    (void)module_clear(module);
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, execute},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
#endif
#ifdef Py_GIL_DISABLED
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static PyMethodDef module_methods[] = {
    {"overwrite", poolware_overwrite, METH_VARARGS, "Fill a str or bytes with zeros that only this slot holds."},
    {NULL},
};

static PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "poolware._core.compiled",
    .m_doc = "The hot path, compiled.",
    .m_size = sizeof(State),
    .m_methods = module_methods,
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC
PyInit_compiled(void)
{
    return PyModuleDef_Init(&module_definition);
}

"""The protections of the compiled core, as changes to its C text that take them out."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Removal:
    """A protection, the text that it is, what is there without it, and the test that then turns red."""

    name: str
    file: str
    old: str
    new: str
    test: str
    also: str = ""
    """The name of another removal, which would hide this one."""

    def apply(self, native: Path) -> None:
        """Take it out of the C text in this folder."""
        path = native / self.file
        text = path.read_text()
        assert text.count(self.old) == 1, f"{self.name}: {self.file} has this {text.count(self.old)} times: {self.old}"
        path.write_text(text.replace(self.old, self.new))
        for removal in REMOVALS:
            if removal.name == self.also:
                removal.apply(native)


COLLECTOR = "tests/core/test_compiled_collector.py"
REENTRANCY = "tests/core/test_compiled_reentrancy.py"
RUBBISH = "tests/core/test_compiled_rubbish.py"
RACES = "tests/context/test_context_races.py"
PARTS = "tests/context/test_context_parts.py"

REMOVALS = [
    Removal(
        "proof",
        "common.h",
        "return Py_REFCNT(op) == 1;",
        "return Py_REFCNT(op) > 0;",
        "tests/pools/test_object_pool_quarantine.py::test_held_object_is_never_handed_out",
    ),
    Removal(
        "the count at a release",
        "cycle.c",
        "ARGUMENT_SHOWS_CALLER ? Py_REFCNT(obj) - 1 : 1;",
        "0;",
        "tests/context/test_context_held.py::test_released_by_the_caller_who_keeps_it",
    ),
    Removal(
        "sealing before vouched parts are kept",
        "cycle.c",
        "others > (self->vouches ? 0 : 1)",
        "others > 1",
        f"{RACES}::test_write_in_the_middle_of_a_release",
    ),
    Removal(
        "pristine check",
        "cycle.c",
        "if (is_pristine(self, obj)) {",
        "if (is_pristine(self, obj) || 1) {",
        f"{RACES}::test_what_was_dirtied_while_resting_is_not_handed_out",
    ),
    Removal(
        "reset",
        "cycle.c",
        "        if (*slot_at(obj, slot->offset) != slot->rest) {\n            set_slot(",
        "        if (0) {\n            set_slot(",
        "tests/context/test_pristine_property.py::test_released_context_is_as_good_as_new",
        also="pristine check",
    ),
    Removal(
        "giving back",
        "cycle.c",
        "tell(self, GIVE_BACK, obj) < 0",
        "0",
        "tests/context/test_context_borrow.py::test_borrowed_objects_go_back_in_reverse_order",
    ),
    Removal(
        "sealing",
        "cycle.c",
        "set_type(obj, self->sealed);",
        "",
        "tests/pools/test_pool_modes.py::test_held_context_is_sealed",
    ),
    Removal(
        "exactly once",
        "cycle.c",
        "    if (!register_remove(self->lent, obj)) {\n        return ask(self, REFUSE, &obj, 1);",
        "    if (!register_remove(self->lent, obj) && !PyObject_TypeCheck(obj, self->cls)) {\n"
        "        return ask(self, REFUSE, &obj, 1);",
        "tests/pools/test_object_pool_hooks.py::test_second_release_is_refused",
    ),
    Removal(
        "one place of use",
        "stores.c",
        "    else if (!is_registered(self, obj)) {",
        "    else if (0) {",
        f"{RUBBISH}::test_an_object_is_in_use_in_one_place_only",
    ),
    Removal(
        "proof of containers",
        "cycle.c",
        "if ((PyObject *)Py_TYPE(part) != slot->factory || !is_sole(part)) {",
        "if ((PyObject *)Py_TYPE(part) != slot->factory) {",
        f"{PARTS}::test_held_part_never_reaches_the_next_request",
    ),
    Removal(
        "type of containers",
        "cycle.c",
        "if ((PyObject *)Py_TYPE(part) != slot->factory || !is_sole(part)) {",
        "if (!is_sole(part)) {",
        f"{PARTS}::test_container_of_another_type_never_reaches_the_next_request",
    ),
    Removal(
        "weak references to sets",
        "cycle.c",
        "return !PySet_CheckExact(part) || !((PySetObject *)part)->weakreflist;",
        "return 1;",
        f"{PARTS}::test_weakly_held_set_never_reaches_the_next_request",
    ),
    Removal(
        "second look after emptying",
        "cycle.c",
        "if (!stays || !is_own(slot, part) || is_used(part)) {",
        "if (!stays) {",
        f"{REENTRANCY}::test_a_part_that_a_finalizer_has_found_is_not_used_again",
        also="pristine check",
    ),
    Removal(
        "proof of vouched parts",
        "cycle.c",
        "PyObject *sole = is_sole(part) ? Py_True : Py_False;",
        "PyObject *sole = Py_True;",
        f"{PARTS}::test_vouched_part_that_is_held_is_rebuilt",
    ),
    Removal(
        "second proof of vouched parts",
        "cycle.c",
        "value && value != Py_None && is_sole(value)",
        "value && value != Py_None",
        f"{PARTS}::test_vouched_part_that_is_held_later_is_rebuilt",
    ),
    Removal(
        "wiping fields",
        "cycle.c",
        "result = ask(self, SCRUB, &held, 1);",
        "result = Py_NewRef(Py_None);",
        "tests/web/test_secrets.py::test_asgi",
    ),
    Removal(
        "wiping secrets",
        "cycle.c",
        'result = PyObject_CallMethod(held, "_retire", NULL);',
        "result = Py_NewRef(Py_None);",
        "tests/web/test_secrets.py::test_asgi",
    ),
    Removal(
        "clearing of the home",
        "stores.c",
        "    PyObject *home = *slot;\n    *slot = NULL;",
        "    PyObject *home = NULL;",
        f"{COLLECTOR}::test_idle_contexts_and_their_containers_are_hidden_from_the_collector",
    ),
    Removal(
        "hiding contexts",
        "stores.c",
        "    PyObject_GC_UnTrack(obj);\n",
        "",
        f"{COLLECTOR}::test_idle_contexts_and_their_containers_are_hidden_from_the_collector",
    ),
    Removal(
        "hiding containers",
        "stores.c",
        "            PyObject_GC_UnTrack(value);",
        "",
        f"{COLLECTOR}::test_idle_contexts_and_their_containers_are_hidden_from_the_collector",
    ),
    Removal(
        "showing contexts",
        "stores.c",
        "    PyObject_GC_Track(obj);\n",
        "",
        f"{COLLECTOR}::test_what_was_hidden_can_be_in_cycles_again",
    ),
    Removal(
        "showing containers",
        "stores.c",
        "            track(value);\n",
        "",
        f"{COLLECTOR}::test_what_was_hidden_can_be_in_cycles_again",
    ),
    Removal(
        "hiding no part that somebody has",
        "stores.c",
        "is_container(value) && is_sole(value)",
        "is_container(value)",
        f"{COLLECTOR}::test_a_part_that_somebody_has_is_not_hidden",
    ),
    Removal(
        "traversing what rests",
        "stores.c",
        "self->visible ? 0 : self->hidden",
        "self->hidden",
        f"{COLLECTOR}::test_a_class_that_leads_to_its_pool_is_freed_with_it",
    ),
    Removal(
        "layout of what is stored",
        "stores.h",
        "    return type == cls\n",
        "    return type || type == cls\n",
        f"{RUBBISH}::test_stores_take_only_objects_of_their_own_layout",
    ),
]
if sys.version_info < (3, 12):  # from then on the interpreter itself refuses
    REMOVALS.append(
        Removal(
            "main interpreter only",
            "module.c",
            "if (PyInterpreterState_Get() != PyInterpreterState_Main()) {",
            "if (0) {",
            "tests/core/test_compiled_interpreters.py::test_another_interpreter_has_the_plain_twin",
        )
    )

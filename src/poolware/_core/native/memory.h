/* Memory that is lent as a file, and comes back wiped when nobody refers to it any more. */

#ifndef POOLWARE_MEMORY_H
#define POOLWARE_MEMORY_H

#include "common.h"

typedef struct MemoryStore MemoryStore;

/* A block of bytes of a fixed size. Where it is lent it belongs to a file. Released while somebody else refers to it,
   such as a view in a transport's queue, it belongs to nobody, and goes home when the last reference is gone. */
typedef struct {
    PyObject_HEAD
    char *bytes;
    Py_ssize_t size;
    Py_ssize_t high;    /* how far it was used since it was last wiped */
    Py_ssize_t exports; /* views that are alive */
    MemoryStore *home;  /* where it goes when nobody refers to it; NULL except in quarantine */
    long generation;    /* of its home, when it went into quarantine */
} Memory;

typedef enum { WIPE_USED, WIPE_FULL, WIPE_NONE } Wipe;

/* The memory at rest of one size. */
typedef struct {
    Py_ssize_t size, count, allocated;
    PyObject **items;
} Tier;

/* What a store calls: the first two raise; the last two are told of each file, and NULL where nobody wants to know. */
enum { REFUSE_SIZE, REFUSE_FILE, ABANDONED, LENT, ENDED, STORE_CALLS };

/* Lends memory in size tiers. */
struct MemoryStore {
    PyObject_HEAD
    PyTypeObject *make; /* what is lent: MemoryFile, or a subclass */
    PyTypeObject *memory_type, *file_type;
    PyObject *call[STORE_CALLS];
    Tier *tiers;
    Py_ssize_t tier_count, max_size, max_idle, max_idle_bytes, idle_bytes;
    Wipe wipe;
    char reuse;
    long generation; /* how often the process was forked on the way here */
    Py_ssize_t acquired, misses, created, grown, dropped, in_use, quarantined, bytes_saved;
};

/* A binary file in memory. */
typedef struct {
    PyObject_HEAD
    MemoryStore *store;
    Memory *memory; /* NULL after its release */
    Py_ssize_t size, position;
    long generation;
} MemoryFile;

Memory *store_take(MemoryStore *self, Py_ssize_t size);       /* a new reference, all zero; NULL without memory */
void store_put_back(MemoryStore *self, Memory *memory);       /* takes over the reference */
Memory *store_larger(MemoryStore *self, Py_ssize_t size, Py_ssize_t capacity); /* for growing; NULL if refused */
int store_end(MemoryStore *self, PyObject *file);             /* whether `file` was lent; -1 if telling failed */

#endif

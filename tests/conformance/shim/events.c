/*
 * The order of events: those of the present instant in a list, later ones in a heap.
 *
 * A heap entry whose time has come was created before the clock got there, hence before anything
 * in the list; so the heap goes first, and the list needs no comparison.
 */
#include <stdlib.h>

#include "machine.h"
#include "sync.h"

struct shim_event {
    uint64_t at;
    uint64_t sequence;
    shim_event_fn fn;
    void* argument;
    struct shim_event *next, *prev; /* in the list of the instant, or of unused entries */
    size_t place;                   /* in the heap, from 1; 0: in the list */
};

uint64_t shim_now;

static struct shim_event* free_events;
static struct shim_event instant = {.next = &instant, .prev = &instant};
static struct shim_event** heap; /* a binary heap; heap[0] is not used */
static size_t heap_size, heap_capacity;
static uint64_t next_sequence;

static bool before(const struct shim_event* a, const struct shim_event* b) {
    return a->at != b->at ? a->at < b->at : a->sequence < b->sequence;
}

static void place(struct shim_event* event, size_t i) {
    heap[i] = event;
    event->place = i;
}

/* Puts the event where it belongs, starting from a free place in the heap. */
static void sift(struct shim_event* event, size_t i) {
    while (i > 1 && before(event, heap[i / 2])) {
        place(heap[i / 2], i);
        i /= 2;
    }
    for (;;) {
        size_t child = 2 * i;
        if (child > heap_size)
            break;
        if (child < heap_size && before(heap[child + 1], heap[child]))
            child++;
        if (!before(heap[child], event))
            break;
        place(heap[child], i);
        i = child;
    }
    place(event, i);
}

static void heap_remove(struct shim_event* event) {
    size_t i = event->place;
    struct shim_event* last = heap[heap_size--];
    if (last != event)
        sift(last, i);
}

static struct shim_event* new_event(uint64_t at, shim_event_fn fn, void* argument) {
    struct shim_event* event = free_events;
    if (event)
        free_events = event->next;
    else
        event = malloc(sizeof(*event));
    *event =
        (struct shim_event){.at = at, .sequence = next_sequence++, .fn = fn, .argument = argument};
    return event;
}

static void recycle(struct shim_event* event) {
    event->next = free_events;
    free_events = event;
}

struct shim_event* machine_post(shim_event_fn fn, void* argument) {
    struct shim_event* event = new_event(shim_now, fn, argument);
    event->next = &instant;
    event->prev = instant.prev;
    event->prev->next = event;
    instant.prev = event;
    return event;
}

struct shim_event* machine_arm(uint64_t at, shim_event_fn fn, void* argument) {
    if (at <= shim_now)
        return machine_post(fn, argument);
    struct shim_event* event = new_event(at, fn, argument);
    if (heap_size + 2 > heap_capacity) {
        heap_capacity = heap_capacity ? 2 * heap_capacity : 64;
        heap = realloc(heap, heap_capacity * sizeof(struct shim_event*));
    }
    heap_size++;
    sift(event, heap_size);
    return event;
}

static void unlink_event(struct shim_event* event) {
    if (event->place) {
        heap_remove(event);
    } else {
        event->prev->next = event->next;
        event->next->prev = event->prev;
    }
}

void machine_cancel(struct shim_event* event) {
    unlink_event(event);
    recycle(event);
}

/* The time of the next event of class 1. */
uint64_t machine_next_time(void) {
    if (instant.next != &instant)
        return shim_now;
    return heap_size ? heap[1]->at : ORACLE_NEVER;
}

bool machine_next(uint64_t limit, shim_event_fn* fn, void** argument) {
    struct shim_event* event = NULL;
    if (heap_size && (heap[1]->at == shim_now || instant.next == &instant))
        event = heap[1];
    else if (instant.next != &instant)
        event = instant.next;
    if (!event || event->at > limit)
        return false;
    unlink_event(event);
    shim_now = event->at;
    *fn = event->fn;
    *argument = event->argument;
    recycle(event);
    return true;
}

void machine_events_reset(void) {
    while (instant.next != &instant)
        machine_cancel(instant.next);
    while (heap_size)
        machine_cancel(heap[heap_size]);
    next_sequence = 0;
    shim_now = 0;
}

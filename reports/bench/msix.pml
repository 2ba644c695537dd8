/*
 * The MSI-X index of VFIO_DEVICE_SET_IRQS on Linux 6.12 (vectors can be added, ranges go vector by vector) with a device
 * of N vectors that latches events while MSI-X is off. Written by hand from the rules of vfio_pci_intrs.c, as a twin
 * of what `explore` does with the reference model: the numbers of states and transitions have to be equal.
 *
 * What is tried in every state: a good eventfd, -1 and one that is not open for each vector alone, good ones for all
 * vectors at once, the same ending in one that is not open, a loopback, the disabling call, and an event of each vector.
 */
#ifndef N
#define N 3
#endif

bit on;          /* MSI-X is set up */
bit irq[N];      /* the vector owns a Linux irq */
bit armed[N];    /* it has a trigger; its entry is unmasked exactly then */
bit message[N];  /* its entry has an address */
bit pending[N];

/* vfio_msi_set_vector_signal, the first half: the old trigger goes, and its message with it. */
inline remove(v) {
  if
  :: armed[v] -> armed[v] = 0; message[v] = 0
  :: else
  fi
}

/* vfio_msi_alloc_irq: a vector without a Linux irq gets one. */
inline own(v) {
  if
  :: !irq[v] -> irq[v] = 1; message[v] = 1
  :: else
  fi
}

/* request_irq: the entry gets its message and is unmasked, which sends what was pending. */
inline request(v) {
  armed[v] = 1; message[v] = 1; pending[v] = 0
}

/* vfio_msi_enable with count vectors. */
inline enable(count) {
  on = 1;
  for (k : 0 .. count - 1) { irq[k] = 1; message[k] = 1 }
}

inline disable() {
  on = 0;
  for (k : 0 .. N - 1) { irq[k] = 0; armed[k] = 0; message[k] = 0 }
}

inline set_good(v) {
  if :: !on -> enable(v + 1) :: else fi;
  remove(v); own(v); request(v)
}

inline set_none(v) {
  if :: !on -> enable(v + 1) :: else fi;
  remove(v)
}

/* The eventfd is looked up after the irq is had; a call that has turned MSI-X on turns it off again. */
inline set_bad(v) {
  if
  :: on -> remove(v); own(v)
  :: else
  fi
}

inline set_all() {
  if :: !on -> enable(N) :: else fi;
  for (i : 0 .. N - 1) { remove(i); own(i); request(i) }
}

/* The last vector fails, and all of the range lose their triggers; what was pending of the others was delivered. */
inline set_all_ending_bad() {
  fresh = !on;
  if :: fresh -> enable(N) :: else fi;
  for (i : 0 .. N - 2) { remove(i); own(i); request(i) }
  remove(N - 1); own(N - 1);
  for (i : 0 .. N - 1) { remove(i) }
  if :: fresh -> disable() :: else fi;
  fresh = 0
}

inline raise(v) {
  if
  :: on && armed[v]
  :: else -> pending[v] = 1
  fi
}

hidden byte i;
hidden byte k;
hidden byte fresh;

#define VECTOR(v) \
  :: d_step { set_good(v); k = 0 } \
  :: d_step { set_none(v); k = 0 } \
  :: d_step { set_bad(v); k = 0 } \
  :: d_step { raise(v); k = 0 }

active proctype user_and_device() {
end:
  do
  :: d_step { set_all(); i = 0 }
  :: d_step { set_all_ending_bad(); i = 0 }
  :: d_step { if :: on -> disable() :: else fi; k = 0 }
  :: d_step { skip }                      /* the loopback changes nothing */
  VECTOR(0)
#if N > 1
  VECTOR(1)
#endif
#if N > 2
  VECTOR(2)
#endif
#if N > 3
  VECTOR(3)
#endif
#if N > 4
  VECTOR(4)
#endif
#if N > 5
  VECTOR(5)
#endif
#if N > 6
  VECTOR(6)
#endif
  od
}

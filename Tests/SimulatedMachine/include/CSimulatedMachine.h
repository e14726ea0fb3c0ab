// The machine under a simulation: randomness that a seed gives, passphrases that cost nothing, signatures that
// are verified once, and a call before each change of a file. Linked into a test program it takes the place of the library's and the
// system's own functions, for that whole process.
#ifndef CAIRN_SIMULATED_MACHINE_H
#define CAIRN_SIMULATED_MACHINE_H

#include <stdint.h>

/// From now on all that libsodium draws follows from these two numbers. To be called before anything else
/// is drawn.
void cairn_simulated_seed(uint64_t seed, uint64_t stream);

/// Before the `step`th change of a file from now on, counted from 1, `then` is called, once; 0: never.
void cairn_simulated_stop_before(long step, void (*then)(void));

/// Ends the counting; how many changes of files there were.
long cairn_simulated_steps(void);

#endif

#ifndef CAIRN_CHILD_PROCESS_H
#define CAIRN_CHILD_PROCESS_H

#include <sys/types.h>

/// Starts a program, which is looked for in the path if it has no slash, in a process group of its own, with no
/// signal held back and no open file but the three given.
///
/// - Parameters:
///   - folder: where it runs; NULL for where this process runs.
///   - files: input, output and errors; -1 for one that is empty and takes everything.
/// - Returns: 0, or an error number.
int cairn_start_child(pid_t *id, char *const arguments[], char *const environment[], const char *folder,
                      const int files[3]);

#endif

// Two of the calls are in glibc's headers only for whoever asks for GNU's own, which Swift does not.
#define _GNU_SOURCE
#include "CChildProcess.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

static void set_files(posix_spawn_file_actions_t *actions, const char *folder, const int files[3])
{
  for (int number = 0; number < 3; number++) {
    if (files[number] < 0)
      posix_spawn_file_actions_addopen(actions, number, "/dev/null", O_RDWR, 0);
    else
      posix_spawn_file_actions_adddup2(actions, files[number], number);
  }
#if defined(__GLIBC__)
  posix_spawn_file_actions_addclosefrom_np(actions, 3);
#endif
  if (folder != NULL) posix_spawn_file_actions_addchdir_np(actions, folder);
}

static void set_signals(posix_spawnattr_t *attributes)
{
  short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP;
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(attributes, &signals);
  sigfillset(&signals);
  posix_spawnattr_setsigdefault(attributes, &signals);
#if !defined(__GLIBC__)
  flags |= POSIX_SPAWN_CLOEXEC_DEFAULT;
#endif
  posix_spawnattr_setflags(attributes, flags);
}

int cairn_start_child(pid_t *id, char *const arguments[], char *const environment[], const char *folder,
                      const int files[3])
{
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  set_files(&actions, folder, files);
  set_signals(&attributes);
  int error = posix_spawnp(id, arguments[0], &actions, &attributes, arguments, environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

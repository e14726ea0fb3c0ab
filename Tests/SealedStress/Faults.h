#ifndef CAIRN_FAULTS_H
#define CAIRN_FAULTS_H

/// Puts faults under SQLite and the sealed VFS, all off at first. Before sqlite3_initialize.
int faults_install(void);

/// From now on one in `one_in` calls of the file system, or of the allocator, fails; 0 is none.
void faults_of_files(unsigned one_in);
void faults_of_memory(unsigned one_in);

/// How many calls failed so far because of this.
long faults_made(void);

#endif

// Compiled in front of each file of the VFS when it becomes a loadable extension: every call of SQLite
// then goes to the SQLite that loads it, whichever that is.

#include <sqlite3ext.h>

SQLITE_EXTENSION_INIT3
